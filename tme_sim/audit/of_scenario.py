"""Audits scenarios: collects what they use and makes the benches on which tested rows are run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import yaml

from tme_sim.audit.coverage import Coverage, Uses, coverage
from tme_sim.audit.delivery import fed
from tme_sim.audit.provenance import numbers_of
from tme_sim.audit.tested_rows import Bench
from tme_sim.measures.registry import measures_for
from tme_sim.model.assemble import assay_of, physiology_of
from tme_sim.model.specs import Numbers
from tme_sim.resources import data_dir
from tme_sim.rules.rule import Rule
from tme_sim.scenario.faults import nearest
from tme_sim.scenario.load import load_scenario
from tme_sim.scenario.scenario import Scenario, layout_of

# What stands for any name in the name of a measure.
_ANY_NAME = re.compile("DRUG|POOL|CELL|CARGO|ROUTE")


def audit_scenario(scenario: Scenario) -> Coverage:
    """Judge what one scenario cites, and run its tested rows."""
    return coverage(uses_of(scenario), benches=benches_of([scenario]), complete=False)


def audit_package(
    scenarios: Sequence[Scenario], joined: Sequence[Scenario] = (), root: Path | None = None
) -> Coverage:
    """Audit scenarios that together answer for every mechanism: what none covers and is not open is a fault.

    Parameters
    ----------
    scenarios : sequence of Scenario
        Those of this package that implement documents.
    joined : sequence of Scenario
        Those that experiments join from other libraries; what they bring to cells counts, and nothing else.
    root : Path, optional
        Source tree; with it, every pytest node named by a tested row must exist.
    """
    return coverage(uses_of_package(scenarios, joined), benches=benches_of(scenarios), root=root)


def uses_of_package(scenarios: Sequence[Scenario], joined: Sequence[Scenario] = ()) -> Uses:
    """Return what scenarios use together, and which measures are named that none of them has."""
    uses = together([uses_of(scenario) for scenario in scenarios])
    return replace(uses, fed=uses.fed.union(*map(fed, joined)), unmeasured=_unmeasured(uses, scenarios))


def _unmeasured(uses: Uses, scenarios: Sequence[Scenario]) -> list[str]:
    """Return the readouts and measures that are named and no scenario has; readouts in words are functions instead."""
    layouts = [layout_of(scenario) for scenario in scenarios]
    known = sorted({name for layout in layouts for name in measures_for(layout)})
    drugs = "|".join(sorted({drug for layout in layouts for drug in layout.drugs}))
    missing = []
    for name in (*uses.measures, *(readout for readout in uses.readouts if " " not in readout)):
        any_name = _ANY_NAME.search(name)
        pattern = re.compile(_ANY_NAME.sub(r"\\w+", name) if any_name else f"{re.escape(name)}(_({drugs}))?")
        if not any(map(pattern.fullmatch, known)):
            like = nearest(name, known)
            missing.append(f"{name} is a measure of no scenario{f' (did you mean {like}?)' if like else ''}")
    return missing


def documented_scenarios() -> list[Scenario]:
    """Return the scenarios of this package that implement documents, by name; others are examples."""
    found = [load_scenario(file) for file in sorted(data_dir("configs").glob("*.yaml"))]
    return [scenario for scenario in found if scenario.documents]


def joined_scenarios() -> list[Scenario]:
    """Return the scenarios that experiments of this package join from other libraries than those they start from."""
    found = []
    for file in sorted(data_dir("experiments").glob("*.yaml")):
        experiment = yaml.safe_load(file.read_text(encoding="utf-8"))
        if libraries := experiment.get("settings", {}).get("use"):
            found.append(load_scenario(experiment["scenario"], [f"use=[{', '.join(libraries)}]"]))
    return found


def together(uses: Sequence[Uses]) -> Uses:
    """Return the uses of several scenarios as one, each rule and number once."""
    processes, knobs, readouts = ({}, {}, {})
    for one in uses:
        for merged, named in ((processes, one.processes), (knobs, one.knobs), (readouts, one.readouts)):
            for name, ids in named.items():
                merged[name] = tuple(dict.fromkeys((*merged.get(name, ()), *ids)))
    rules = dict.fromkeys(rule for one in uses for rule in one.rules)
    numbers = dict.fromkeys(number for one in uses for number in one.numbers)
    unexplained = tuple(name for one in uses for name in one.unexplained)
    brought = frozenset[tuple[Rule, str]]().union(*(one.fed for one in uses))
    measures = dict(item for one in uses for item in one.measures.items())  # of the program, the same in all
    return Uses(tuple(rules), processes, knobs, readouts, tuple(numbers), unexplained, brought, measures)


def uses_of(scenario: Scenario) -> Uses:
    """Return everything in a scenario, and in the program, that cites a mechanism."""
    built_in = _built_in()
    processes: dict[str, tuple[str, ...]] = dict(built_in["processes"])
    for kind, blocks in (
        ("cell", scenario.cells),
        ("pool", scenario.vesicles),
        ("integrin", scenario.integrins),
        ("cargo", scenario.cargo),
        ("field", scenario.fields),
    ):
        processes |= {f"{kind} {name}": block.evidence for name, block in blocks.items() if block.evidence}
    for name, cell in scenario.cells.items():
        if cell.metabolism is not None and cell.metabolism.evidence:
            processes[f"metabolism of {name}"] = cell.metabolism.evidence
        for pump, spec in (cell.metabolism.pumps if cell.metabolism else {}).items():
            if spec.evidence:
                processes[f"pump {pump} of {name}"] = spec.evidence
    acts = scenario.interventions.items()
    return Uses(
        tuple(rule.row() for rule in scenario.rules),
        processes=processes,
        knobs={name: act.evidence for name, act in acts if act.evidence},
        readouts=built_in["readouts"],
        numbers=numbers_of(scenario),
        unexplained=[
            f"knob {name} of {scenario.scenario}" for name, act in acts if not (act.evidence or act.why)
        ],
        fed=fed(scenario),
        measures=built_in["measures"],
    )


def bench_of(scenario: Scenario) -> Bench:
    """Return the rules in force of a scenario and the surroundings of a naive cell."""
    numbers = Numbers(scenario, layout_of(scenario), scenario.vocabulary, scenario.lattice())
    physiology = physiology_of(numbers)
    naive = assay_of(numbers, physiology).naive_signals(1)[0]
    return Bench(scenario.active_rules(), physiology, dict(zip(physiology.signals.names, naive, strict=True)))


def benches_of(scenarios: Sequence[Scenario]) -> list[Bench]:
    """Return the bench of every scenario as it stands, then those of each alternative it does not choose."""
    return [bench_of(s) for s in scenarios] + [bench_of(v) for s in scenarios for v in _alternatives(s)]


def _alternatives(scenario: Scenario) -> list[Scenario]:
    """Return the scenario once for every name of a hypothesis set that it mentions and does not choose."""
    named = dict.fromkeys(rule.hypothesis for rule in scenario.rules if rule.hypothesis is not None)
    pairs = [name.partition(".")[::2] for name in named]
    return [
        scenario.model_copy(update={"hypotheses": {**scenario.hypotheses, group: name}})
        for group, name in pairs
        if scenario.hypotheses.get(group) != name
    ]


@cache
def _built_in() -> Mapping[str, dict[str, tuple[str, ...]]]:
    data = yaml.safe_load((data_dir("seeds") / "built_in.yaml").read_text(encoding="utf-8"))
    return {
        kind: {name: tuple(ids) for name, ids in (data.get(kind) or {}).items()}
        for kind in ("processes", "readouts", "measures")
    }
