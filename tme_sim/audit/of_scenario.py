"""Audits one scenario: collects what it uses and makes the bench on which tested rows are run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from tme_sim.audit.coverage import Coverage, Uses, coverage
from tme_sim.audit.provenance import numbers_of
from tme_sim.audit.tested_rows import Bench
from tme_sim.model.assemble import assay_of, physiology_of
from tme_sim.model.specs import Numbers
from tme_sim.resources import data_dir
from tme_sim.scenario.scenario import Scenario, layout_of


def audit_scenario(scenario: Scenario, *, complete: bool, root: Path | None = None) -> Coverage:
    """Audit the evidence of a scenario and run its tested rows.

    Parameters
    ----------
    scenario : Scenario
    complete : bool
        True: every mechanism that is neither covered nor open is a fault, as for the scenarios of this
        package. False: only what the scenario cites is judged.
    root : Path, optional
        Source tree; with it, every pytest node named by a tested row must exist.
    """
    return coverage(uses_of(scenario), bench=bench_of(scenario), complete=complete, root=root)


def uses_of(scenario: Scenario) -> Uses:
    """Return everything in a scenario, and in the program, that cites a mechanism."""
    built_in = _built_in()
    processes: dict[str, tuple[str, ...]] = dict(built_in["processes"])
    for kind, blocks in (("cell", scenario.cells), ("pool", scenario.vesicles), ("field", scenario.fields)):
        processes |= {f"{kind} {name}": block.evidence for name, block in blocks.items() if block.evidence}
    for name, cell in scenario.cells.items():
        if cell.metabolism is not None and cell.metabolism.evidence:
            processes[f"metabolism of {name}"] = cell.metabolism.evidence
    knobs = {
        name: ids for name, act in scenario.interventions.items() if (ids := getattr(act, "evidence", ()))
    }
    return Uses(
        tuple(rule.row() for rule in scenario.rules),
        processes=processes,
        knobs=knobs,
        readouts=built_in["readouts"],
        numbers=numbers_of(scenario),
    )


def bench_of(scenario: Scenario) -> Bench:
    """Return the rules in force of a scenario and the surroundings of a naive cell."""
    numbers = Numbers(scenario, layout_of(scenario), scenario.vocabulary, scenario.lattice())
    physiology = physiology_of(numbers)
    naive = assay_of(numbers, physiology).naive_signals(1)[0]
    return Bench(scenario.active_rules(), physiology, dict(zip(physiology.signals.names, naive, strict=True)))


@cache
def _built_in() -> Mapping[str, dict[str, tuple[str, ...]]]:
    data = yaml.safe_load((data_dir("seeds") / "built_in.yaml").read_text(encoding="utf-8"))
    return {
        kind: {name: tuple(ids) for name, ids in (data.get(kind) or {}).items()}
        for kind in ("processes", "readouts")
    }
