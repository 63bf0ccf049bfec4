"""Makes the bench of a scenario, on which tested rows are run."""

from __future__ import annotations

from tme_sim.audit.tested_rows import Bench
from tme_sim.model.assemble import assay_of, physiology_of
from tme_sim.model.specs import Numbers
from tme_sim.scenario.scenario import Scenario, layout_of


def bench_of(scenario: Scenario) -> Bench:
    """Return the rules in force of a scenario and the surroundings of a naive cell."""
    numbers = Numbers(scenario, layout_of(scenario), scenario.vocabulary, scenario.lattice())
    physiology = physiology_of(numbers)
    naive = assay_of(numbers, physiology).naive_signals(1)[0]
    return Bench(scenario.active_rules(), physiology, dict(zip(physiology.signals.names, naive, strict=True)))
