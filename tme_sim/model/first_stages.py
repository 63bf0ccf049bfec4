"""Cell-cycle stages of the first cells, spread as in a population that grows steadily."""

from __future__ import annotations

import numpy as np
from scipy.special import wrightomega

from tme_sim.numerics.philox import uniforms
from tme_sim.state.codes import G1, G2M, NO_CYCLE, STREAM_CYCLE, S

_DRAW = 1


def growth_rate(entry_per_min: float, timed_min: float) -> float:
    """Return the rate mu (1/min) at which cells multiply that leave G1 at a rate and S and G2M after a time.

    Solves mu + r = 2 r exp(-mu T): each cell that left G1 a time T ago has become two in G1.
    """
    if entry_per_min <= 0.0:
        return 0.0
    if timed_min <= 0.0:
        return entry_per_min
    rt = entry_per_min * timed_min
    # (mu + r) T = W(2 r T exp(r T)), W being Lambert's function; omega(z) = W(exp(z)).
    return float(wrightomega(np.log(2.0 * rt) + rt)) / timed_min - entry_per_min


def first_stages(
    lineage: np.ndarray,
    cell_type: np.ndarray,
    entry_per_min: np.ndarray,
    s_min: np.ndarray,
    g2m_min: np.ndarray,
    cycles: np.ndarray,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return stage and time left of the first cells, drawn from the stationary distribution of ages.

    Approximate where ``cycle entry`` is regulated or death depends on the stage: only the type's base rate is
    used.

    Parameters
    ----------
    lineage : uint64 (n,)
        Lineage keys.
    cell_type : int16 (n,)
        Index of the type.
    entry_per_min, s_min, g2m_min : float64 (n_types,)
        Base rate of leaving G1 (1/min) and waiting times (min).
    cycles : bool (n_types,)
        Types that cycle.
    seed : int
        Seed of the run.

    Returns
    -------
    stage : int8 (n,)
        codes.G1, S, G2M or NO_CYCLE.
    stage_left_min : float64 (n,)
        Minutes left in S or G2M, 0 otherwise.
    """
    stage = np.full(len(lineage), NO_CYCLE, np.int8)
    left = np.zeros(len(lineage))
    number = uniforms(seed, lineage, 0, STREAM_CYCLE, _DRAW)
    for t in np.flatnonzero(cycles):
        rows = np.flatnonzero(cell_type == t)
        age = _age_since_g1(number[rows], float(entry_per_min[t]), float(s_min[t] + g2m_min[t]))
        in_s = age < s_min[t]
        timed_left = np.where(in_s, s_min[t] - age, s_min[t] + g2m_min[t] - age)
        stage[rows] = np.where(age < 0.0, G1, np.where(in_s, S, G2M))
        left[rows] = np.where(age < 0.0, 0.0, timed_left)
    return stage, left


def _age_since_g1(number: np.ndarray, rate: float, timed_min: float) -> np.ndarray:
    """Return the time since leaving G1, -1 for cells in G1, of uniform numbers.

    Cells of age a number r N1 exp(-mu a), N1 being those in G1.
    """
    mu = growth_rate(rate, timed_min)
    if mu == 0.0 or timed_min == 0.0:
        return np.full(len(number), -1.0)
    older = rate / mu * -np.expm1(-mu * timed_min)
    part = number * (1.0 + older) - 1.0
    inside = np.maximum(part, 0.0) * mu / rate
    return np.where(part < 0.0, -1.0, np.minimum(-np.log1p(-inside) / mu, timed_min))
