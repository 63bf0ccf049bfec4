"""Evaluates all rules for all cells."""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.hill import power_term
from tme_sim.numerics.jit import BLOCK, block_kernel, inline_kernel, kernel
from tme_sim.rules.tables import RuleTables

# A term above this is cut off: an infinite signal (no vessel anywhere) then saturates instead of giving NaN.
_LARGEST_TERM = 1e100
# Cells of one type evaluated side by side. Always that many (the last one repeated), so that every cell goes
# through the same vector instructions wherever it stands in memory.
_LANES = 64


def evaluate(
    tables: RuleTables,
    cell_type: np.ndarray,
    alive: np.ndarray,
    signals: np.ndarray,
    out_behaviours: np.ndarray,
    first_row: int = 0,
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
    out_behaviours : float64 (>= first_row + n, n_behaviours)
        Filled from ``first_row`` on; columns in the order of ``tables.behaviours``, internal units.

    Notes
    -----
    Source: Johnson et al., a grammar for cell behaviour (PhysiCell 1.14), equal to it where the saturations
    of a direction agree and no rule is gated.
    """
    _evaluate(
        len(cell_type),
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
        *tables.used_signals,
        cell_type,
        alive,
        signals.T,
        first_row,
        out_behaviours.T,
    )


@kernel
def _term(signal, half_max, power):
    """Return (max(signal, 0) / half_max)^power, at most _LARGEST_TERM; NaN passes through."""
    term = power_term(signal, half_max, power)
    return _LARGEST_TERM if term > _LARGEST_TERM else term


@inline_kernel
def _over(signal, inverse):
    """Return max(signal, 0) times the inverse of a half maximum; NaN passes through."""
    return (0.0 if signal <= 0.0 else signal) * inverse


@inline_kernel
def _capped(term):
    return _LARGEST_TERM if term > _LARGEST_TERM else term


@kernel
def _terms(signal, inverse, power, out_term):
    """Write `_term` of every lane; one loop per power, so that each runs at the width of the vector unit."""
    if power == 1.0:
        for j in range(_LANES):
            out_term[j] = _capped(_over(signal[j], inverse))
    elif power == 1.5:
        for j in range(_LANES):
            x = _over(signal[j], inverse)
            out_term[j] = _capped(x * math.sqrt(x))
    elif power == 2.0:
        for j in range(_LANES):
            x = _over(signal[j], inverse)
            out_term[j] = _capped(x * x)
    elif power == 4.0:
        for j in range(_LANES):
            x = _over(signal[j], inverse)
            out_term[j] = _capped((x * x) * (x * x))
    else:
        for j in range(_LANES):
            out_term[j] = _term(signal[j], 1.0 / inverse, power)


@kernel
def _add(term, saturation, io_total, io_pull):
    """Let one rule pull every lane towards its saturation."""
    for j in range(_LANES):
        io_total[j] += term[j]
        io_pull[j] += saturation * term[j]


@kernel
def _add_square(signal, inverse, saturation, io_total, io_pull):
    """Do what `_terms` and `_add` do for power 2, by far the most common, without writing the term."""
    for j in range(_LANES):
        x = _over(signal[j], inverse)
        term = _capped(x * x)
        io_total[j] += term
        io_pull[j] += saturation * term


@kernel
def _gate(steep, above, io_term):
    """Multiply every lane's term by its gate."""
    if above:
        for j in range(_LANES):
            io_term[j] *= steep[j] / (1.0 + steep[j])
    else:
        for j in range(_LANES):
            io_term[j] *= 1.0 / (1.0 + steep[j])


@kernel
def _respond(
    base, span, signal, inverse, power, saturation, gate_start, gate_signal, gate_above, gate_inverse,
    gate_power, sensed, total, pull, term, steep, out_value,
):  # fmt: skip
    """Write the value of one response of living cells: up-rules first, then down-rules, each a weighted mean."""
    for j in range(_LANES):
        out_value[j] = base
    for direction in range(2):
        if span[direction] == span[direction + 1]:
            continue
        for j in range(_LANES):
            total[j] = 1.0
            pull[j] = out_value[j]
        for rule in range(span[direction], span[direction + 1]):
            if power[rule] == 2.0 and gate_start[rule] == gate_start[rule + 1]:
                _add_square(sensed[signal[rule]], inverse[rule], saturation[rule], total, pull)
                continue
            _terms(sensed[signal[rule]], inverse[rule], power[rule], term)
            for gate in range(gate_start[rule], gate_start[rule + 1]):
                _terms(sensed[gate_signal[gate]], gate_inverse[gate], gate_power[gate], steep)
                _gate(steep, gate_above[gate], term)
            _add(term, saturation[rule], total, pull)
        for j in range(_LANES):
            out_value[j] = pull[j] / total[j]


@kernel
def _respond_dead(
    base, span, signal, half_max, power, saturation, for_dead, gate_start, gate_signal, gate_above, gate_threshold,
    gate_power, sensed,
):  # fmt: skip
    """Return the value of one response of one dead cell: only the rules marked ``dead`` act."""
    value = base
    for direction in range(2):
        total = 1.0
        pull = 0.0
        for rule in range(span[direction], span[direction + 1]):
            if not for_dead[rule]:
                continue
            term = _term(sensed[signal[rule]], half_max[rule], power[rule])
            for gate in range(gate_start[rule], gate_start[rule + 1]):
                steep = _term(sensed[gate_signal[gate]], gate_threshold[gate], gate_power[gate])
                term *= steep / (1.0 + steep) if gate_above[gate] else 1.0 / (1.0 + steep)
            total += term
            pull += (saturation[rule] - value) * term
        value += pull / total
    return value


@block_kernel
def _evaluate(
    first_block, last_block, base, type_start, behaviour, dead_too, span, signal, half_max, power, saturation, for_dead,
    gate_start, gate_signal, gate_above, gate_threshold, gate_power, used_start, used, cell_type, alive, signals,
    first_row, out_behaviours,
):  # fmt: skip
    # Signals and behaviours come with a row each; rows within the block are unsigned, since numba wraps signed ones.
    n = len(cell_type)
    inverse, gate_inverse = 1.0 / half_max, 1.0 / gate_threshold
    for block in range(first_block, last_block):
        begin, end = block * BLOCK, min(n, (block + 1) * BLOCK)
        rows, at = np.empty(BLOCK, np.uint64), np.empty(_LANES, np.uint64)
        sensed = np.zeros((signals.shape[0], _LANES))
        work = np.empty((5, _LANES))
        total, pull, term, steep, value = work[0], work[1], work[2], work[3], work[4]
        # A table with a first row of zeros for the dead: one look-up for each cell, without a branch.
        code = np.empty(BLOCK, np.uint64)
        at_rest = np.zeros(base.shape[0] + 1)
        for cell in range(begin, end):
            code[cell - begin] = cell_type[cell] + 1 if alive[cell] else 0
        for column in range(base.shape[1]):
            at_rest[1:] = base[:, column]
            out = out_behaviours[column][first_row + begin : first_row + end]
            for i in range(len(out)):
                out[i] = at_rest[code[i]]
        for cell in range(begin, end):
            if not alive[cell]:
                kind = cell_type[cell]
                for response in range(type_start[kind], type_start[kind + 1]):
                    if dead_too[response]:
                        out_behaviours[behaviour[response], first_row + cell] = _respond_dead(
                            base[kind, behaviour[response]], span[response], signal, half_max, power, saturation,
                            for_dead, gate_start, gate_signal, gate_above, gate_threshold, gate_power, signals[:, cell],
                        )  # fmt: skip
        for kind in range(base.shape[0]):
            if type_start[kind] == type_start[kind + 1]:
                continue
            found = 0
            for cell in range(begin, end):
                if alive[cell] and cell_type[cell] == kind:
                    rows[found] = cell - begin
                    found += 1
            for first in range(0, found, _LANES):
                for j in range(_LANES):
                    at[j] = rows[min(first + j, found - 1)]
                for k in range(used_start[kind], used_start[kind + 1]):
                    source, lanes = signals[used[k]][begin:end], sensed[used[k]]
                    for j in range(_LANES):
                        lanes[j] = source[at[j]]
                for response in range(type_start[kind], type_start[kind + 1]):
                    column = behaviour[response]
                    _respond(
                        base[kind, column], span[response], signal, inverse, power, saturation,
                        gate_start, gate_signal, gate_above, gate_inverse, gate_power, sensed, total, pull, term,
                        steep, value,
                    )  # fmt: skip
                    out = out_behaviours[column][first_row + begin : first_row + end]
                    for j in range(min(_LANES, found - first)):
                        out[at[j]] = value[j]
