"""Binomial numbers from one uniform number each, by inversion."""

from __future__ import annotations

import math

from tme_sim.numerics.jit import kernel


@kernel
def binomial(n: int, hazard: float, u: float) -> int:
    """Return the smallest k with P(X <= k) >= u for X binomial (n, 1 - exp(-hazard)), by the rarer outcome.

    Where more than 40 of the rarer outcome are expected, the quantile is that of the normal distribution with
    the same mean and variance, corrected for skewness (Cornish & Fisher 1938) and rounded.
    """
    if n <= 0 or hazard <= 0.0:
        return 0
    mean = n * hazard
    if hazard < 0.5 and mean < 40.0:  # by far the most common case
        if 1.0 - mean >= u:
            return 0  # exp(-x) is at least 1 - x
        none = math.exp(-mean)
        return 0 if none >= u else _count_up(n, 1.0 - math.exp(-hazard), none, u)
    miss = math.exp(-hazard)
    if miss <= 0.0:
        return n
    if miss >= 0.5:
        return _rare_binomial(n, 1.0 - miss, -hazard, u)
    return n - _rare_binomial(n, miss, math.log1p(-miss), 1.0 - u)


@kernel
def _rare_binomial(n: int, p: float, log_miss: float, u: float) -> int:
    """Return the quantile of an outcome of probability p <= 1/2; ``log_miss`` is log(1 - p)."""
    mean = n * p
    if mean > 40.0:
        v = min(max(u, 1e-12), 1.0 - 1e-12)
        # Abramowitz & Stegun 26.2.23: |error| < 4.5e-4.
        t = math.sqrt(-2.0 * math.log(min(v, 1.0 - v)))
        z = t - (2.515517 + t * (0.802853 + 0.010328 * t)) / (
            1.0 + t * (1.432788 + t * (0.189269 + 0.001308 * t))
        )
        z = -z if v < 0.5 else z
        skew = (z * z - 1.0) * (1.0 - 2.0 * p) / 6.0
        return min(max(int(mean + z * math.sqrt(mean * (1.0 - p)) + skew + 0.5), 0), n)
    return _count_up(n, p, math.exp(n * log_miss), u)


@kernel
def _count_up(n: int, p: float, none: float, u: float) -> int:
    """Return the quantile by adding up probabilities from that of ``none``, no such outcome."""
    mean, odds, mass = n * p, p / (1.0 - p), none
    total, k = mass, 0
    while total < u and k < n:
        k += 1
        mass *= odds * (n - k + 1) / k
        if k > mean and total + mass == total:
            break
        total += mass
    return k
