"""Drug held by a cell, the damage it does, and the survival of a cell under a reference exposure.

A drug enters and leaves a cell, damages it in the stages of the cycle in which it acts, damage is repaired or
kills with delay:

    dq/dt = k_in c − (k_out + k_met) q            q drug held, nM over the site; c drug outside, nM
    dx/dt = k_dam H(q) [stage sensitive] − k_rep x    x damage, dimensionless; H Hill response
    hazard = k_death x^m / (1 + x^m)

so that killing outlasts the exposure. The damage unit is the one at which half the maximal hazard is reached.
Survival falls with the dose outside, so that the dose that half of the cells survive is found by bracketing.
"""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.hill import hill as hill_response
from tme_sim.numerics.hill import power_term
from tme_sim.numerics.jit import BLOCK, block_kernel, kernel

# Columns of the parameter array of one cell for one drug (all rates 1/min).
IN, OUT, DAMAGE, REPAIR, DEATH, ENTRY = 0, 1, 2, 3, 4, 5
N_PARAMETERS = 6

# Points of a Korobov lattice per starting stage, folded into a tent: what is left of the stage, and the next two G1
# phases. Against 4,096 points the log-kill is off by 1 % (root mean square), 3 % at most, however slowly cells cycle;
# half the points make it twice that, and doses at which kill hardly rises any more are off by a factor then.
_POINTS, _SECOND, _THIRD = 64, 17, 57
_SUBSTEPS = 4  # of a step, in which the drug held is followed
NO_CYCLE = 3  # place of cells that never cycle in `acts`, behind G1, S and G2M
_FOREVER = 1e12  # minutes
_SLOWEST = 1e-9  # 1/min; a cell that enters S more slowly stays in G1
# Search for the dose that half survive, in log dose: it ends in a bracket or with a step as short as these.
_LOG_HALF_KILL = math.log(math.log(2.0))  # logarithm of the log-kill of survival by one half
_NARROW, _SHORT = 0.03, 1e-3
_BEYOND = 1.3  # strides aim behind the answer, to have it in the bracket
_LEAST_STRIDE, _MOST_STRIDE = 0.02, 4.0
_NO_KILL = 1e-12  # log-kill that counts as none
_MOST_SEARCHES = 60


@kernel
def _damage_rates(
    p: np.ndarray, dose: float, on_min: float, half: float, hill: float, dt: float, out_rate: np.ndarray
) -> int:
    """Write the rate of damage in a sensitive cell, mean over each step (1/min); return how many steps matter.

    Drug held follows its equation exactly over substeps; once it has come to rest its response is kept, once it
    has gone the rest of ``out_rate`` is not written.
    """
    loss, sub = p[OUT], dt / _SUBSTEPS
    keep = math.exp(-loss * sub)
    held, response, at_rest = 0.0, 0.0, False
    for i in range(out_rate.shape[0]):
        total = 0.0
        for j in range(_SUBSTEPS):
            on = (i * _SUBSTEPS + j + 0.5) * sub < on_min
            goal = p[IN] * dose / loss if on and loss > 0.0 else 0.0
            before = held
            if loss > 0.0:
                held = goal + (held - goal) * keep
            elif on:
                held += p[IN] * dose * sub
            at_rest = at_rest and held == before
            if not at_rest:
                response = hill_response(0.5 * (held + before), half, hill)
                at_rest = abs(held - before) <= 1e-9 * half
            total += response
        out_rate[i] = p[DAMAGE] * total / _SUBSTEPS
        if i * dt >= on_min and response < 1e-6:
            return i + 1
    return out_rate.shape[0]


@kernel
def _tail_hazard(damage: float, minutes: float, repair: float, death: float, lethal: float) -> float:
    """Return the integral of the hazard while damage only decays: (k/(m r)) ln((1 + x₀^m)/(1 + x₁^m))."""
    first = power_term(damage, 1.0, lethal)
    if repair * minutes < 1e-9:
        return death * minutes * first / (1.0 + first)
    last = first * math.exp(-lethal * repair * minutes)
    return death / (lethal * repair) * math.log((1.0 + first) / (1.0 + last))


@kernel
def _hazard_of_path(
    p: np.ndarray,
    rate: np.ndarray,
    steps: int,
    total_min: float,
    lethal: float,
    stage: int,
    left: float,
    g1_first: float,
    g1_second: float,
    s_min: float,
    g2m_min: float,
    acts: np.ndarray,
    dt: float,
) -> float:
    """Return the cumulative hazard of one cell: it is in ``stage`` for ``left`` minutes, then cycles on.

    The G1 phases to come last ``g1_first``, ``g1_second``, and their mean from then on.
    """
    keep = math.exp(-p[REPAIR] * dt)
    per_step = (1.0 - keep) / p[REPAIR] if p[REPAIR] * dt > 1e-9 else dt
    g1_mean = 1.0 / max(p[ENTRY], _SLOWEST)
    g1_next, after = g1_first, g1_second
    end, damage, before, hazard = left, 0.0, 0.0, 0.0
    for i in range(steps):
        at, until, sensitive = i * dt, (i + 1) * dt, 0.0
        while end < until:
            if acts[stage]:
                sensitive += end - at
            at = end
            stage = (stage + 1) % 3
            if stage == 0:
                end += max(g1_next, 1.0)
                g1_next, after = after, g1_mean
            else:
                end += s_min if stage == 1 else g2m_min
        if acts[stage]:
            sensitive += until - at
        damage = damage * keep + rate[i] * per_step * sensitive / dt
        x = power_term(damage, 1.0, lethal)
        response = x / (1.0 + x)
        hazard += p[DEATH] * dt * 0.5 * (before + response)
        before = response
    return hazard + _tail_hazard(damage, total_min - steps * dt, p[REPAIR], p[DEATH], lethal)


@kernel
def _tent(x: float) -> float:
    """Return 1 − |2x − 1|: so folded, a lattice takes what is not periodic as if it were (Hickernell 2002)."""
    return 1.0 - abs(2.0 * x - 1.0)


@kernel
def survival_of_cell(
    p: np.ndarray,
    dose: float,
    on_min: float,
    total_min: float,
    half: float,
    hill: float,
    lethal: float,
    s_min: float,
    g2m_min: float,
    acts: np.ndarray,
    dt: float,
) -> float:
    """Return the survival of one cell, averaged over the stationary cell cycle.

    G1 is left at the rate ``p[ENTRY]``, S and G2M last ``s_min`` and ``g2m_min``; starting stages are taken in
    proportion to the time spent in each, and ``_POINTS`` points inside each stage
    choose what is left of it and the lengths of the next two G1 phases.
    """
    rate = np.empty(int(math.ceil(total_min / dt - 1e-9)))
    dt = total_min / len(rate)
    steps = _damage_rates(p, dose, on_min, half, hill, dt, rate)
    never = s_min + g2m_min <= 0.0
    if never or (acts[0] and acts[1] and acts[2]):
        stage = NO_CYCLE if never else 0
        return math.exp(
            -_hazard_of_path(
                p, rate, steps, total_min, lethal, stage, _FOREVER, 0.0, 0.0, s_min, g2m_min, acts, dt
            )
        )
    g1_min = 1.0 / max(p[ENTRY], _SLOWEST)
    period = g1_min + s_min + g2m_min
    # A cell that leaves G1 once the drug has gone fares like one that never does; points are spent on those before.
    soon = -math.expm1(-steps * dt / g1_min)
    stays = math.exp(
        -_hazard_of_path(p, rate, steps, total_min, lethal, 0, _FOREVER, 0.0, 0.0, s_min, g2m_min, acts, dt)
    )
    total = _POINTS * g1_min * (1.0 - soon) * stays
    for i in range(_POINTS):
        u = _tent((i + 0.25) / _POINTS)
        v = _tent((i * _SECOND + 0.25) / _POINTS % 1.0)
        w = _tent((i * _THIRD + 0.25) / _POINTS % 1.0)
        first, second = -g1_min * math.log(1.0 - v), -g1_min * math.log(1.0 - w)
        now = -g1_min * math.log1p(-soon * u)
        leaves = math.exp(
            -_hazard_of_path(
                p, rate, steps, total_min, lethal, 0, now, first, second, s_min, g2m_min, acts, dt
            )
        )
        total += g1_min * soon * leaves
        total += s_min * math.exp(
            -_hazard_of_path(
                p, rate, steps, total_min, lethal, 1, s_min * u, first, second, s_min, g2m_min, acts, dt
            )
        )
        total += g2m_min * math.exp(
            -_hazard_of_path(
                p, rate, steps, total_min, lethal, 2, g2m_min * u, first, second, s_min, g2m_min, acts, dt
            )
        )
    return min(total / (period * _POINTS), 1.0)


@block_kernel
def survival(
    first: int,
    last: int,
    parameters: np.ndarray,
    dose: float,
    on_min: float,
    total_min: float,
    half: float,
    hill: float,
    lethal: float,
    s_min: np.ndarray,
    g2m_min: np.ndarray,
    acts: np.ndarray,
    dt_min: float,
    out_survival: np.ndarray,
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
        Waiting times of S and G2M, minutes; both 0 for a cell that never cycles.
    acts : bool (4,)
        Whether the drug does damage in G1, in S, in G2M, and in cells that never cycle.
    dt_min : float
        Step of the damage, minutes; shortened so that the follow-up is a whole number of steps.
    out_survival : float64 (n,)
    """
    n = parameters.shape[0]
    for block in range(first, last):
        for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
            out_survival[i] = survival_of_cell(
                parameters[i], dose, on_min, total_min, half, hill, lethal, s_min[i], g2m_min[i], acts, dt_min
            )


@kernel
def _excess_kill(
    log_dose: float,
    p: np.ndarray,
    on_min: float,
    total_min: float,
    half: float,
    hill: float,
    lethal: float,
    s_min: float,
    g2m_min: float,
    acts: np.ndarray,
    dt: float,
) -> float:
    """Return the logarithm of the log-kill over that of survival by one half; almost straight in log dose."""
    survives = survival_of_cell(
        p, math.exp(log_dose), on_min, total_min, half, hill, lethal, s_min, g2m_min, acts, dt
    )
    kill = -math.log(max(survives, 1e-300))
    return math.log(max(kill, _NO_KILL)) - _LOG_HALF_KILL


@kernel
def half_survival_dose_of_cell(
    p: np.ndarray,
    start: float,
    lowest: float,
    highest: float,
    on_min: float,
    total_min: float,
    half: float,
    hill: float,
    lethal: float,
    s_min: float,
    g2m_min: float,
    acts: np.ndarray,
    dt: float,
) -> float:
    """Return the dose that half of such cells survive, see `half_survival_dose`.

    Strides from ``start`` along the secant until the answer is in between; then the Illinois variant of false
    position (Dowell & Jarratt 1971, doi:10.1007/BF01934364), which never loses it.
    """
    if p[IN] <= 0.0:
        return math.inf
    least, most = math.log(lowest), math.log(highest)
    a = min(max(math.log(start), least), most)
    f_a = _excess_kill(a, p, on_min, total_min, half, hill, lethal, s_min, g2m_min, acts, dt)
    b, f_b, slope, stride, up = a, f_a, 1.0, 0.0, f_a < 0.0
    while (f_b < 0.0) == up:
        if b == (most if up else least):
            return math.inf if up else lowest
        a, f_a = b, f_b
        aim = _BEYOND * abs(f_a) / max(slope, 1e-9)
        stride = min(max(aim, 0.5 * stride, _LEAST_STRIDE), _MOST_STRIDE)
        b = min(a + stride, most) if up else max(a - stride, least)
        f_b = _excess_kill(b, p, on_min, total_min, half, hill, lethal, s_min, g2m_min, acts, dt)
        slope = (f_b - f_a) / (b - a)
    x, before = b, math.inf
    for _ in range(_MOST_SEARCHES):
        x = b - f_b * (b - a) / (f_b - f_a)
        if abs(b - a) <= _NARROW or abs(x - before) <= _SHORT:
            break
        f_x = _excess_kill(x, p, on_min, total_min, half, hill, lethal, s_min, g2m_min, acts, dt)
        if (f_x < 0.0) == (f_b < 0.0):
            f_a *= 0.5
        else:
            a, f_a = b, f_b
        b, f_b, before = x, f_x, x
    return math.exp(x)


@block_kernel
def half_survival_dose(
    first: int,
    last: int,
    parameters: np.ndarray,
    start: np.ndarray,
    lowest: float,
    highest: float,
    on_min: float,
    total_min: float,
    half: float,
    hill: float,
    lethal: float,
    s_min: np.ndarray,
    g2m_min: np.ndarray,
    acts: np.ndarray,
    dt_min: float,
    out_dose: np.ndarray,
) -> None:
    """Dose outside that half of the cells survive, each with its own parameters; the other arguments as in `survival`.

    Parameters
    ----------
    start : float64 (n,)
        Where the search begins, nM, > 0; it decides how long it takes.
    lowest, highest : float
        Range of doses that is searched, nM.
    out_dose : float64 (n,)
        nM, the search within 0.2 %; inf where ``highest`` does not kill half, ``lowest`` where that already does.
    """
    n = parameters.shape[0]
    for block in range(first, last):
        for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
            out_dose[i] = half_survival_dose_of_cell(
                parameters[i], start[i], lowest, highest, on_min, total_min, half, hill, lethal,
                s_min[i], g2m_min[i], acts, dt_min,
            )  # fmt: skip
