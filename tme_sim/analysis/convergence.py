"""How measures answer to the refinement of one key at a time, step, domain or spacing, and to more replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tme_sim.analysis.replicates import LEVEL, mean_and_interval
from tme_sim.analysis.verdict import verdict
from tme_sim.record.manifest import REPLICATES, number_of

STOPPED, CHANGES, OPEN = "stopped changing", "still changes", "not to be told from these runs"


def refinements(
    table: Any,
    converge: Mapping[str, Sequence[Any]],
    measures: Sequence[str],
    tolerance: float,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return how each refinement of a key moved each measure, one row per arm, key, refinement and measure.

    Columns: ``arm, key, coarse, fine, measure``; ``coarse_mean, fine_mean``; ``change``, of the means, relative to the
    finer one, with its interval ``low, high`` (Student's t over pairs of runs with the same seed); ``n`` pairs;
    ``answer``, against the tolerance: the whole interval, or the change alone where there is none; ``verdict``.
    For the key ``replicates``: the first runs against these and some more; ``low, high`` is the interval of the mean of
    all of them about itself, since the ones are among the others, and ``n`` counts them.

    Parameters
    ----------
    table : DataFrame
        One row per finished run, as `Batch.table` gives it.
    converge : mapping
        By key its values as the table has them, coarse to fine; the first one holds while another key is refined.
    tolerance : float
        Relative change below which a measure counts as converged.
    """
    rows = []
    for arm, of_arm in table.groupby("arm", sort=False):
        for key, values in converge.items():
            for coarse, fine in zip(values, values[1:], strict=False):
                sides = (at_level(of_arm, converge, key, coarse), at_level(of_arm, converge, key, fine))
                judge = _more_runs if key == REPLICATES else _change
                for measure in measures:
                    told = {"arm": arm, "key": key, "coarse": coarse, "fine": fine, "measure": measure}
                    rows.append({**told, **judge(*sides, measure, tolerance, level)})
    columns = ("coarse_mean", "fine_mean", "change", "low", "high", "n", "answer", "verdict")
    return pd.DataFrame(rows, columns=pd.Index(["arm", "key", "coarse", "fine", "measure", *columns]))


def levels_of(table: Any, planned: Mapping[str, Sequence[str]]) -> dict[str, list[Any]]:
    """Return the values of every refined key, as an experiment writes them, as a table has them."""
    return {
        key: [int(text) if key == REPLICATES else _level(table[key].dtype.kind, text) for text in texts]
        for key, texts in planned.items()
    }


def _level(kind: str, text: str) -> Any:
    number = number_of(text) if kind in "fi" else None
    return text if number is None else number[0]


def at_level(table: Any, converge: Mapping[str, Sequence[Any]], key: str, value: Any) -> Any:
    """Return the runs with a key at a value and every other refined key at its first one; the first replicates."""
    point = {name: values[0] for name, values in converge.items()} | {key: value}
    here = table["replicate"].to_numpy() < (value if key == REPLICATES else np.inf)
    for name, at in point.items():
        if name != REPLICATES:
            here &= table[name].to_numpy() == at
    return table[here]


def _change(coarse: Any, fine: Any, measure: str, tolerance: float, level: float) -> dict[str, Any]:
    both: Any = coarse.merge(fine, on="replicate", suffixes=("_coarse", "_fine"))
    before, after = (both[f"{measure}_{side}"].to_numpy(float) for side in ("coarse", "fine"))
    known = np.isfinite(before) & np.isfinite(after)
    before, after = before[known], after[known]
    n = len(before)
    scale = abs(float(after.mean())) if n else 0.0
    change = low = high = np.nan
    if scale > 0.0:  # a change relative to nothing is none that a tolerance could judge
        change, low, high = (number / scale for number in mean_and_interval(after - before, level))
    return {
        "coarse_mean": float(before.mean()) if n else np.nan,
        "fine_mean": float(after.mean()) if n else np.nan,
        "change": change,
        "low": low,
        "high": high,
        "n": n,
        "answer": _answer(change, low, high, tolerance),
        "verdict": verdict(n),
    }


def _more_runs(fewer: Any, more: Any, measure: str, tolerance: float, level: float) -> dict[str, Any]:
    before, after = (runs[measure].to_numpy(float) for runs in (fewer, more))
    first, _, _ = mean_and_interval(before, level)
    mean, low, high = mean_and_interval(after, level)
    scale = abs(mean) if mean != 0.0 else np.nan
    change, above, n = (mean - first) / scale, (high - mean) / scale, int(np.isfinite(after).sum())
    return {
        "coarse_mean": first,
        "fine_mean": mean,
        "change": change,
        "low": (low - mean) / scale,
        "high": above,
        "n": n,
        "answer": STOPPED if above <= tolerance and abs(change) <= tolerance else OPEN,
        "verdict": verdict(n),
    }


def _answer(change: float, low: float, high: float, tolerance: float) -> str:
    if not np.isfinite(change):
        return OPEN
    if not np.isfinite(low):
        return STOPPED if abs(change) <= tolerance else CHANGES
    if -tolerance <= low and high <= tolerance:
        return STOPPED
    return CHANGES if low > tolerance or high < -tolerance else OPEN
