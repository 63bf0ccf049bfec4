"""Means over replicates with their interval, one row per arm, point and measure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from tme_sim.analysis.verdict import verdict

LEVEL = 0.95


def mean_and_interval(
    values: np.ndarray, level: float = LEVEL, *, share: bool = False
) -> tuple[float, float, float]:
    """Return the mean of independent values and its confidence interval (Student's t), nan below two values.

    Parameters
    ----------
    values : float (n,)
        Any unit; nan is left out.
    share : bool
        The mean is known to lie between 0 and 1, so its interval is cut there; it covers the truth as often.
    """
    found = np.asarray(values, float)
    found = found[np.isfinite(found)]
    if len(found) < 2:
        return (float(found[0]) if len(found) else np.nan), np.nan, np.nan
    mean = float(found.mean())
    if np.ptp(found) == 0.0:
        return mean, mean, mean
    low, high = stats.t.interval(level, len(found) - 1, loc=mean, scale=stats.sem(found))
    return (mean, max(float(low), 0.0), min(float(high), 1.0)) if share else (mean, float(low), float(high))


def summarise(
    table: Any,
    measures: Sequence[str],
    by: Sequence[str] = ("arm",),
    level: float = LEVEL,
    shares: Collection[str] = (),
) -> pd.DataFrame:
    """Return one row per group and measure: ``mean``, ``low``, ``high``, ``sd``, ``n``, ``verdict``.

    Parameters
    ----------
    table : DataFrame
        One row per run, as `Batch.table` gives it.
    measures : sequence of str
        Columns to average.
    by : sequence of str
        Columns that make the groups: ``arm`` and swept keys.
    shares : collection of str
        Measures that lie between 0 and 1.
    """
    rows = []
    for group, runs in table.groupby(list(by), sort=False, dropna=False):
        for measure in measures:
            values = runs[measure].to_numpy(float)
            values = values[np.isfinite(values)]
            mean, low, high = mean_and_interval(values, level, share=measure in shares)
            sd = float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
            told = {"mean": mean, "low": low, "high": high, "sd": sd, "n": len(values)}
            names = dict(zip(by, group, strict=True))
            rows.append({**names, "measure": measure, **told, "verdict": verdict(len(values))})
    columns = [*by, "measure", "mean", "low", "high", "sd", "n", "verdict"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def through_time(
    values: np.ndarray, groups: Sequence[str], level: float = LEVEL, *, share: bool = False
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Return mean, low, high and number of runs by group at every time, each (n_times,).

    Parameters
    ----------
    values : float64 (n_runs, n_times)
        One measure; nan where a run has none.
    groups : sequence of str, (n_runs,)
        Arm of every run.
    share : bool
        The measure lies between 0 and 1.
    """
    labels, out = np.asarray(groups, str), {}
    for name in dict.fromkeys(labels.tolist()):
        of_group = values[labels == name]
        n = np.isfinite(of_group).sum(axis=0)
        mean, error = np.full(len(n), np.nan), np.full(len(n), np.nan)
        mean[n > 0] = np.nanmean(of_group[:, n > 0], axis=0)
        error[n > 1] = stats.sem(of_group[:, n > 1], axis=0, nan_policy="omit")
        with np.errstate(invalid="ignore"):
            low, high = stats.t.interval(level, np.maximum(n - 1, 1), loc=mean, scale=error)
        if share:
            low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
        same = (n > 1) & (error == 0.0)
        out[name] = (mean, np.where(same, mean, low), np.where(same, mean, high), n)
    return out
