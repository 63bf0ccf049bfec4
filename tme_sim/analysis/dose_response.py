"""Fits the four-parameter logistic to a dose response: IC50 with its interval."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from tme_sim.analysis.replicates import LEVEL


@dataclass(frozen=True)
class DoseResponse:
    """A fitted dose response.

    Attributes
    ----------
    top, bottom : float
        Response without drug and at unlimited dose, unit of the response.
    ic50, ic50_low, ic50_high : float
        Dose of half the effect with its confidence interval, unit of the dose; nan where not to be told.
    hill : float
        Steepness, positive.
    residual : float
        Standard deviation of the response about the curve.
    n : int
        Responses fitted.
    verdict : str
        Empty for a usable IC50, else why it is none.
    """

    top: float
    bottom: float
    ic50: float
    ic50_low: float
    ic50_high: float
    hill: float
    residual: float
    n: int
    verdict: str

    def at(self, dose: np.ndarray | float) -> np.ndarray:
        """Return the fitted response at a dose, float64, same shape."""
        return _logistic(np.asarray(dose, float), self.top, self.bottom, np.log(self.ic50), self.hill)


def fit_dose_response(dose: np.ndarray, response: np.ndarray, level: float = LEVEL) -> DoseResponse:
    """Fit response = bottom + (top − bottom) / (1 + (dose / IC50)^hill) by least squares.

    The interval of the IC50 is that of its logarithm, by the curvature at the optimum (`scipy.optimize.curve_fit`) and
    Student's t. It is withheld (`verdict` says why) where the doses cannot tell it: fewer than four doses, or no better
    fit than a constant (F test at the same level). `verdict` warns of an IC50 outside the doses given, or of too wide
    an interval.

    Parameters
    ----------
    dose : float64 (n,)
        Any unit, zero allowed, none negative.
    response : float64 (n,)
        Any unit; nan is left out.
    """
    dose, response = np.asarray(dose, float), np.asarray(response, float)
    known = np.isfinite(dose) & np.isfinite(response)
    dose, response = dose[known], response[known]
    positive = np.unique(dose[dose > 0.0])
    if len(np.unique(dose)) < 4 or len(dose) < 5:
        return _withheld(
            response, f"{len(np.unique(dose))} doses, {len(dose)} responses: too few for four numbers"
        )
    if np.ptp(response) == 0.0:
        return _withheld(response, "the response is the same at every dose")
    best, covariance = _least_squares(dose, response, positive)
    top, bottom, log_ic50, hill = best
    squares = float(np.sum((response - _logistic(dose, *best)) ** 2))
    total = float(np.sum((response - response.mean()) ** 2))
    free = len(response) - 4
    gain = (total - squares) / 3.0 / (squares / free) if squares > 0.0 else np.inf
    if stats.f.sf(gain, 3, free) > 1.0 - level:
        return _withheld(response, "no better than a constant: no dose response to be seen")
    half = float(stats.t.ppf(0.5 + level / 2.0, free) * np.sqrt(covariance[2, 2]))
    said = ""
    if not positive[0] <= np.exp(log_ic50) <= positive[-1]:
        said = f"IC50 lies outside the doses given, {positive[0]:g} to {positive[-1]:g}"
    elif not half < np.log(100.0):
        said = "the interval of the IC50 spans more than a factor of 100 to either side: add doses around it"
    with np.errstate(over="ignore"):
        low, high = float(np.exp(log_ic50 - half)), float(np.exp(log_ic50 + half))
    residual = float(np.sqrt(squares / free))
    numbers = (float(top), float(bottom), float(np.exp(log_ic50)), low, high, float(hill), residual)
    return DoseResponse(*numbers, len(response), said)


def _logistic(dose: np.ndarray, top: float, bottom: float, log_ic50: float, hill: float) -> np.ndarray:
    with np.errstate(divide="ignore", over="ignore"):
        return bottom + (top - bottom) / (1.0 + np.exp(hill * (np.log(dose) - log_ic50)))


def _least_squares(
    dose: np.ndarray, response: np.ndarray, positive: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best of several starts, and its covariance: the curve has local optima in IC50."""
    means = np.array([response[dose == d].mean() for d in np.unique(dose)])
    found: list[tuple[float, np.ndarray, np.ndarray]] = []
    lower = (-np.inf, -np.inf, np.log(positive[0] / 1e3), 0.1)
    upper = (np.inf, np.inf, np.log(positive[-1] * 1e3), 20.0)
    for start in np.linspace(np.log(positive[0]), np.log(positive[-1]), 5):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optimize.OptimizeWarning)
            try:
                best, covariance = optimize.curve_fit(
                    _logistic, dose, response, (means[0], means[-1], start, 1.0), bounds=(lower, upper)
                )
            except RuntimeError:  # this start does not converge; another may
                continue
        found.append((float(np.sum((response - _logistic(dose, *best)) ** 2)), best, covariance))
    if not found:
        return np.array([means[0], means[-1], np.log(positive).mean(), 1.0]), np.full((4, 4), np.inf)
    _, best, covariance = min(found, key=lambda item: item[0])
    return best, covariance


def _withheld(response: np.ndarray, why: str) -> DoseResponse:
    mean = float(response.mean()) if len(response) else np.nan
    spread = float(np.std(response, ddof=1)) if len(response) > 1 else np.nan
    return DoseResponse(mean, mean, np.nan, np.nan, np.nan, np.nan, spread, len(response), why)
