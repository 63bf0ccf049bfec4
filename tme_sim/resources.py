"""Finds the scenarios, experiments and seeds that travel with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: Literal["configs", "experiments", "seeds"]) -> Path:
    """Return the folder ``name``: inside an installed wheel, else beside the package in the source tree.

    Raises
    ------
    FileNotFoundError
        When neither place holds it (a broken installation).
    """
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the {name} folder of tme-sim is missing; reinstall the package")
