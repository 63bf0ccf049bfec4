"""One cell in held surroundings whose variables relax with their time constants, for loops inside a cell."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tme_sim.audit.of_scenario import bench_of
from tme_sim.rules.physiology import Physiology
from tme_sim.rules.tables import compile_rules
from tme_sim.scenario.scenario import Scenario


class MadeCell:
    """A cell that starts naive and settled.

    Parameters
    ----------
    scenario : Scenario
    cell : str
        Its type.
    cut : iterable of (signal, behaviour)
        Links that are taken away: no rule from this signal to this behaviour.
    """

    def __init__(self, scenario: Scenario, cell: str = "tumour", cut: Iterable[tuple[str, str]] = ()):
        bench, gone = bench_of(scenario), set(cut)
        known = bench.physiology.tables
        kept = [rule for rule in bench.rules if (rule.signal, rule.behaviour) not in gone]
        assert len(gone) <= len(bench.rules) - len(kept), "a link to cut is no rule"
        tables = compile_rules(kept, known.cell_types, known.signals, known.behaviours, known.arrays.base)
        self.physiology = Physiology(
            tables, bench.physiology.signals, bench.physiology.energy, bench.physiology.layout
        )
        self.kind = np.array([known.cell_types.index(cell)], np.int16)
        self.signals = np.zeros((1, len(known.signals)))
        self.hold(**{name: value for name, value in bench.resting.items() if " " not in name})
        self.behaviours = self.physiology.settle(self.kind, self.signals)
        self.time_min = {name: float(block.time) for name, block in scenario.variables.items()}

    def hold(self, **signals: float) -> None:
        """Set signals, internal units; an underscore in ``drug_`` and ``held_`` stands for a space."""
        for name, value in signals.items():
            word = name.replace("_", " ", 1) if name.startswith(("drug_", "held_")) else name
            self.signals[0, self.physiology.column[word]] = value

    def live(self, days: float, step_min: float = 30.0) -> dict[str, float]:
        """Let time pass and return the variables."""
        layout = self.physiology.layout
        columns = [self.physiology.column[name] for name in layout.variables]
        targets = [self.physiology.behaviour[name] for name in layout.variables]
        share = 1.0 - np.exp(-step_min / np.array([self.time_min[name] for name in layout.variables]))
        for _ in range(round(days * 1440.0 / step_min)):
            self.behaviours = self.physiology.act(self.kind, np.ones(1, bool), self.signals)
            goal = np.clip(self.behaviours[0, targets], 0.0, 1.0)
            self.signals[0, columns] += share * (goal - self.signals[0, columns])
        return self.variables

    @property
    def variables(self) -> dict[str, float]:
        """Present value of each variable."""
        return {
            name: float(self.signals[0, self.physiology.column[name]])
            for name in self.physiology.layout.variables
        }
