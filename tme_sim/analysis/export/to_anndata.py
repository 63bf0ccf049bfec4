"""Writes the cells of a snapshot as AnnData, as scanpy and squidpy expect spatial data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from tme_sim.record.reader import Run

_KINDS = (
    ("held_", "cargo held"),
    ("docked_", "vesicles docked"),
    ("drug_", "drug held"),
    ("damage_", "drug damage"),
)


def cells_as_anndata(run: Run, minutes: float | None = None) -> anndata.AnnData:
    """Return the living cells and remains of one snapshot.

    ``X`` (float32, cells × features): intracellular variables, cargo held, vesicles docked, drug held, damage; ``var``
    has their ``kind``, ``unit`` and ``meaning``. ``obs``: everything else of a cell, and the fields at its site.
    Positions in µm lie in ``obsm["spatial"]``, two columns for a section, three for a volume; ``uns["tme_sim"]`` says
    where all comes from.

    Parameters
    ----------
    minutes : float, optional
        The nearest snapshot is taken; default: the last.
    """
    cells = run.cells(minutes)
    kinds = {name: "variable" for name in run.layout.variables}
    for prefix, kind in _KINDS:
        kinds |= {str(name): kind for name in cells if str(name).startswith(prefix)}
    features = [name for name in cells if name in kinds]
    units, meanings = cells.attrs["units"], cells.attrs["long_names"]
    var = pd.DataFrame(
        {
            "kind": pd.Categorical([kinds[name] for name in features]),
            "unit": [units[name] for name in features],
            "meaning": [meanings[name] for name in features],
        },
        index=pd.Index(features, name="feature"),
    )
    obs = cells.drop(columns=[*features, "x", "y", "z"])
    for name in run.layout.fields:
        obs[f"field_{name}"] = run.field(name, minutes).reshape(-1)[obs["site"].to_numpy()]
    obs.index = pd.Index([f"cell{number}" for number in obs["id"]], name="cell")
    obs.attrs.clear()
    axes = ["x", "y"] if run.grid.shape[0] == 1 else ["x", "y", "z"]
    at = float(run.snapshot_minutes[run.snapshot_index(minutes)])
    told = {name: run.attributes[name] for name in ("run_id", "title", "source", "numerics_version")}
    facts = {**told, "seed": str(run.seed), "time_min": at, "spacing_um": run.grid.spacing_um}
    positions: Any = {"spatial": cells[axes].to_numpy(float)}
    return anndata.AnnData(
        X=cells[features].to_numpy(np.float32),
        obs=obs,
        var=var,
        obsm=positions,
        uns={"tme_sim": {**facts, "scenario": run.scenario_yaml}},
    )


def write(run: Run, out: Path, minutes: float | None = None) -> None:
    """Write the cells of one snapshot as an ``.h5ad`` file."""
    cells_as_anndata(run, minutes).write_h5ad(out, compression="gzip")
