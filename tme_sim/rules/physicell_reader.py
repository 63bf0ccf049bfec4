"""Reads the rows of a PhysiCell rules CSV into rules and remarks."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, replace

import numpy as np

from tme_sim.rules.physicell_names import Dictionary
from tme_sim.rules.rule import Rule

# Columns by number of cells in a row: version 3 (and 2), version 1, version 0.
_COLUMNS = {
    8: ("cell", "signal", "effect", "behaviour", "saturation", "half-max", "Hill power", "dead"),
    9: ("cell", "signal", "effect", "behaviour", "base", "saturation", "half-max", "Hill power", "dead"),
    10: (
        "cell",
        "behaviour",
        "minimum",
        "base",
        "maximum",
        "signal",
        "effect",
        "half-max",
        "Hill power",
        "dead",
    ),
}
_EFFECTS = {"increases": True, "decreases": False}
_DEAD = {"0": False, "1": True, "false": False, "true": True}


@dataclass(frozen=True)
class Remark:
    """Something to say about one place of a CSV; prints as ``file:line:column: text``."""

    path: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.text}"


@dataclass(frozen=True)
class Row:
    """One line of the file, cut into cells by column name, with the column each begins at."""

    line: int
    cells: dict[str, str]
    at: dict[str, int]


class RuleReader:
    """Collects rules and remarks row by row."""

    def __init__(self, path: str, cell_types: list[str], behaviours: list[str], bases: np.ndarray):
        self.path = path
        self.cell_types = cell_types
        self.behaviours = behaviours
        self.bases = bases
        self.dictionaries: dict[str, Dictionary] = {}
        self.found: list[tuple[Row, Rule]] = []
        self.last: dict[tuple[str, str, bool], float] = {}
        self.not_imported: list[Remark] = []
        self.warnings: list[Remark] = []
        self.faults: list[Remark] = []

    def read(self, number: int, line: str) -> None:
        """Turn one line into a rule, or into remarks."""
        mark = "," if "," in line else "\t"
        cells = line.split(mark)
        starts = np.cumsum([1, *(len(cell) + 1 for cell in cells[:-1])]).tolist()
        at = [start + len(cell) - len(cell.lstrip()) for start, cell in zip(starts, cells, strict=True)]
        columns = _COLUMNS.get(len(cells))
        if columns is None:
            expected = "8 (version 3), 9 (version 1) or 10 (version 0)"
            self.faults.append(Remark(self.path, number, 1, f"{len(cells)} columns; expected {expected}"))
            return
        stripped = (cell.strip() for cell in cells)
        row = Row(number, dict(zip(columns, stripped, strict=True)), dict(zip(columns, at, strict=True)))
        faults, skipped = len(self.faults), len(self.not_imported)
        cell = self._cell_type(row)
        signal, behaviour = self._name(row, "signal"), self._name(row, "behaviour")
        increases = self._word(row, "effect", _EFFECTS)
        dead = self._word(row, "dead", _DEAD)
        saturation = self._saturation(row, increases)
        half_max, hill = self._positive(row, "half-max"), self._positive(row, "Hill power")
        if len(self.faults) > faults:
            return
        self.last[cell, behaviour, increases] = saturation
        if len(self.not_imported) > skipped:
            return
        self._compare_base(row, cell, behaviour)
        why = f"imported from {self.path}:{number}"
        rule = Rule(
            cell, signal, increases, behaviour, saturation, half_max, hill, (), (), "assumed", None, why, dead
        )
        self.found.append((row, rule))

    def _fault(self, row: Row, column: str, text: str) -> None:
        self.faults.append(Remark(self.path, row.line, row.at[column], f"{column}: {text}"))

    def _warn(self, row: Row, column: str, text: str) -> None:
        self.warnings.append(Remark(self.path, row.line, row.at[column], text))

    def _cell_type(self, row: Row) -> str:
        name = row.cells["cell"]
        if name not in self.cell_types:
            self._fault(row, "cell", f"{name!r} is unknown{nearest(name, self.cell_types)}")
        return name

    def _name(self, row: Row, column: str) -> str:
        name, dictionary = row.cells[column], self.dictionaries[column]
        if name in dictionary.ours:
            return dictionary.ours[name]
        reason = dictionary.no_counterpart(name)
        if reason is None:
            self._fault(row, column, f"{name!r} is unknown{nearest(name, list(dictionary.ours))}")
        else:
            text = f"{column} {name!r} has no counterpart: {reason}"
            self.not_imported.append(Remark(self.path, row.line, row.at[column], text))
        return name

    def _word(self, row: Row, column: str, words: dict[str, bool]) -> bool:
        word = row.cells[column].lower() if column == "dead" else row.cells[column]
        if word not in words:
            expected = " or ".join(list(words)[:2])
            self._fault(
                row, column, f"{row.cells[column]!r}; expected {expected}{nearest(word, list(words))}"
            )
        return words.get(word, False)

    def _number(self, row: Row, column: str) -> float:
        try:
            value = float(row.cells[column])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self._fault(row, column, f"{row.cells[column]!r}; expected a number")
        return value

    def _positive(self, row: Row, column: str) -> float:
        value = self._number(row, column)
        if value <= 0:
            self._fault(row, column, f"{row.cells[column]}; expected > 0")
        return value

    def _saturation(self, row: Row, increases: bool) -> float:
        if "saturation" in row.cells:
            return self._number(row, "saturation")
        ends = self._number(row, "minimum"), self._number(row, "maximum")
        return ends[increases]

    def _compare_base(self, row: Row, cell: str, behaviour: str) -> None:
        if "base" not in row.cells:
            return
        given = self._number(row, "base")
        ours = self.bases[self.cell_types.index(cell), self.behaviours.index(behaviour)]
        if not math.isclose(given, ours, rel_tol=1e-9, abs_tol=1e-15):
            text = f"base {given:g} is not the base {ours:g} of {behaviour} in {cell}; the cell type's holds"
            self._warn(row, "base", text)

    def share_saturations(self) -> None:
        """Give all rules of one response and direction the saturation read last, as PhysiCell does.

        A row whose signal has no counterpart still counts.
        """
        for number, (row, rule) in enumerate(self.found):
            shared = self.last[direction(rule)]
            if rule.saturation != shared:
                column = "saturation" if "saturation" in row.at else "behaviour"
                text = f"saturation {rule.saturation:g} gives way to {shared:g} of a later row, as there"
                self._warn(row, column, text)
                self.found[number] = (row, replace(rule, saturation=shared))

    def compare_rows(self) -> None:
        """Refuse repeated rows; warn of what PhysiCell 1.14.2 computes otherwise and of units."""
        seen: dict[tuple, int] = {}
        for row, rule in self.found:
            key = (rule.cell, rule.behaviour, rule.signal)
            effect = row.cells["effect"]
            if (*key, rule.increases) in seen:
                line = seen[*key, rule.increases]
                self._fault(row, "signal", f"{rule.signal!r} {effect} it on line {line} already")
            elif (*key, not rule.increases) in seen:
                text = "acts both ways; both rules are kept (PhysiCell 1.14.2 spoils those after them)"
                self._warn(row, "signal", f"{rule.signal!r} {text}")
            seen.setdefault((*key, rule.increases), row.line)
            if rule.behaviour.startswith("secretion "):
                text = "secretion is read as molecules/min; PhysiCell's is a rate towards a target density"
                self._warn(row, "behaviour", text)


def direction(rule: Rule) -> tuple[str, str, bool]:
    """Return what shares a saturation in PhysiCell: cell type, behaviour and direction."""
    return rule.cell, rule.behaviour, rule.increases


def nearest(name: str, known: list[str]) -> str:
    """Return a hint at the nearest known name, or nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
