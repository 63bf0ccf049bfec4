"""Rules compiled to flat arrays that one kernel interprets."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tme_sim.rules.rule import Rule


class RuleError(ValueError):
    """A rule names something unknown or holds a number outside its range."""


class RuleArrays(NamedTuple):
    """Rules in CSR order, as kernels take them: cell type, then response (one behaviour of one type), rule, gate.

    Attributes
    ----------
    base : float64 (n_types, n_behaviours)
        Value of a behaviour where no rule acts, internal unit.
    type_start : int64 (n_types + 1,)
        First response of each cell type.
    behaviour : int64 (n_responses,)
        Column of the behaviour a response sets.
    dead_too : bool (n_responses,)
        True where one of the rules also acts on dead cells.
    span : int64 (n_responses, 3)
        First up-rule, first down-rule, end.
    signal : int64 (n_rules,)
    inverse, power, saturation : float64 (n_rules,)
        1 / half-max, Hill power, value drawn towards.
    for_dead : bool (n_rules,)
    gate_start : int64 (n_rules + 1,)
    gate_signal : int64 (n_gates,)
    gate_above : bool (n_gates,)
    gate_inverse, gate_power : float64 (n_gates,)
        1 / threshold, Hill power.
    used_start : int64 (n_types + 1,)
        First place in ``used`` of each cell type.
    used : int64
        Signals that the rules and gates of a type read.
    """

    base: np.ndarray
    type_start: np.ndarray
    behaviour: np.ndarray
    dead_too: np.ndarray
    span: np.ndarray
    signal: np.ndarray
    inverse: np.ndarray
    power: np.ndarray
    saturation: np.ndarray
    for_dead: np.ndarray
    gate_start: np.ndarray
    gate_signal: np.ndarray
    gate_above: np.ndarray
    gate_inverse: np.ndarray
    gate_power: np.ndarray
    used_start: np.ndarray
    used: np.ndarray


@dataclass(frozen=True)
class RuleTables:
    """Compiled rules.

    Attributes
    ----------
    cell_types, signals, behaviours : tuple of str
        Names in column order.
    arrays : RuleArrays
    source : int64 (n_rules,)
        Position of each rule in the list that was compiled.
    """

    cell_types: tuple[str, ...]
    signals: tuple[str, ...]
    behaviours: tuple[str, ...]
    arrays: RuleArrays
    source: np.ndarray


def compile_rules(
    rules: Sequence[Rule],
    cell_types: Sequence[str],
    signals: Sequence[str],
    behaviours: Sequence[str],
    base: np.ndarray,
) -> RuleTables:
    """Compile rules to tables.

    Within a response the rules are put in an order of their own (up before down, then by their numbers), so
    that the same set of rules gives the same bytes whatever order it was written in.

    Parameters
    ----------
    rules : sequence of Rule
        Rules in force, internal units.
    cell_types, signals, behaviours : sequence of str
        Names in column order.
    base : float64 (n_types, n_behaviours)
        Base values, internal units.

    Raises
    ------
    RuleError
        Naming every unknown word and every number outside its range, one per line.
    """
    names = {"cell": tuple(cell_types), "signal": tuple(signals), "behaviour": tuple(behaviours)}
    faults = [fault for number, rule in enumerate(rules) for fault in _faults(number, rule, names)]
    if faults:
        raise RuleError("\n".join(faults))
    column = {kind: {name: at for at, name in enumerate(words)} for kind, words in names.items()}
    responses: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, rule in enumerate(rules):
        responses[column["cell"][rule.cell], column["behaviour"][rule.behaviour]].append(number)
    keys = sorted(responses)
    order = [
        number for key in keys for number in sorted(responses[key], key=lambda k: _rank(rules[k], column))
    ]
    ordered = [rules[number] for number in order]
    gates = [gate for rule in ordered for gate in rule.gates]
    types = np.array([key[0] for key in keys], np.int64)
    type_start = np.searchsorted(types, np.arange(len(cell_types) + 1)).astype(np.int64)
    span = _spans([responses[key] for key in keys], rules)
    signal = np.array([column["signal"][rule.signal] for rule in ordered], np.int64)
    gate_start = np.cumsum([0, *(len(rule.gates) for rule in ordered)], dtype=np.int64)
    gate_signal = np.array([column["signal"][gate.signal] for gate in gates], np.int64)
    used_start, used = _used_signals(type_start, span, signal, gate_start, gate_signal)
    arrays = RuleArrays(
        base=np.ascontiguousarray(base, np.float64).reshape(len(cell_types), len(behaviours)),
        type_start=type_start,
        behaviour=np.array([key[1] for key in keys], np.int64),
        dead_too=np.array([any(rules[k].dead for k in responses[key]) for key in keys], np.bool_),
        span=span,
        signal=signal,
        inverse=1.0 / np.array([rule.half_max for rule in ordered], np.float64),
        power=np.array([rule.hill for rule in ordered], np.float64),
        saturation=np.array([rule.saturation for rule in ordered], np.float64),
        for_dead=np.array([rule.dead for rule in ordered], np.bool_),
        gate_start=gate_start,
        gate_signal=gate_signal,
        gate_above=np.array([gate.above for gate in gates], np.bool_),
        gate_inverse=1.0 / np.array([gate.threshold for gate in gates], np.float64),
        gate_power=np.array([gate.hill for gate in gates], np.float64),
        used_start=used_start,
        used=used,
    )
    return RuleTables(
        names["cell"], names["signal"], names["behaviour"], arrays, source=np.array(order, np.int64)
    )


def _used_signals(
    type_start: np.ndarray,
    span: np.ndarray,
    signal: np.ndarray,
    gate_start: np.ndarray,
    gate_signal: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each cell type the signals that its rules and gates read: starts, and columns one after the other."""
    used = []
    for first, last in itertools.pairwise(type_start):
        rules = slice(span[first, 0], span[last - 1, 2]) if last > first else slice(0, 0)
        gates = slice(gate_start[rules.start], gate_start[rules.stop])
        used.append(np.unique(np.concatenate([signal[rules], gate_signal[gates]])))
    start = np.cumsum([0, *(len(columns) for columns in used)])
    return start.astype(np.int64), np.concatenate([*used, np.zeros(0, np.int64)]).astype(np.int64)


def _rank(rule: Rule, column: dict[str, dict[str, int]]) -> tuple:
    gates = tuple(
        (column["signal"][gate.signal], gate.above, gate.threshold, gate.hill) for gate in rule.gates
    )
    numbers = (rule.saturation, rule.half_max, rule.hill)
    return (not rule.increases, column["signal"][rule.signal], *numbers, rule.dead, gates)


def _spans(groups: list[list[int]], rules: Sequence[Rule]) -> np.ndarray:
    spans = np.zeros((len(groups), 3), np.int64)
    start = 0
    for row, members in enumerate(groups):
        ups = sum(rules[number].increases for number in members)
        spans[row] = start, start + ups, start + len(members)
        start += len(members)
    return spans


def _faults(number: int, rule: Rule, names: dict[str, tuple[str, ...]]) -> list[str]:
    where = f"rule {number} ({rule.cell}: {rule.signal} -> {rule.behaviour})"
    faults = [
        f"{where}: {kind} {word!r} is unknown"
        for kind, word in (("cell", rule.cell), ("signal", rule.signal), ("behaviour", rule.behaviour))
        if word not in names[kind]
    ]
    faults += [
        f"{where}: gate on {gate.signal!r}, which is unknown"
        for gate in rule.gates
        if gate.signal not in names["signal"]
    ]
    positive = [("half_max", rule.half_max), ("hill", rule.hill)]
    for gate in rule.gates:
        positive += [(f"threshold of {gate.signal}", gate.threshold), (f"hill of {gate.signal}", gate.hill)]
    faults += [
        f"{where}: {what} is {value:g}; expected > 0 and finite"
        for what, value in positive
        if not (math.isfinite(value) and value > 0)
    ]
    if not math.isfinite(rule.saturation):
        faults.append(f"{where}: saturation is {rule.saturation:g}; expected a finite number")
    return faults
