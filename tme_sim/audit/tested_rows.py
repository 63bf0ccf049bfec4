"""Runs the rows of seeds/tested.csv: raise a signal on a made cell, read a behaviour, then cut the rules."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tme_sim.resources import data_dir
from tme_sim.rules.energy import Energy
from tme_sim.rules.evidence import EvidenceError
from tme_sim.rules.physiology import Physiology
from tme_sim.rules.rule import Rule
from tme_sim.rules.tables import compile_rules

COLUMNS = ("id", "cell", "signal", "low", "high", "holding", "readout", "sign", "test", "note")
# Smallest change that counts, as a share of the larger of the two values.
_SMALLEST_CHANGE = 1e-6


class RowError(ValueError):
    """A tested row does not fit the rules it is run against."""


@dataclass(frozen=True)
class TestedRow:
    """One test of one mechanism.

    Attributes
    ----------
    id : str
        The mechanism.
    cell, signal, readout : str
        In the rule words; the readout is a behaviour (or the variable of that name).
    low, high : float
        The signal before and after, internal unit.
    holding : tuple of (str, float)
        Other signals held, internal units; a variable held no longer follows its rules.
    sign : int
        +1 or -1: how the readout must move.
    test : str
        For what a single cell cannot show: the pytest node that does, instead of all the above.
    note : str
        ``same statement as ID`` allows the same test for two mechanisms.
    line : int
        Line in the file.
    """

    __test__ = False  # not a class of tests

    id: str
    cell: str
    signal: str
    low: float
    high: float
    holding: tuple[tuple[str, float], ...]
    readout: str
    sign: int
    test: str
    note: str
    line: int


@dataclass(frozen=True)
class Bench:
    """A made cell's surroundings.

    Attributes
    ----------
    rules : tuple of Rule
        All rules in force.
    physiology : Physiology
        Compiled from them.
    resting : mapping
        Signals that are not 0 at rest, internal units.
    """

    rules: tuple[Rule, ...]
    physiology: Physiology
    resting: Mapping[str, float]


@dataclass(frozen=True)
class RowResult:
    """Outcome of a row: change of the readout with all rules, and with those that cite the id cut."""

    row: TestedRow
    change: float
    change_when_cut: float

    @property
    def holds(self) -> bool:
        """True where the readout moves as the row says."""
        return self.change * self.row.sign > 0

    @property
    def depends(self) -> bool:
        """True where it no longer does so once the rules are cut."""
        return not self.change_when_cut * self.row.sign > 0

    @property
    def passed(self) -> bool:
        """True where both hold."""
        return self.holds and self.depends

    def __str__(self) -> str:
        row = self.row
        raised = f"{row.signal} {row.low:g} -> {row.high:g}"
        text = f"{row.id} {row.cell}: {raised} moves {row.readout} by {self.change:g}"
        if not self.holds:
            return f"{text}; expected {'a rise' if row.sign > 0 else 'a fall'}"
        if not self.depends:
            return f"{text}, and by {self.change_when_cut:g} with its rules cut; expected no such move"
        return text


@cache
def listed_rows() -> tuple[TestedRow, ...]:
    """Return the rows of seeds/tested.csv."""
    return read_tested_rows(data_dir("seeds") / "tested.csv")


def read_tested_rows(path: Path) -> tuple[TestedRow, ...]:
    """Read a table of tested rows.

    Raises
    ------
    EvidenceError
        Naming every fault with its line.
    """
    faults: list[str] = []
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise EvidenceError(f"{path.name}:1: expected the columns {','.join(COLUMNS)}")
        for cells in reader:
            where = f"{path.name}:{reader.line_num}"
            if None in cells or None in cells.values():
                faults.append(f"{where}: expected {len(COLUMNS)} columns")
                continue
            try:
                rows.append(_row({name: cells[name].strip() for name in COLUMNS}, reader.line_num))
            except ValueError as error:
                faults.append(f"{where}: {error}")
    if faults:
        raise EvidenceError("\n".join(faults))
    return tuple(rows)


def _row(cells: dict[str, str], line: int) -> TestedRow:
    if cells["test"]:
        given = [name for name in COLUMNS[1:8] if cells[name]]
        if given:
            raise ValueError(f"{', '.join(given)} given beside test; expected one or the other")
        numbers = (math.nan, math.nan, (), 0)
    else:
        missing = [name for name in ("cell", "signal", "low", "high", "readout", "sign") if not cells[name]]
        if missing:
            raise ValueError(f"{', '.join(missing)} missing; expected these or a test")
        if cells["sign"] not in ("+", "-"):
            raise ValueError(f"sign is {cells['sign']!r}; expected + or -")
        holding = tuple(_held(text) for text in cells["holding"].split(";") if text.strip())
        low, high = float(cells["low"]), float(cells["high"])
        if not low < high:
            raise ValueError(f"low {low:g}, high {high:g}; expected low < high")
        numbers = (low, high, holding, 1 if cells["sign"] == "+" else -1)
    low, high, holding, sign = numbers
    return TestedRow(
        cells["id"],
        cells["cell"],
        cells["signal"],
        low,
        high,
        holding,
        cells["readout"],
        sign,
        cells["test"],
        cells["note"],
        line,
    )


def _held(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"holding {text.strip()!r}; expected NAME = NUMBER")
    return name.strip(), float(value)


def run_row(row: TestedRow, bench: Bench) -> RowResult:
    """Raise the row's signal on one made cell and see how its readout moves.

    The cell is at rest but for what the row holds; intracellular variables are at quasi-steady state. It is
    done with all rules, and once more without the rules, and the terms of energy, that cite the row's id.

    Raises
    ------
    RowError
        When the row names something that the rules do not know, or no rule cites the id.
    """
    kept = [rule for rule in bench.rules if row.id not in rule.evidence]
    energy = bench.physiology.energy
    cut_energy = energy.without(row.id)
    if len(kept) == len(bench.rules) and cut_energy is energy:
        raise RowError(f"tested.csv:{row.line}: {row.id}: no rule in force cites it")
    change = _change(row, bench, bench.rules, energy)
    return RowResult(row, change, _change(row, bench, kept, cut_energy))


def row_fault(row: TestedRow, benches: Sequence[Bench]) -> str:
    """Return why a row passes on none of the benches, empty if it does or there is none.

    It is the first failure, or the first reason why the row can be run on none.
    """
    failures, refusals = [], []
    for bench in benches:
        try:
            result = run_row(row, bench)
        except RowError as error:
            refusals.append(str(error).partition(": ")[2])
            continue
        if result.passed:
            return ""
        failures.append(str(result))
    return next(iter(failures + refusals), "")


def feels(row: TestedRow, rule: Rule, bench: Bench) -> bool:
    """Return whether a row that holds on a bench reads another change there once one rule alone is cut."""
    energy = bench.physiology.energy
    try:
        change = _change(row, bench, bench.rules, energy)
        rest = _change(row, bench, [other for other in bench.rules if other is not rule], energy)
    except RowError:
        return False
    return change * row.sign > 0 and abs(rest - change) > _SMALLEST_CHANGE * abs(change)


def _change(row: TestedRow, bench: Bench, rules: Sequence[Rule], energy: Energy) -> float:
    before, after = (
        _readout(row, bench, rules, energy, {**dict(row.holding), row.signal: value})
        for value in (row.low, row.high)
    )
    change = after - before
    return change if abs(change) > _SMALLEST_CHANGE * max(abs(before), abs(after)) else 0.0


def _readout(
    row: TestedRow, bench: Bench, rules: Sequence[Rule], energy: Energy, held: Mapping[str, float]
) -> float:
    known = bench.physiology.tables
    _check_words(row, held, bench.physiology)
    kind = known.cell_types.index(row.cell)
    base = known.arrays.base.copy()
    variables = [name for name in held if name in bench.physiology.layout.variables]
    for name in variables:
        base[kind, known.behaviours.index(name)] = held[name]
    free = [rule for rule in rules if rule.cell != row.cell or rule.behaviour not in variables]
    tables = compile_rules(free, known.cell_types, known.signals, known.behaviours, base)
    made = Physiology(tables, bench.physiology.signals, energy, bench.physiology.layout)
    signals = np.zeros((1, len(known.signals)))
    for name, value in {**bench.resting, **held}.items():
        if name in made.column:
            signals[0, made.column[name]] = value
    behaviours = made.settle(np.array([kind], np.int16), signals)
    return float(behaviours[0, made.behaviour[row.readout]])


def _check_words(row: TestedRow, held: Mapping[str, float], physiology: Physiology) -> None:
    tables = physiology.tables
    words = [("cell", row.cell, tables.cell_types), ("readout", row.readout, tables.behaviours)]
    words += [("signal", name, tables.signals) for name in held]
    for what, name, known in words:
        if name not in known:
            raise RowError(f"tested.csv:{row.line}: {row.id}: {what} {name!r} is read by no rule in force")
    if "energy" in held and physiology.energy.table.any():
        raise RowError(f"tested.csv:{row.line}: {row.id}: energy cannot be held; hold what makes it")
