"""Evaluates all rules for all cells.

Cells of one type are evaluated `LANES` at a time, side by side in the vector unit: their signals stand in one flat
array, a stretch of `WIDTH` numbers per signal. Always that many (the last cell repeated), so that every cell goes
through the same instructions wherever it stands in memory.
"""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.hill import power_term
from tme_sim.numerics.jit import BLOCK, block_kernel, inline_kernel, kernel
from tme_sim.rules.signals import Sources, read_signal
from tme_sim.rules.tables import RuleArrays, RuleTables

# A term above this is cut off: an infinite signal (no vessel anywhere) then saturates instead of giving NaN.
_LARGEST_TERM = 1e100
# Unsigned, as every index below, since numba wraps signed ones.
_LANES = np.uint64(64)
_WIDTH = np.uint64(BLOCK + 64)


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
        Columns in the order of ``tables.behaviours``, internal units.

    Notes
    -----
    Source: Johnson et al., a grammar for cell behaviour (PhysiCell 1.14), equal to it where the saturations
    of a direction agree and no rule is gated.
    """
    _evaluate(len(cell_type), tables.arrays, cell_type, alive, signals.T, out_behaviours.T)


@block_kernel
def decide(
    first: int,
    last: int,
    rules: RuleArrays,
    source: np.ndarray,
    column: np.ndarray,
    factor: np.ndarray,
    sources: Sources,
    out_behaviours: np.ndarray,
) -> None:
    """Do what `evaluate` does, with signals read where they are, by those alone whose rules ask for them.

    ``source``, ``column`` and ``factor`` are those of a `SignalTable`; ``out_behaviours`` is (n_behaviours, n).
    """
    sensed, lanes, rows = _room(len(source))
    n = out_behaviours.shape[1]
    for block in range(first, last):
        begin, end = block * BLOCK, min(n, (block + 1) * BLOCK)
        alive = sources.death[begin:end] == 0
        cell_type = sources.cell_type[begin:end]
        _rest(rules.base, cell_type, alive, begin, out_behaviours)
        for kind in range(len(rules.base)):
            for living in (True, False):
                found = _rows_of(rules, kind, living, cell_type, alive, begin, rows)
                for k in range(rules.used_start[kind], rules.used_start[kind + 1] if found > 0 else 0):
                    signal = rules.used[k]
                    at = np.uint64(signal) * _WIDTH
                    read_signal(
                        source[signal],
                        column[signal],
                        factor[signal],
                        sources,
                        rows[: _filled(found)],
                        sensed[at:],
                    )
                _respond_all(rules, kind, living, rows[:found], sensed, lanes, out_behaviours)


@block_kernel
def _evaluate(first, last, rules, cell_type, alive, signals, out_behaviours):
    sensed, lanes, rows = _room(len(signals))
    n = len(cell_type)
    for block in range(first, last):
        begin, end = block * BLOCK, min(n, (block + 1) * BLOCK)
        here, awake = cell_type[begin:end], alive[begin:end]
        _rest(rules.base, here, awake, begin, out_behaviours)
        for kind in range(len(rules.base)):
            for living in (True, False):
                found = _rows_of(rules, kind, living, here, awake, begin, rows)
                for k in range(rules.used_start[kind], rules.used_start[kind + 1] if found > 0 else 0):
                    values, at = signals[rules.used[k]], np.uint64(rules.used[k]) * _WIDTH
                    for i in range(_filled(found)):
                        sensed[at + i] = values[rows[i]]
                _respond_all(rules, kind, living, rows[:found], sensed, lanes, out_behaviours)


@kernel
def _room(n_signals):
    """Return memory for signals, for lanes and for the rows of a block."""
    return np.empty(n_signals * int(_WIDTH)), np.empty((5, int(_LANES))), np.empty(int(_WIDTH), np.uint64)


@kernel
def _filled(found):
    """Return a number of cells rounded up to whole lanes."""
    return np.uint64(found + int(_LANES) - 1) // _LANES * _LANES


@kernel
def _rest(base, cell_type, alive, begin, out_behaviours):
    """Give the cells of a block the base values of their types, 0 to the dead."""
    # A table with a first row of zeros for the dead: one look-up for each cell, without a branch.
    code = np.empty(len(cell_type), np.uint64)
    for i in range(len(cell_type)):
        code[i] = cell_type[i] + 1 if alive[i] else 0
    at_rest = np.zeros(base.shape[0] + 1)
    for column in range(base.shape[1]):
        at_rest[1:] = base[:, column]
        out = out_behaviours[column][begin : begin + len(code)]
        for i in range(len(out)):
            out[i] = at_rest[code[i]]


@kernel
def _rows_of(rules, kind, living, cell_type, alive, begin, out_rows):
    """Write the rows of the living or dead cells of a type that have something to evaluate; return how many.

    The last one is repeated up to whole lanes.
    """
    first, last = rules.type_start[kind], rules.type_start[kind + 1]
    if not (last > first and (living or np.any(rules.dead_too[first:last]))):
        return 0
    found = np.uint64(0)
    for i in range(len(cell_type)):
        out_rows[found] = begin + i
        found += np.uint64(cell_type[i] == kind and alive[i] == living)
    if found > 0:
        out_rows[found : _filled(found)] = out_rows[found - np.uint64(1)]
    return int(found)


@kernel
def _respond_all(rules, kind, living, rows, sensed, lanes, out_behaviours):
    """Write all responses of the ``rows`` of one type, which are all living or all dead."""
    value, total, pull, term, steep = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]
    # One long function: numba counts references wherever an array is named anew, which costs as much as the rules.
    base, span, behaviour, dead_too, for_dead = (
        rules.base, rules.span, rules.behaviour, rules.dead_too, rules.for_dead
    )  # fmt: skip
    signal, inverse, power, saturation = rules.signal, rules.inverse, rules.power, rules.saturation
    gate_start, gate_signal, gate_inverse, gate_power, gate_above = (
        rules.gate_start, rules.gate_signal, rules.gate_inverse, rules.gate_power, rules.gate_above
    )  # fmt: skip
    for first in range(0, len(rows), int(_LANES)):
        lane = np.uint64(first)
        for response in range(rules.type_start[kind], rules.type_start[kind + 1]):
            if not (living or dead_too[response]):
                continue
            column = behaviour[response]
            for j in range(_LANES):
                value[j] = base[kind, column]
            for direction in range(2):
                begin, end = span[response, direction], span[response, direction + 1]
                if begin == end:
                    continue
                for j in range(_LANES):
                    total[j] = 1.0
                    pull[j] = value[j]
                for rule in range(begin, end):
                    if not (living or for_dead[rule]):
                        continue
                    at = np.uint64(signal[rule]) * _WIDTH + lane
                    times, to = inverse[rule], saturation[rule]
                    if power[rule] == 2.0 and gate_start[rule] == gate_start[rule + 1]:
                        # By far the most common: no term is written.
                        for j in range(_LANES):
                            x = _over(sensed[at + j], times)
                            t = _capped(x * x)
                            total[j] += t
                            pull[j] += to * t
                    else:
                        _terms(sensed, at, times, power[rule], term)
                        for gate in range(gate_start[rule], gate_start[rule + 1]):
                            at = np.uint64(gate_signal[gate]) * _WIDTH + lane
                            _terms(sensed, at, gate_inverse[gate], gate_power[gate], steep)
                            _gate(steep, gate_above[gate], term)
                        for j in range(_LANES):
                            total[j] += term[j]
                            pull[j] += to * term[j]
                for j in range(_LANES):
                    value[j] = pull[j] / total[j]
            for j in range(min(int(_LANES), len(rows) - first)):
                out_behaviours[column, rows[lane + np.uint64(j)]] = value[j]


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
def _terms(sensed, at, inverse, power, out_term):
    """Write `_term` of every lane; one loop per power, so that each runs at the width of the vector unit."""
    if power == 1.0:
        for j in range(_LANES):
            out_term[j] = _capped(_over(sensed[at + j], inverse))
    elif power == 1.5:
        for j in range(_LANES):
            x = _over(sensed[at + j], inverse)
            out_term[j] = _capped(x * math.sqrt(x))
    elif power == 2.0:
        for j in range(_LANES):
            x = _over(sensed[at + j], inverse)
            out_term[j] = _capped(x * x)
    elif power == 4.0:
        for j in range(_LANES):
            x = _over(sensed[at + j], inverse)
            out_term[j] = _capped((x * x) * (x * x))
    else:
        for j in range(_LANES):
            out_term[j] = _term(sensed[at + j], 1.0 / inverse, power)


@kernel
def _gate(steep, above, io_term):
    """Multiply every lane's term by its gate."""
    if above:
        for j in range(_LANES):
            io_term[j] *= steep[j] / (1.0 + steep[j])
    else:
        for j in range(_LANES):
            io_term[j] *= 1.0 / (1.0 + steep[j])
