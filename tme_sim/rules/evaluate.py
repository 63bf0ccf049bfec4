"""Evaluates all rules for all cells."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.hill import power_term
from tme_sim.numerics.jit import BLOCK, inline_kernel, parallel_kernel, prange
from tme_sim.rules.tables import RuleTables

# A term above this is cut off: an infinite signal (no vessel anywhere) then saturates instead of giving NaN.
_LARGEST_TERM = 1e100


def evaluate(
    tables: RuleTables,
    cell_type: np.ndarray,
    alive: np.ndarray,
    signals: np.ndarray,
    out_behaviours: np.ndarray,
) -> None:
    """Set every behaviour of every cell from its signals.

    With t_j = g_j (s_j / h_j)^p_j and g_j the product of the rule's gates:
    U = b + Σ (M_j - b) t_j / (1 + Σ t_j) over the up-rules and
    value = U + Σ (m_k - U) t_k / (1 + Σ t_k) over the down-rules. Negative signals count as 0. A behaviour
    without rules keeps the base value of the type. In dead cells every behaviour is 0, but for those with a
    rule marked ``dead``: there the base value holds and those rules alone act.

    Parameters
    ----------
    tables : RuleTables
    cell_type : int16 (n,)
    alive : bool (n,)
    signals : float64 (n, n_signals)
        Columns in the order of ``tables.signals``, each in its internal unit.
    out_behaviours : float64 (n, n_behaviours)
        Filled; columns in the order of ``tables.behaviours``, internal units.

    Notes
    -----
    Source: Johnson et al., a grammar for cell behaviour (PhysiCell 1.14), equal to it where the saturations
    of a direction agree and no rule is gated.
    """
    _evaluate(
        tables.base,
        tables.type_start,
        tables.behaviour,
        tables.dead_too,
        tables.span,
        tables.signal,
        tables.half_max,
        tables.power,
        tables.saturation,
        tables.for_dead,
        tables.gate_start,
        tables.gate_signal,
        tables.gate_above,
        tables.gate_threshold,
        tables.gate_power,
        cell_type,
        alive,
        signals,
        out_behaviours,
    )


@inline_kernel
def _term(signal, half_max, power):
    """Return the power term, at most _LARGEST_TERM; NaN passes through."""
    term = power_term(signal, half_max, power)
    return _LARGEST_TERM if term > _LARGEST_TERM else term


@parallel_kernel
def _evaluate(
    base,
    type_start,
    behaviour,
    dead_too,
    span,
    signal,
    half_max,
    power,
    saturation,
    for_dead,
    gate_start,
    gate_signal,
    gate_above,
    gate_threshold,
    gate_power,
    cell_type,
    alive,
    signals,
    out_behaviours,
):
    n = len(cell_type)
    for block in prange((n + BLOCK - 1) // BLOCK):
        for cell in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
            kind = cell_type[cell]
            living = alive[cell]
            for column in range(base.shape[1]):
                out_behaviours[cell, column] = base[kind, column] if living else 0.0
            for response in range(type_start[kind], type_start[kind + 1]):
                if not (living or dead_too[response]):
                    continue
                value = base[kind, behaviour[response]]
                for direction in range(2):
                    total = 1.0
                    pull = 0.0
                    for rule in range(span[response, direction], span[response, direction + 1]):
                        if not (living or for_dead[rule]):
                            continue
                        term = _term(signals[cell, signal[rule]], half_max[rule], power[rule])
                        for gate in range(gate_start[rule], gate_start[rule + 1]):
                            steep = _term(
                                signals[cell, gate_signal[gate]], gate_threshold[gate], gate_power[gate]
                            )
                            term *= steep / (1.0 + steep) if gate_above[gate] else 1.0 / (1.0 + steep)
                        total += term
                        pull += (saturation[rule] - value) * term
                    value += pull / total
                out_behaviours[cell, behaviour[response]] = value
