"""Drug held by a cell, the damage it does, and the survival of a cell under a reference exposure.

A drug enters and leaves a cell, damages it in the stages of the cycle in which it acts, damage is repaired or
kills with delay:

    dq/dt = k_in c − (k_out + k_met) q            q drug held, nM over the site; c drug outside, nM
    dx/dt = k_dam H(q) [stage sensitive] − k_rep x    x damage, dimensionless; H Hill response
    hazard = k_death x^m / (1 + x^m)

so that killing outlasts the exposure. The damage unit is the one at which half the maximal hazard is reached.
"""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.jit import kernel, parallel_kernel, prange

# Columns of the parameter array of one cell for one drug (all rates 1/min).
IN, OUT, DAMAGE, REPAIR, DEATH, ENTRY = 0, 1, 2, 3, 4, 5
N_PARAMETERS = 6

_G1_POINTS, _S_POINTS, _G2M_POINTS = 6, 4, 2


@kernel
def power(x: float, p: float) -> float:
    """Return x^p for x >= 0, with the exponents that rules use most special-cased."""
    if p == 1.0:
        return x
    if p == 2.0:
        return x * x
    if p == 4.0:
        return x * x * x * x
    if x <= 0.0:
        return 0.0
    return math.exp(p * math.log(x))


@kernel
def hill_fraction(x: float, half: float, p: float) -> float:
    """Return (x/half)^p / (1 + (x/half)^p)."""
    t = power(max(x, 0.0) / half, p)
    return t / (1.0 + t)


@kernel
def _residence(lo: float, hi: float, start: float, length: float, period: float) -> float:
    """Return how long the interval [lo, hi] overlaps the windows start + i·period … + length, i = 0, 1, …"""
    overlap = 0.0
    begin = start
    while begin < hi:
        overlap += max(0.0, min(hi, begin + length) - max(lo, begin))
        begin += period
    return overlap


@kernel
def _log_survival(
    p: np.ndarray, dose: float, on_min: float, total_min: float, half: float, hill: float, lethal: float,
    window_start: float, window_len: float, period: float, always: bool, dt: float,
) -> float:
    """Return the log survival of one cell whose sensitive windows are known."""
    loss = p[OUT]
    held, damage, hazard = 0.0, 0.0, 0.0
    steps = int(round(total_min / dt))
    keep_held = math.exp(-loss * dt)
    keep_damage = math.exp(-p[REPAIR] * dt)
    steady = p[IN] * dose / loss if loss > 0.0 else 0.0
    for i in range(steps):
        t = i * dt
        outside = steady if t < on_min else 0.0
        held = outside + (held - outside) * keep_held
        share = 1.0 if always else _residence(t, t + dt, window_start, window_len, period) / dt
        gain = p[DAMAGE] * share * hill_fraction(held, half, hill)
        damage = damage * keep_damage + gain * dt
        x = power(damage, lethal)
        hazard += p[DEATH] * dt * x / (1.0 + x)
    return -hazard


@kernel
def survival_of_cell(
    p: np.ndarray, dose: float, on_min: float, total_min: float, half: float, hill: float, lethal: float,
    s_min: float, g2m_min: float, acts: np.ndarray, dt: float,
) -> float:
    """Return the survival of one cell, averaged over the stationary cell cycle.

    G1 is left at the rate ``p[ENTRY]``, S and G2M last ``s_min`` and ``g2m_min``; starting points are taken in
    proportion to the time spent in each stage, with equal quantiles inside a stage.
    """
    if acts[0] and acts[1] and acts[2]:
        return math.exp(_log_survival(p, dose, on_min, total_min, half, hill, lethal, 0.0, 0.0, 1.0, True, dt))
    g1_min = 1.0 / p[ENTRY] if p[ENTRY] > 1e-9 else 1e9
    period = g1_min + s_min + g2m_min
    total = 0.0
    for stage in range(3):
        points = _G1_POINTS if stage == 0 else (_S_POINTS if stage == 1 else _G2M_POINTS)
        share = (g1_min if stage == 0 else (s_min if stage == 1 else g2m_min)) / period
        for i in range(points):
            u = (i + 0.5) / points
            if stage == 0:
                to_s = -g1_min * math.log(1.0 - u)
            elif stage == 1:
                to_s = -s_min * u
            else:
                to_s = g2m_min * (1.0 - u) + g1_min
            # One or two stages of a circle of three: one window, which begins with the first of them.
            if acts[1] and not acts[0]:
                start, length = to_s, s_min + (g2m_min if acts[2] else 0.0)
            elif acts[2] and not acts[1]:
                start, length = to_s + s_min, g2m_min + (g1_min if acts[0] else 0.0)
            else:
                start, length = to_s + s_min + g2m_min, g1_min + (s_min if acts[1] else 0.0)
            total += share / points * math.exp(
                _log_survival(
                    p, dose, on_min, total_min, half, hill, lethal, start - _back(start, length, period), length, period,
                    False, dt,
                )
            )
    return total


@kernel
def _back(start: float, length: float, period: float) -> float:
    """Return how far to shift a window back by whole periods so that none before it touches t >= 0."""
    shift = 0.0
    while start - shift - period + length > 0.0:
        shift += period
    return shift


@parallel_kernel
def survival(
    parameters: np.ndarray, dose: float, on_min: float, total_min: float, half: float, hill: float, lethal: float,
    s_min: np.ndarray, g2m_min: np.ndarray, acts: np.ndarray, dt_min: float, out_survival: np.ndarray,
) -> None:
    """Survival of every cell under a square reference exposure.

    Parameters
    ----------
    parameters : float64 (n, 6)
        Influx, total loss (efflux and metabolism), damage, repair, death and cycle-entry rates, 1/min.
    dose, on_min, total_min : float
        Drug outside (nM) for ``on_min`` minutes, survival counted after ``total_min``.
    half, hill, lethal : float
        Half-maximal drug held (nM), its Hill power, the Hill power of death on damage.
    s_min, g2m_min : float64 (n,)
        Waiting times of S and G2M, minutes.
    acts : bool (3,)
        In which of G1, S, G2M the drug does damage; at least one.
    out_survival : float64 (n,)
    """
    for i in prange(parameters.shape[0]):
        out_survival[i] = survival_of_cell(
            parameters[i], dose, on_min, total_min, half, hill, lethal, s_min[i], g2m_min[i], acts, dt_min
        )
