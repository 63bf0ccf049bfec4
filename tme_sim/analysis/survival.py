"""Time to progression by arm: Kaplan-Meier curves and log-rank tests, by lifelines."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from tme_sim.analysis.replicates import LEVEL
from tme_sim.analysis.verdict import verdict
from tme_sim.measures.response import respond


@dataclass(frozen=True)
class Survival:
    """Kaplan-Meier curves.

    Attributes
    ----------
    curves : DataFrame
        ``arm``, ``minutes``, ``free`` (share without progression) with ``low`` and ``high``, ``at_risk``.
    arms : DataFrame
        By arm: ``n``, ``progressed``, ``median_min`` with ``low_min`` and ``high_min`` (inf where not reached), ``p``
        of the log-rank test against the control (nan for the control itself), ``p_adjusted`` (false discovery rate,
        Benjamini and Hochberg), ``verdict``.
    """

    curves: pd.DataFrame
    arms: pd.DataFrame


def times_to_progression(
    minutes: np.ndarray, diameter: np.ndarray, start_min: float, until_min: float | None = None
) -> pd.DataFrame:
    """Return ``minutes`` from the start of treatment and whether the tumour ``progressed`` then, one row per run.

    A run without progression is censored at its end; a tumour that died out stays without progression until
    ``until_min``. Runs without a tumour at the start, or without a time after it, get nan.

    Parameters
    ----------
    minutes : float64 (n_times,)
    diameter : float64 (n_runs, n_times)
        Diameters in any unit, nan after a run's end (`measures.shape.equivalent_diameter`).
    start_min : float
        Start of treatment.
    until_min : float, optional
        End of the experiment; default: the last time.
    """
    until = float(minutes[-1]) if until_min is None else until_min
    rows = []
    for series in np.atleast_2d(diameter):
        known = np.isfinite(series)
        try:
            response = respond(minutes[known], series[known], start_min, np.inf)
        except ValueError:
            rows.append((np.nan, False))
            continue
        progressed = bool(np.isfinite(response.progression_min))
        end = until if series[known][-1] == 0.0 else float(minutes[known][-1])
        rows.append((response.progression_min if progressed else end - start_min, progressed))
    return pd.DataFrame(rows, columns=pd.Index(["minutes", "progressed"]))


def kaplan_meier(
    minutes: Sequence[float] | np.ndarray,
    progressed: Sequence[bool] | np.ndarray,
    arm: Sequence[str] | np.ndarray,
    control: str,
    level: float = LEVEL,
) -> Survival:
    """Estimate the share without progression over time, by arm.

    Parameters
    ----------
    minutes, progressed, arm : (n_runs,)
        Time to progression or censoring, whether it was progression, and the arm; runs with nan are left out.
    control : str
        Arm that the others are tested against; runs are taken as independent, which is conservative for runs that
        share their seed.
    """
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    frame: Any = pd.DataFrame({"minutes": minutes, "progressed": progressed, "arm": arm})
    frame = frame[np.isfinite(frame["minutes"].to_numpy(float))]
    curves, rows = [], []
    of_control = frame[frame["arm"] == control]
    for name in dict.fromkeys(frame["arm"]):
        of_arm = frame[frame["arm"] == name]
        fit = KaplanMeierFitter(alpha=1.0 - level).fit(of_arm["minutes"], of_arm["progressed"])
        bounds = fit.confidence_interval_
        times = fit.survival_function_.index.to_numpy(float)
        curves.append(
            pd.DataFrame(
                {
                    "arm": name,
                    "minutes": times,
                    "free": fit.survival_function_.iloc[:, 0].to_numpy(float),
                    "low": bounds.iloc[:, 0].to_numpy(float),
                    "high": bounds.iloc[:, 1].to_numpy(float),
                    "at_risk": fit.event_table["at_risk"].to_numpy(int),
                }
            )
        )
        median: Any = median_survival_times(bounds)
        low, high = median.to_numpy(float).ravel()
        p = np.nan if name == control or of_control.empty else _log_rank(of_arm, of_control)
        n = len(of_arm)
        told = {
            "n": n,
            "progressed": int(of_arm["progressed"].sum()),
            "median_min": fit.median_survival_time_,
        }
        rows.append({"arm": name, **told, "low_min": low, "high_min": high, "p": p, "verdict": verdict(n)})
    columns = ["arm", "n", "progressed", "median_min", "low_min", "high_min", "p", "p_adjusted", "verdict"]
    empty = pd.DataFrame(columns=pd.Index(["arm", "minutes", "free", "low", "high", "at_risk"]))
    together = pd.concat(curves, ignore_index=True) if curves else empty
    arms: Any = pd.DataFrame(rows, columns=pd.Index(columns))
    tested = arms["p"].notna()
    if tested.any():
        arms.loc[tested, "p_adjusted"] = stats.false_discovery_control(arms.loc[tested, "p"].to_numpy(float))
    return Survival(together, arms)


def _log_rank(left: Any, right: Any) -> float:
    """Return the p value; nan where nothing progressed in either arm."""
    from lifelines.statistics import logrank_test

    if not (left["progressed"].any() or right["progressed"].any()):
        return float("nan")
    with warnings.catch_warnings():  # lifelines calls pandas in a way that pandas will drop
        warnings.simplefilter("ignore")
        return float(
            logrank_test(left["minutes"], right["minutes"], left["progressed"], right["progressed"]).p_value
        )
