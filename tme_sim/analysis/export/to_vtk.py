"""Writes fields and cells of every snapshot for ParaView: images, points, and a collection of each over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import numpy as np
import pyvista

if TYPE_CHECKING:
    from tme_sim.record.reader import Run

_GROUPS = ("fields", "vesicles", "vessels")


def fields_as_image(run: Run, at: int) -> pyvista.ImageData:
    """Return fields, free vesicles and vessels of snapshot ``at`` as values of the voxels of an image, in µm."""
    nz, ny, nx = run.grid.shape
    image = pyvista.ImageData(
        dimensions=(nx + 1, ny + 1, nz + 1), spacing=(run.grid.spacing_um,) * 3, origin=(0.0, 0.0, 0.0)
    )
    for group in _GROUPS:
        dataset = run.dataset(group)
        for name in dataset.data_vars:
            values = dataset[name].isel(time=at)
            label = f"{group}/{name} ({values.attrs['units']})"
            image.cell_data[label] = values.to_numpy().reshape(-1)  # x runs fastest in both
    return image


def cells_as_points(run: Run, minutes: float) -> pyvista.PolyData:
    """Return the cells of a snapshot as points, in µm, with all their columns; words as codes named in field data."""
    cells = run.cells(minutes)
    points = pyvista.PolyData(cells[["x", "y", "z"]].to_numpy(float))
    for name in cells.columns.drop(["x", "y", "z"]):
        column = cells[name]
        if column.dtype.name == "category":
            points.point_data[name] = column.cat.codes.to_numpy(np.int16)
            points.field_data[f"{name}_names"] = [str(word) for word in column.cat.categories]
        else:
            points.point_data[name] = column.to_numpy()
    return points


def write(run: Run, out: Path, minutes: float | None = None) -> None:
    """Write a folder with ``fields.pvd`` and ``cells.pvd``, which ParaView opens, and the files they name.

    Parameters
    ----------
    minutes : float, optional
        Only the snapshot nearest to this time; default: all.
    """
    out.mkdir()
    chosen = range(len(run.snapshot_minutes)) if minutes is None else [run.snapshot_index(minutes)]
    files: dict[str, dict[float, str]] = {"fields": {}, "cells": {}}
    for at in chosen:
        time = float(run.snapshot_minutes[at])
        files["fields"][time], files["cells"][time] = f"fields_{at:04d}.vti", f"cells_{at:04d}.vtp"
        fields_as_image(run, at).save(out / files["fields"][time])
        cells_as_points(run, time).save(out / files["cells"][time])
    for name, by_time in files.items():
        (out / f"{name}.pvd").write_text(_collection(by_time), encoding="utf-8")


def _collection(by_time: dict[float, str]) -> str:
    """Return a ParaView collection; its times are minutes."""
    rows = (
        f'<DataSet timestep="{time:.17g}" part="0" file={quoteattr(file)}/>' for time, file in by_time.items()
    )
    body = "\n".join(rows)
    return f'<VTKFile type="Collection" version="0.1"><Collection>\n{body}\n</Collection></VTKFile>\n'
