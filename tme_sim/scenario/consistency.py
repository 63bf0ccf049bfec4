"""Checks of a scenario as a whole: what each block says must fit the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tme_sim.scenario.checks import Finding
from tme_sim.scenario.condition import Condition
from tme_sim.scenario.consistency_of_matter import (
    donor_findings,
    drug_findings,
    intervention_findings,
    matrix_findings,
    metabolism_findings,
)
from tme_sim.scenario.consistency_of_space import boundary_findings, tissue_findings, vessel_findings
from tme_sim.scenario.dosing import Dose
from tme_sim.scenario.faults import Path, nearest, shown
from tme_sim.scenario.heredity import heredity_findings
from tme_sim.scenario.intervention import Intervention
from tme_sim.scenario.resolved import written
from tme_sim.scenario.rule_text import RuleSpec
from tme_sim.scenario.scenario import Scenario


def check_scenario(scenario: Scenario, measures: frozenset[str] | None) -> Iterator[Finding]:
    """Yield what does not fit together."""
    yield from vessel_findings(scenario)
    yield from tissue_findings(scenario)
    yield from boundary_findings(scenario)
    yield from metabolism_findings(scenario)
    yield from drug_findings(scenario)
    yield from intervention_findings(scenario)
    yield from donor_findings(scenario)
    yield from heredity_findings(scenario.heredity())
    yield from matrix_findings(scenario)
    yield from _rules(scenario)
    yield from _conditions(scenario, measures)
    yield from _schedules(scenario)
    yield from _adjustable(scenario)


def _rules(scenario: Scenario) -> Iterator[Finding]:
    seen: dict[tuple, int] = {}
    for i, rule in enumerate(scenario.rules):
        if not scenario.in_force(rule):
            continue
        key = (
            rule.cell,
            rule.signal,
            rule.effect,
            rule.behaviour,
            rule.dead,
            frozenset(map(str, rule.gates)),
        )
        if key in seen:
            reason = f"repeats rules[{seen[key]}]: same cell, signal, effect, behaviour and gates"
            yield Finding(("rules", i), reason)
        seen.setdefault(key, i)
        base = scenario.base_value(rule.cell, rule.behaviour)
        if rule.effect == "increases" and rule.to < base:
            reason = (
                f"got {rule.to.written}, below the base value of {rule.behaviour} in {rule.cell}; a rule that"
            )
            beside = ("cells", rule.cell, "base", rule.behaviour)
            yield Finding(("rules", i, "to"), f"{reason} increases must lead above it", beside=beside)
        if rule.effect == "decreases" and rule.to > _highest(scenario, rule, base):
            reason = (
                f"got {rule.to.written}, above all that {rule.behaviour} reaches in {rule.cell}; a rule that"
            )
            yield Finding(("rules", i, "to"), f"{reason} decreases must lead below it")
        if rule.behaviour == "cycle entry" and scenario.cells[rule.cell].cycle is None:
            reason = f"{rule.cell} has no cycle; write cells.{rule.cell}.cycle"
            yield Finding(("rules", i, "behaviour"), reason)


def _highest(scenario: Scenario, rule: RuleSpec, base: float) -> float:
    ups = (
        float(other.to)
        for other in scenario.rules
        if (other.cell, other.behaviour, other.effect) == (rule.cell, rule.behaviour, "increases")
    )
    return max((base, *ups))


def _conditions(scenario: Scenario, measures: frozenset[str] | None) -> Iterator[Finding]:
    if measures is None:
        return
    conditions: list[tuple[Path, Condition]] = [(("stop", i), item) for i, item in enumerate(scenario.stop)]
    for name, act in scenario.interventions.items():
        conditions += _of(("interventions", name), act)
    for name, drug in scenario.drugs.items():
        for i, dose in enumerate(drug.schedule):
            conditions += _of(("drugs", name, "schedule", i), dose)
    for path, condition in conditions:
        if condition.comparison and condition.measure not in measures:
            reason = f"{condition.measure} is no measure"
            yield Finding(path, reason, nearest(condition.measure, measures))


def _of(path: Path, block: Intervention | Dose) -> list[tuple[Path, Condition]]:
    pairs = (("when", block.when), ("stop_when", block.stop_when))
    return [((*path, key), condition) for key, condition in pairs if condition is not None]


def _schedules(scenario: Scenario) -> Iterator[Finding]:
    step = scenario.time.step
    pairs: list[tuple[Path, Any]] = [
        (("record", "measures"), scenario.record.measures),
        (("record", "snapshots"), scenario.record.snapshots),
    ]
    if scenario.resistance is not None:
        pairs.append((("resistance", "every"), scenario.resistance.every))
    for path, every in pairs:
        if 0 < every < step:
            yield Finding(
                path, f"got {every.written}; expected no more often than every step, {step.written}"
            )


def _adjustable(scenario: Scenario) -> Iterator[Finding]:
    data = written(scenario)
    for i, key in enumerate(scenario.adjustable):
        node: Any = data
        for part in key.split("."):
            if isinstance(node, list):
                names = {str(at): item for at, item in enumerate(node)}
                names |= {item["name"]: item for item in node if isinstance(item, dict) and "name" in item}
            else:
                names = node if isinstance(node, dict) else {}
            if part not in names:
                reason = f"got {shown(key)}; there is no {shown(part)}"
                yield Finding(("adjustable", i), reason, nearest(part, names))
                break
            node = names[part]
        else:
            if isinstance(node, list) or (isinstance(node, dict) and "value" not in node):
                yield Finding(
                    ("adjustable", i), f"got {shown(key)}, a whole block; expected the key of one value"
                )
