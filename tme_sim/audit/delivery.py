"""Says which rules get the cargo or the vesicles that they wait for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tme_sim.rules.rule import Rule
from tme_sim.scenario.scenario import Scenario


def waited_for(rule: Rule) -> list[str]:
    """Return the signals and gates of a rule that vesicles bring: held and arriving cargo, docked pools."""
    signals = (rule.signal, *(gate.signal for gate in rule.gates))
    return [signal for signal in signals if signal.partition(" ")[0] in ("held", "arriving", "docked")]


def fed(scenario: Scenario) -> frozenset[tuple[Rule, str]]:
    """Return the rules of a scenario, in force or not, each with a signal that a pool brings to its cells.

    A pool brings its cargo, and itself, to the types that take it up, if cells release it, an intervention gives it,
    switched on or not, or it is there from the start or held at a face.
    """
    rules = [rule.row() for rule in scenario.rules]
    released = {rule.behaviour for rule in rules if rule.increases and rule.saturation > 0.0}
    given = {act.target for act in scenario.interventions.values() if act.kind == "give_vesicles"}
    brought = set()
    for name, pool in scenario.vesicles.items():
        release = f"release {name}"
        there = pool.start > 0.0 or any(pool.boundary.fixed.values())
        if there or name in given or release in released or scenario.base_value(pool.donor, release) > 0.0:
            loads = [cargo for cargo, units in pool.cargo.items() if units > 0.0]
            signals = [
                f"docked {name}",
                *(f"{word} {cargo}" for word in ("held", "arriving") for cargo in loads),
            ]
            brought |= {
                (cell, signal) for cell, rate in pool.taken_up_by.items() if rate > 0.0 for signal in signals
            }
    return frozenset(
        (rule, signal) for rule in rules for signal in waited_for(rule) if (rule.cell, signal) in brought
    )


def unfed(rules: Sequence[Rule], fed_rules: Collection[tuple[Rule, str]]) -> list[tuple[Rule, str]]:
    """Return the rules that get no vesicle or cargo in any scenario, each with the signal that it waits for."""
    return [
        (rule, signal) for rule in rules for signal in waited_for(rule) if (rule, signal) not in fed_rules
    ]
