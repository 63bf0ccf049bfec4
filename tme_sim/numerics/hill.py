"""The Hill response and its power term."""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.jit import kernel


@kernel
def power_term(signal, half_max, power):
    """Return (max(signal, 0) / half_max) ** power.

    Parameters
    ----------
    signal, half_max : float64
        In the same unit; half_max > 0.
    power : float64
        Hill power, > 0.

    Returns
    -------
    float64
        Dimensionless, 0 for signals at or below 0.
    """
    if signal <= 0.0:
        return 0.0
    x = signal / half_max
    if power == 1.0:
        return x
    if power == 2.0:
        return x * x
    if power == 1.5:
        return x * math.sqrt(x)
    if power == 4.0:
        y = x * x
        return y * y
    return math.exp(power * math.log(x))


@kernel
def hill(signal, half_max, power):
    """Return t / (1 + t) with t = `power_term`: 0 without signal, 1/2 at half_max, 1 at most.

    Parameters
    ----------
    signal, half_max : float64
        In the same unit; half_max > 0.
    power : float64
        Hill power, > 0.

    Returns
    -------
    float64
        In [0, 1].
    """
    t = power_term(signal, half_max, power)
    if t == math.inf:
        return 1.0
    return t / (1.0 + t)


@kernel
def hills(signals, half_max, power):
    """Return `hill` of every signal, float64 (n,)."""
    out = np.empty(len(signals))
    for i in range(len(signals)):
        out[i] = hill(signals[i], half_max, power)
    return out
