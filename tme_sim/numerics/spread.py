"""Heritable distributions: a standard normal score and the value it stands for."""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri

LOGNORMAL, NORMAL, BETA, FIXED = 0, 1, 2, 3


def scores(uniform: np.ndarray) -> np.ndarray:
    """Return standard normal scores of uniform numbers in [0, 1), float64 (n,), all finite."""
    return ndtri(np.clip(uniform, 2.0**-54, 1.0 - 2.0**-53))


def inherit(mother: np.ndarray, fresh: np.ndarray, heritability: float) -> np.ndarray:
    """Return scores correlated with the mother's by ``heritability``; the distribution stays standard normal."""
    return heritability * mother + np.sqrt(1.0 - heritability**2) * fresh


def value_of(score: np.ndarray, kind: int, a: float, b: float, low: float, high: float) -> np.ndarray:
    """Return the values that standard normal scores stand for, float64 (n,).

    Parameters
    ----------
    score : float64 (n,)
    kind : int
        LOGNORMAL: exp(b score), median 1. NORMAL: mean a, standard deviation b, truncated to [low, high].
        BETA: shape a, b, stretched over [low, high]. FIXED: a.
    """
    if kind == LOGNORMAL:
        return np.exp(b * score)
    if kind == NORMAL:
        below, above = ndtr((low - a) / b), ndtr((high - a) / b)
        return np.clip(a + b * ndtri(below + ndtr(score) * (above - below)), low, high)
    if kind == BETA:
        return low + (high - low) * betaincinv(a, b, ndtr(score))
    return np.full(len(score), a)
