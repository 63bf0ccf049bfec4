"""Writes one snapshot as SpatialData: fields as an image, cells as circles, and their table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from spatialdata import SpatialData
from spatialdata.models import (
    Image2DModel,
    Image3DModel,
    ShapesModel,
    TableModel,
)
from spatialdata.transformations import Identity, Scale

from tme_sim.analysis.export.to_anndata import cells_as_anndata

if TYPE_CHECKING:
    from tme_sim.record.reader import Run

_CELLS = "cells"


def snapshot_as_spatialdata(run: Run, minutes: float | None = None) -> SpatialData:
    """Return ``images["fields"]`` (c, [z,] y, x), ``shapes["cells"]`` and ``tables["table"]``, all in µm.

    Parameters
    ----------
    minutes : float, optional
        The nearest snapshot is taken; default: the last.
    """
    table = cells_as_anndata(run, minutes)
    flat, spacing = run.grid.shape[0] == 1, run.grid.spacing_um
    axes = ("x", "y") if flat else ("x", "y", "z")
    names = [*run.layout.fields, *run.layout.pools]
    planes = [run.field(name, minutes) for name in run.layout.fields]
    planes += [run.pool(name, minutes) for name in run.layout.pools]
    image = np.stack(planes)[:, 0] if flat else np.stack(planes)
    to_um = Scale([spacing] * len(axes), axes)
    model: Any = Image2DModel if flat else Image3DModel
    fields = model.parse(image, c_coords=names, transformations={"global": to_um})
    circles: Any = ShapesModel.parse(
        table.obsm["spatial"], geometry=0, radius=0.5 * spacing, index=table.obs["id"].to_numpy(),
        transformations={"global": Identity()},
    )  # fmt: skip
    table.obs["region"] = _CELLS
    table.obs["region"] = table.obs["region"].astype("category")
    parsed = TableModel.parse(table, region=_CELLS, region_key="region", instance_key="id")
    return SpatialData(images={"fields": fields}, shapes={_CELLS: circles}, tables={"table": parsed})


def write(run: Run, out: Path, minutes: float | None = None) -> None:
    """Write one snapshot as a SpatialData folder."""
    snapshot_as_spatialdata(run, minutes).write(out)
