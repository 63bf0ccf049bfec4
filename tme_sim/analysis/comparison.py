"""Compares arms with the control, pair by pair: replicates with the same number share their seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

from tme_sim.analysis.replicates import LEVEL, mean_and_interval
from tme_sim.analysis.verdict import ENOUGH, verdict


def compare_with_control(
    table: Any,
    measures: Sequence[str],
    control: str,
    keys: Sequence[str] = (),
    level: float = LEVEL,
    over: Sequence[str] = (),
) -> pd.DataFrame:
    """Return paired differences of every arm from the control, one row per arm, point and measure.

    Columns: ``arm``, the keys, ``measure``, ``control_mean``, ``arm_mean``, ``difference`` (arm minus control) with
    ``low`` and ``high``, ``effect`` (Cohen's d_z: mean difference over the standard deviation of differences) with
    ``effect_low`` and ``effect_high``, ``p`` (paired t test), ``p_rank`` (exact signed-rank test, nan below
    6 pairs), ``p_adjusted`` (`p` of this table held at a false discovery rate, Benjamini and Hochberg), ``n`` pairs,
    ``verdict``.

    Parameters
    ----------
    table : DataFrame
        One row per run with ``arm``, ``replicate``, keys and measures, as `Batch.table` gives it.
    control : str
        Name of the control arm.
    keys : sequence of str
        Swept keys: arms are compared at each point apart.
    over : sequence of str
        Swept keys over whose points, where both arms have them, each replicate is averaged: points share the seed of
        their replicate, and differences that share luck are no independent pairs.

    Raises
    ------
    ValueError
        When no run of the control is there.
    """
    if control not in set(table["arm"]):
        raise ValueError(f"no finished run of the control arm {control!r}")
    rows = []
    groups: Any = [((), table)] if not keys else table.groupby(list(keys), sort=False, dropna=False)
    for point, runs in groups:
        at = dict(zip(keys, point, strict=True))
        for arm in dict.fromkeys(runs["arm"]):
            if arm == control:
                continue
            for measure in measures:
                of_arm, of_control = pairs(runs, measure, str(arm), control, over)
                rows.append({"arm": arm, **at, "measure": measure, **_compare(of_arm, of_control, level)})
    out: Any = pd.DataFrame(rows, columns=pd.Index(["arm", *keys, "measure", *_COLUMNS]))
    tested: Any = out["p"].notna().to_numpy()
    out["p_adjusted"] = np.nan
    if tested.any():
        out.loc[tested, "p_adjusted"] = stats.false_discovery_control(out.loc[tested, "p"].to_numpy(float))
    return out


def pairs(
    table: Any, measure: str, arm: str, control: str, over: Sequence[str] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Return a measure in an arm and in the control for the replicates that both have, float64 (n_pairs,) each.

    ``over`` names swept keys: each replicate is then averaged over the points that it has in both arms.
    """
    by = ["replicate", *over]
    sides = [
        table[table["arm"] == name].groupby(by, sort=False, dropna=False)[measure].mean()
        for name in (arm, control)
    ]
    both: Any = pd.concat(sides, axis=1, keys=["arm", "control"]).dropna().groupby(level=0).mean()
    return both["arm"].to_numpy(float), both["control"].to_numpy(float)


_COLUMNS = (
    "control_mean", "arm_mean", "difference", "low", "high", "effect", "effect_low", "effect_high", "p", "p_rank",
    "n", "verdict",
)  # fmt: skip


def _compare(of_arm: np.ndarray, of_control: np.ndarray, level: float) -> dict[str, float | int | str]:
    differences = of_arm - of_control
    n = len(differences)
    mean, low, high = mean_and_interval(differences, level)
    spread = float(np.std(differences, ddof=1)) if n > 1 else np.nan
    varies = n > 1 and spread > 1e-12 * max(abs(mean), 1e-300)
    effect, effect_low, effect_high = standardised(differences, level) if varies else (np.nan,) * 3
    said = verdict(n)
    if n > 1 and not varies:
        said = "; ".join(filter(None, ["all pairs differ by the same amount: no test applies", said]))
    return {
        "control_mean": float(of_control.mean()) if n else np.nan,
        "arm_mean": float(of_arm.mean()) if n else np.nan,
        "difference": mean,
        "low": low,
        "high": high,
        "effect": effect,
        "effect_low": effect_low,
        "effect_high": effect_high,
        "p": _p(stats.ttest_rel(of_arm, of_control)) if varies else np.nan,
        "p_rank": _p(stats.wilcoxon(differences)) if varies and n >= ENOUGH else np.nan,
        "n": n,
        "verdict": said,
    }


def _p(test: Any) -> float:
    return float(test.pvalue)


def standardised(differences: np.ndarray, level: float = LEVEL) -> tuple[float, float, float]:
    """Return Cohen's d_z of paired differences with its interval, from the noncentral t distribution.

    Parameters
    ----------
    differences : float64 (n,)
        At least two, not all equal.

    Notes
    -----
    Source: Cumming and Finch 2001, doi:10.1177/0013164401614002: the bounds are those noncentralities at which the
    observed t would be just as extreme as the level allows. Exact for normal differences.
    """
    n = len(differences)
    test: Any = stats.ttest_1samp(differences, 0.0)
    t = float(test.statistic)
    size = abs(t)  # scipy's distribution loses its tail for negative t: work out the mirror image

    lowest = -float(
        stats.norm.isf(0.5 - level / 2.0)
    )  # at t = 0 the lower bound is this, for larger t it is above

    def bound(tail: float) -> float:
        root: Any = optimize.brentq(
            lambda c: stats.nct.cdf(size, n - 1, c) - tail, lowest - 1.0, 3.0 * size + 10.0
        )
        return float(root) / float(np.sqrt(n))

    low, high = bound(0.5 + level / 2.0), bound(0.5 - level / 2.0)
    effect = size / float(np.sqrt(n))
    return (effect, low, high) if t >= 0.0 else (-effect, -high, -low)
