"""Which swept parameters move a measure, and by how much: tornado tables and Sobol indices, by scipy and SALib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from tme_sim.analysis.replicates import LEVEL

# Fewer distinct points than this per parameter, and an index says more about noise than about the model: the rule of
# thumb of ten points per dimension (Loeppky et al. 2009, doi:10.1198/TECH.2009.08040).
POINTS_PER_KEY = 10
FEWEST_POINTS = 32  # eight for each of four harmonics, which hold what a smooth response has


def tornado(table: Any, keys: Sequence[str], measure: str, level: float = LEVEL) -> pd.DataFrame:
    """Return one row per parameter, the strongest first.

    Columns: ``key``; ``from`` and ``to``, means of the parameter over its lowest and highest quarter of runs; ``low``
    and ``high``, means of the measure there; ``swing``, their difference; ``rank_correlation`` (Spearman) with
    ``correlation_low`` and ``correlation_high``; ``n`` runs; ``verdict``.

    Parameters
    ----------
    table : DataFrame
        One row per run; several parameters may vary at once, drawn or crossed.
    keys : sequence of str
        Columns of numbers.
    measure : str
        Column to explain; runs with nan are left out.
    """
    known = table[np.isfinite(table[measure].to_numpy(float))]
    values = known[measure].to_numpy(float)
    rows = []
    for key in keys:
        parameter = known[key].to_numpy(float)
        n, distinct = len(values), len(np.unique(parameter))
        if n < 4 or distinct < 2:
            rows.append({"key": key, "n": n, "verdict": "too few runs or values: nothing can be said"})
            continue
        lowest = parameter <= np.quantile(parameter, 0.25)
        highest = parameter >= np.quantile(parameter, 0.75)
        low, high = float(values[lowest].mean()), float(values[highest].mean())
        varies = bool(np.ptp(values) > 0.0)
        ranks: Any = stats.pearsonr(stats.rankdata(parameter), stats.rankdata(values)) if varies else None
        bounds = ranks.confidence_interval(level) if ranks is not None else (np.nan, np.nan)
        rows.append(
            {
                "key": key,
                "from": float(parameter[lowest].mean()),
                "to": float(parameter[highest].mean()),
                "low": low,
                "high": high,
                "swing": high - low,
                "rank_correlation": float(ranks.statistic) if ranks is not None else np.nan,
                "correlation_low": float(bounds[0]),
                "correlation_high": float(bounds[1]),
                "n": n,
                "verdict": _enough(n, len(keys)),
            }
        )
    out = pd.DataFrame(rows, columns=pd.Index(_TORNADO))
    return out.sort_values("swing", key=lambda swing: -np.abs(swing), kind="stable", ignore_index=True)


_TORNADO = (
    "key", "from", "to", "low", "high", "swing", "rank_correlation", "correlation_low", "correlation_high", "n",
    "verdict",
)  # fmt: skip


def first_order(
    table: Any, keys: Sequence[str], measure: str, level: float = LEVEL, seed: int = 0
) -> pd.DataFrame:
    """Return first-order Sobol indices from any drawn design: ``key``, ``S1``, ``S1_conf``, ``n``, ``verdict``.

    Works on Latin hypercube and Sobol sequence draws (random balance designs, `SALib.analyze.rbd_fast`). Replicates of
    a point are averaged first. `sobol_indices` needs a design of its own and gives total indices too.

    Parameters
    ----------
    seed : int
        Of the bootstrap behind ``S1_conf``, the half-width of the interval.
    """
    from SALib.analyze import rbd_fast

    known = table[np.isfinite(table[measure].to_numpy(float))]
    points = known.groupby(list(keys), sort=False, as_index=False)[measure].mean()
    n, y = len(points), points[measure].to_numpy(float)
    indices = pd.DataFrame(
        {"key": list(keys), "S1": np.nan, "S1_conf": np.nan, "n": n, "verdict": _enough(n, len(keys))}
    )
    if n < FEWEST_POINTS:
        return indices.assign(verdict=f"{n} points, {FEWEST_POINTS} are the least: nothing can be said")
    if np.ptp(y) == 0.0:
        return indices.assign(verdict="no variation: nothing can be said")
    # The bootstrap halves the points; its correction for bias divides by zero where a half has twice as many points as
    # harmonics, and below that every half explains everything, which passes for an interval without width.
    harmonics = min(10, n // 8)
    x = points[list(keys)].to_numpy(float)
    found = rbd_fast.analyze(_problem(keys, x), x, y, M=harmonics, conf_level=level, seed=seed)
    return indices.assign(S1=np.asarray(found["S1"], float), S1_conf=np.asarray(found["S1_conf"], float))


def sobol_design(ranges: Mapping[str, tuple[float, float]], n: int, seed: int = 0) -> pd.DataFrame:
    """Return the design that `sobol_indices` needs, n (d + 2) rows; write it as the CSV of a sweep's ``table``.

    Parameters
    ----------
    ranges : mapping
        Lowest and highest value by swept key.
    n : int
        A power of two.
    """
    from SALib.sample import sobol

    keys = list(ranges)
    problem = {"num_vars": len(keys), "names": keys, "bounds": [list(ranges[key]) for key in keys]}
    return pd.DataFrame(sobol.sample(problem, n, calc_second_order=False, seed=seed), columns=pd.Index(keys))


def sobol_indices(
    design: pd.DataFrame, values: np.ndarray, level: float = LEVEL, seed: int = 0
) -> pd.DataFrame:
    """Return first-order and total Sobol indices: ``key``, ``S1``, ``S1_conf``, ``ST``, ``ST_conf``.

    Parameters
    ----------
    design : DataFrame
        As `sobol_design` made it, in its order.
    values : float64 (n_rows,)
        The measure for each row (mean over its replicates), none missing.

    Raises
    ------
    ValueError
        When values are missing, or their number is not that of such a design.
    """
    from SALib.analyze import sobol

    values = np.asarray(values, float)
    keys = [str(key) for key in design.columns]
    if len(values) != len(design) or len(values) % (len(keys) + 2):
        raise ValueError(
            f"{len(values)} values for {len(design)} points; expected n (d + 2) of each, d = {len(keys)}"
        )
    if not np.isfinite(values).all():
        missing = np.flatnonzero(~np.isfinite(values))
        raise ValueError(
            f"no value for row {missing[0]} and {len(missing) - 1} others; Sobol indices need all"
        )
    problem = _problem(keys, design.to_numpy(float))
    found = sobol.analyze(problem, values, calc_second_order=False, conf_level=level, seed=seed)
    return pd.DataFrame({"key": keys, **{name: np.asarray(found[name], float) for name in _SOBOL}})


_SOBOL = ("S1", "S1_conf", "ST", "ST_conf")


def _problem(keys: Sequence[str], x: np.ndarray) -> dict[str, object]:
    bounds = np.stack([x.min(axis=0), x.max(axis=0)], axis=1)
    return {"num_vars": len(keys), "names": list(keys), "bounds": bounds.tolist()}


def _enough(n: int, n_keys: int) -> str:
    wanted = POINTS_PER_KEY * n_keys
    return "" if n >= wanted else f"{n} runs for {n_keys} parameters, {wanted} are the least: order uncertain"
