"""Finds what travels with the package, scenarios, experiments and seeds, and what other packages add to it."""

from __future__ import annotations

from functools import cache
from importlib import metadata
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


@cache
def entry_points(group: str) -> tuple[metadata.EntryPoint, ...]:
    """Return the entry points of a group, by name; looked up once, as that takes 0.02 s."""
    return tuple(sorted(metadata.entry_points(group=group), key=lambda entry: entry.name))
