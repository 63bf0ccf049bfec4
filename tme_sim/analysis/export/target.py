"""What a run can be exported to, and how a file or folder appears whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tme_sim.record.reader import Run


@dataclass(frozen=True)
class Target:
    """A format.

    Attributes
    ----------
    module : str
        Holds ``write(run, out, minutes)``, which makes the file or folder ``out``.
    suffix : str
        Put after the stem of the run file where no name is given.
    extra : str
        Extra of the package that brings the libraries; empty: none needed.
    holds : str
        One line for readers.
    """

    module: str
    suffix: str
    extra: str
    holds: str


TARGETS = {
    "csv": Target("to_csv", "_csv", "", "a folder of tables that R, Excel and pandas read"),
    "anndata": Target("to_anndata", ".h5ad", "export", "cells of one snapshot, for scanpy and squidpy"),
    "vtk": Target("to_vtk", "_vtk", "export", "fields and cells of every snapshot, for ParaView"),
    "spatialdata": Target("to_spatialdata", ".zarr", "export", "fields, cells and their table, one snapshot"),
    "ome-zarr": Target(
        "to_ome_zarr", ".ome.zarr", "export", "fields of every snapshot as channels, for napari"
    ),
}


def writer_of(target: str) -> Callable[[Run, Path, float | None], None]:
    """Return the function that writes a format.

    Raises
    ------
    ImportError
        When its libraries are not installed.
    """
    return import_module(f"tme_sim.analysis.export.{TARGETS[target].module}").write


@contextmanager
def appearing(out: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a path to write to; afterwards it is put under its name, or removed when writing failed.

    Raises
    ------
    FileExistsError
        When something holds the name and ``replace`` is false.
    """
    if out.exists() and not replace:
        raise FileExistsError(f"{out}: exists already")
    temporary = out.with_name(f".part-{secrets.token_hex(8)}{out.name}")
    try:
        yield temporary
        if out.is_dir() and not out.is_symlink():
            shutil.rmtree(out)
        temporary.replace(out)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)
