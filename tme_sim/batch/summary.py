"""What a batch says in a few lines: means per arm and point, and where refinement stops changing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import pandas as pd

from tme_sim.batch.folder import Folder

_DEFAULT = "resistant_fraction"
_MOST_ROWS = 40


@dataclass(frozen=True)
class Converged:
    """How a measure answers to the last refinement of one key.

    Attributes
    ----------
    key, coarse, fine : str
        What was refined, and its last two values.
    change : float
        Of the mean, relative to the finer one.
    noise : float
        Standard error of that change.
    """

    measure: str
    key: str
    coarse: str
    fine: str
    change: float
    noise: float


def ends_of(folder: Folder, measures: Sequence[str] | None = None) -> Any:
    """Return one row per finished run: arm, replicate, swept settings as written, measures at its end."""
    with h5py.File(folder.results, "r", locking="best-effort") as file:
        group: Any = file["end"]
        chosen = [name for name in measures or reported(folder) if name in group]
        values = {name: group[name][()] for name in chosen}
        finished = np.isfinite(group["ended"][()])
    table = pd.DataFrame([{"arm": e.arm, "replicate": e.replicate, **e.point} for e in folder.entries()])
    for name in chosen:
        table[name] = values[name]
    return table[finished]


def reported(folder: Folder) -> list[str]:
    """Return the measures that the experiment reports: those it names, else all resistant fractions."""
    named = folder.read_manifest()["report"]
    if named:
        return list(named)
    with h5py.File(folder.results, "r", locking="best-effort") as file:
        group: Any = file["end"]
        found = [name for name in group if name.startswith(_DEFAULT)]
    return found or ["tumour_cells"]


def table_of(folder: Folder) -> Any:
    """Return means over replicates by arm and point, with the number of runs ``n``."""
    ends = ends_of(folder)
    keys = [name for name in ends if name == "arm" or "." in name]
    measures = [name for name in ends if name not in (*keys, "replicate")]
    grouped: Any = ends.groupby(keys, sort=False, dropna=False)
    return grouped[measures].mean().assign(n=grouped.size()).reset_index().head(_MOST_ROWS)


def convergence(folder: Folder, converge: Mapping[str, Sequence[str]]) -> list[Converged]:
    """Return for every reported measure and refined key how far the last refinement moved it."""
    ends = ends_of(folder)
    base = {key: values[0] for key, values in converge.items()}
    out = []
    for key, values in converge.items():
        if len(values) < 2:
            continue
        levels = [_at(ends, {**base, key: value}) for value in values[-2:]]
        for measure in reported(folder):
            if measure in ends:
                coarse, fine = (level[measure].to_numpy(float) for level in levels)
                out.append(Converged(measure, key, values[-2], values[-1], *_change(coarse, fine)))
    return out


def _at(ends: pd.DataFrame, point: Mapping[str, str]) -> Any:
    here = np.all([ends[key].to_numpy() == value for key, value in point.items()], axis=0)
    return ends[here]


def _change(coarse: np.ndarray, fine: np.ndarray) -> tuple[float, float]:
    """Return relative change of the mean, and its standard error; nan where there is nothing to compare."""
    scale = abs(float(np.mean(fine))) if len(fine) else np.nan
    if not len(coarse) or not scale > 0.0:
        return np.nan, np.nan
    error = np.sqrt(sum(np.var(x, ddof=1) / len(x) if len(x) > 1 else np.nan for x in (coarse, fine)))
    return float((np.mean(fine) - np.mean(coarse)) / scale), float(error / scale)
