"""Says which mechanism is covered by what, and what is amiss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from tme_sim.audit.delivery import unfed
from tme_sim.audit.provenance import NumberUse
from tme_sim.audit.tested_rows import Bench, TestedRow, listed_rows, row_fault
from tme_sim.resources import data_dir
from tme_sim.rules.evidence import EvidenceError, Mechanism, known_sources, mechanisms
from tme_sim.rules.rule import Rule

STATUSES = ("covered", "open", "out of scope", "missing", "not used")


@dataclass(frozen=True)
class Uses:
    """Everything that can cover a mechanism.

    Attributes
    ----------
    rules : sequence of Rule
        All rules, in force or not.
    processes, knobs, readouts : mapping
        Name -> ids it implements: cell types, pools and formulas; interventions; measures.
    measures : mapping
        Name -> ids that it measures and does not cover.
    unmeasured : sequence of str
        Readouts and measures that are named and no scenario has, each with the nearest that one has.
    numbers : sequence of NumberUse
        Numbers with their provenance, where it is to be checked.
    unexplained : sequence of str
        Interventions, with their scenarios, that neither cite a mechanism nor say why they are there.
    fed : set of (Rule, str)
        Rules that get the cargo or the vesicles of a signal, in some scenario.
    """

    rules: Sequence[Rule]
    processes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    knobs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    readouts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers: Sequence[NumberUse] = ()
    unexplained: Sequence[str] = ()
    fed: frozenset[tuple[Rule, str]] = frozenset()
    measures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unmeasured: Sequence[str] = ()


@dataclass(frozen=True)
class CoverageRow:
    """One mechanism: its tier, status, what covers it, the tests that show it and what else measures it."""

    id: str
    tier: str
    status: str
    covered_by: tuple[str, ...]
    tested_by: tuple[str, ...]
    measured_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coverage:
    """The table and the faults; without faults the audit passes."""

    rows: tuple[CoverageRow, ...]
    faults: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Return how many mechanisms have each status."""
        return {status: sum(row.status == status for row in self.rows) for status in STATUSES}


@cache
def open_ids() -> frozenset[str]:
    """Return the ids of seeds/open.yaml: mechanisms that nothing covers yet."""
    return read_open_ids(data_dir("seeds") / "open.yaml")


def read_open_ids(path: Path) -> frozenset[str]:
    """Read a list of open ids.

    Raises
    ------
    EvidenceError
        When the file is no mapping with a list ``open`` of distinct ids.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    ids = data.get("open") if isinstance(data, dict) else None
    if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
        raise EvidenceError(f"{path.name}:1: expected `open:` with a list of ids")
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise EvidenceError(f"{path.name}: repeated: {', '.join(repeated)}")
    return frozenset(ids)


def coverage(
    uses: Uses,
    *,
    statements: Sequence[Mechanism] | None = None,
    still_open: Iterable[str] | None = None,
    tested: Sequence[TestedRow] | None = None,
    benches: Sequence[Bench] = (),
    root: Path | None = None,
    complete: bool = True,
) -> Coverage:
    """Check rules, knobs, readouts and processes against the mechanisms.

    An id is covered when something cites it and a tested row shows it.

    Parameters
    ----------
    uses : Uses
    statements, still_open, tested
        Mechanisms, open ids and tested rows; those of the seeds folder if not given.
    benches : sequence of Bench, optional
        With them, every row on a single cell is run; it must pass on one of them.
    root : Path, optional
        Source tree; with it, every pytest node named by a row must exist.
    complete : bool
        False: what nothing cites is ``not used`` instead of a fault, and its rows are not run; rules may wait
        for cargo that nothing brings.
    """
    statements = mechanisms() if statements is None else statements
    still_open = frozenset(open_ids() if still_open is None else still_open)
    tested = listed_rows() if tested is None else tested
    known = {row.id for row in statements}
    covered, faults = _citations(uses, known)
    if complete:
        faults += _delivery_faults(uses)
    else:
        tested = [row for row in tested if row.id in covered]
    shown, row_faults = _tests(tested, known, benches, root)
    faults += row_faults + _rule_faults(uses.rules) + _number_faults(uses.numbers)
    faults += [
        f"{name}: cites no mechanism; name what it probes in `evidence`, or say in `why` what it is a tool for"
        for name in uses.unexplained
    ]
    faults += [f"built_in.yaml: {name}" for name in uses.unmeasured]
    faults += [f"open.yaml: {name} is no mechanism" for name in sorted(still_open - known)]
    rows = []
    for statement in statements:
        by, tests = covered.get(statement.id, ()), shown.get(statement.id, ())
        status, fault = _judge(statement, by, tests, statement.id in still_open)
        if not (complete or by or status == "out of scope"):
            status, fault = "not used", ""
        if fault:
            faults.append(f"{statement.id} (tier {statement.tier}): {fault}")
        measured = tuple(name for name, ids in uses.measures.items() if statement.id in ids)
        rows.append(CoverageRow(statement.id, statement.tier, status, tuple(by), tuple(tests), measured))
    return Coverage(tuple(rows), tuple(faults))


def _judge(statement: Mechanism, by: Sequence[str], tests: Sequence[str], is_open: bool) -> tuple[str, str]:
    if statement.tier == "D" and not (by and tests):
        return "out of scope", "" if statement.reason else "out of scope without a reason"
    if by and tests:
        return "covered", "listed as open, but covered" if is_open else ""
    if is_open:
        return "open", ""
    if not by:
        return "missing", "neither rule, process, knob nor readout, and not listed as open"
    return "missing", f"no tested row, though {by[0]} cites it"


def _citations(uses: Uses, known: set[str]) -> tuple[dict[str, list[str]], list[str]]:
    named = [(f"rule {_name(rule)}", rule.evidence) for rule in uses.rules]
    for kind, things in (("process", uses.processes), ("knob", uses.knobs), ("readout", uses.readouts)):
        named += [(f"{kind} {name}", tuple(ids)) for name, ids in things.items()]
    covered: dict[str, list[str]] = defaultdict(list)
    faults = []
    for name, ids in named:
        for cited in ids:
            if cited in known:
                covered[cited].append(name)
            else:
                faults.append(f"{name}: cites {cited}, which is no mechanism")
    faults += [
        f"measure {name}: cites {cited}, which is no mechanism"
        for name, ids in uses.measures.items()
        for cited in ids
        if cited not in known
    ]
    return covered, faults


def _rule_faults(rules: Sequence[Rule]) -> list[str]:
    faults = [f"rule {_name(rule)}: cites no mechanism" for rule in rules if not rule.evidence]
    for rule in rules:
        if rule.basis == "assumed" and not rule.why:
            faults.append(f"rule {_name(rule)}: assumed without why")
    return faults


def _delivery_faults(uses: Uses) -> list[str]:
    return [
        f"rule {_name(rule)}: nothing brings {signal.partition(' ')[2]} to {rule.cell} in any scenario with this "
        f"rule; cites {', '.join(rule.evidence)}"
        for rule, signal in unfed(uses.rules, uses.fed)
    ]


def _number_faults(numbers: Sequence[NumberUse]) -> list[str]:
    faults = []
    for number in numbers:
        if not number.source:
            faults.append(f"{number.where}: no source; give one, or `assumed` and why")
        elif number.source not in known_sources():
            faults.append(
                f"{number.where}: source {number.source!r} is neither in the bibliography nor assumed"
            )
        elif number.source == "assumed" and not number.why:
            faults.append(f"{number.where}: assumed without why")
    return faults


def _tests(
    tested: Sequence[TestedRow], known: set[str], benches: Sequence[Bench], root: Path | None
) -> tuple[dict[str, list[str]], list[str]]:
    shown: dict[str, list[str]] = defaultdict(list)
    first: dict[tuple, str] = {}
    faults = []
    for row in tested:
        where = f"tested.csv:{row.line}"
        fault = "" if row.id in known else f"{row.id} is no mechanism"
        if row.test:
            key = (row.test,)
            fault = fault or ("" if root is None else _node_fault(row.test, root))
        else:
            key = (row.cell, row.signal, row.readout, row.sign, row.holding)
            fault = fault or (row_fault(row, benches))
        other = first.setdefault(key, row.id)
        if other != row.id and row.note != f"same statement as {other}":
            fault = (
                fault or f"{row.id} is tested as {other} is; note `same statement as {other}` if that is so"
            )
        if fault:
            faults.append(f"{where}: {fault}")
        else:
            shown[row.id].append(
                row.test or f"{row.cell}: {row.signal} {'+' if row.sign > 0 else '-'} {row.readout}"
            )
    return shown, faults


def _node_fault(node: str, root: Path) -> str:
    file, _, name = node.partition("::")
    path = root / file
    if not path.is_file() or f"def {name.partition('[')[0]}(" not in path.read_text(encoding="utf-8"):
        return f"there is no test {node}"
    return ""


def _name(rule: Rule) -> str:
    return f"{rule.cell}: {rule.signal} {'increases' if rule.increases else 'decreases'} {rule.behaviour}"
