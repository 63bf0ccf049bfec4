"""Imports and exports PhysiCell's rules CSV."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tme_sim.rules.physicell_names import behaviour_dictionary, signal_dictionary
from tme_sim.rules.physicell_reader import Remark, RuleReader, direction
from tme_sim.rules.rule import Rule


@dataclass(frozen=True)
class ImportReport:
    """Rules read, what has no counterpart here, where the meaning needs care, and faults.

    With faults ``rules`` is empty: nothing is imported by halves.
    """

    rules: tuple[Rule, ...]
    not_imported: tuple[Remark, ...]
    warnings: tuple[Remark, ...]
    faults: tuple[Remark, ...]


@dataclass(frozen=True)
class ExportReport:
    """A rules CSV of version 3, and what it cannot say; rules it cannot say are commented out in it."""

    text: str
    cannot_say: tuple[str, ...]


def import_csv(
    text: str,
    path: str,
    cell_types: Sequence[str],
    signals: Sequence[str],
    behaviours: Sequence[str],
    bases: np.ndarray,
) -> ImportReport:
    """Read a rules CSV of version 3 (8 columns), 1 (9) or 0 (10), told apart row by row.

    PhysiCell keeps one saturation per cell type, behaviour and direction, the last one read: so do the
    imported rules, with a warning where rows differ. Numbers are taken in this project's internal units.

    Parameters
    ----------
    text : str
        The file.
    path : str
        Its name, for remarks.
    cell_types, signals, behaviours : sequence of str
        Names of the scenario in the rule words.
    bases : float64 (n_types, n_behaviours)
        Base values, internal units, for comparison with those in versions 0 and 1.
    """
    bases = np.asarray(bases, float).reshape(len(cell_types), len(behaviours))
    reader = RuleReader(path, list(cell_types), list(behaviours), bases)
    names = (list(cell_types), list(signals), list(behaviours))
    reader.dictionaries = {"signal": signal_dictionary(*names), "behaviour": behaviour_dictionary(*names)}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("//"):
            reader.read(number, line)
    reader.share_saturations()
    reader.compare_rows()
    rules = () if reader.faults else tuple(rule for _, rule in reader.found)
    remarks = (reader.not_imported, reader.warnings, reader.faults)
    return ImportReport(rules, *(tuple(sorted(kind, key=_place)) for kind in remarks))


def export_csv(
    rules: Sequence[Rule], cell_types: Sequence[str], signals: Sequence[str], behaviours: Sequence[str]
) -> ExportReport:
    """Write rules as CSV of version 3; those that it cannot say are commented out and listed.

    Parameters
    ----------
    rules : sequence of Rule
    cell_types, signals, behaviours : sequence of str
        Names of the scenario in the rule words.
    """
    names = (list(cell_types), list(signals), list(behaviours))
    to_signal, to_behaviour = signal_dictionary(*names).theirs, behaviour_dictionary(*names).theirs
    groups: dict[tuple, list[Rule]] = defaultdict(list)
    for rule in rules:
        groups[direction(rule)].append(rule)
    lines, cannot_say = [], []
    for number, rule in enumerate(rules):
        where = f"rules[{number}] ({rule.cell}: {rule.signal} -> {rule.behaviour})"
        problems = _cannot_say(rule, groups[direction(rule)], to_signal, to_behaviour)
        cannot_say += [f"{where}: {problem}" for problem in problems]
        if rule.signal in (
            other.signal for other in groups[direction(replace(rule, increases=not rule.increases))]
        ):
            cannot_say.append(
                f"{where}: PhysiCell 1.14.2 spoils the rules after a signal that acts both ways"
            )
        cells = (
            rule.cell,
            to_signal.get(rule.signal, rule.signal),
            "increases" if rule.increases else "decreases",
            to_behaviour.get(rule.behaviour, rule.behaviour),
            *(repr(float(value)) for value in (rule.saturation, rule.half_max, rule.hill)),
            str(int(rule.dead)),
        )
        if rule.evidence:
            lines.append(f"// {', '.join(rule.evidence)} ({rule.basis})")
        lines.append(("// " if problems else "") + ",".join(cells))
    if any(rule.evidence for rule in rules):
        cannot_say.append("evidence and basis of the rules: written as comments")
    return ExportReport("".join(f"{line}\n" for line in lines), tuple(cannot_say))


def _place(remark: Remark) -> tuple[int, int]:
    return remark.line, remark.column


def _cannot_say(
    rule: Rule, group: list[Rule], to_signal: dict[str, str], to_behaviour: dict[str, str]
) -> list[str]:
    problems = []
    if rule.signal not in to_signal:
        problems.append(f"signal {rule.signal!r} has no name in PhysiCell")
    if rule.behaviour not in to_behaviour:
        problems.append(f"behaviour {rule.behaviour!r} has no name in PhysiCell")
    if rule.gates:
        problems.append("gates (while ...)")
    if len({other.saturation for other in group}) > 1:
        problems.append(
            f"saturation {rule.saturation:g} differs from that of another rule of the same direction"
        )
    if sum(other.signal == rule.signal for other in group) > 1:
        problems.append("the same signal and direction twice")
    if any("," in name or "\n" in name for name in (rule.cell, rule.signal, rule.behaviour)):
        problems.append("a comma in a name")
    return problems
