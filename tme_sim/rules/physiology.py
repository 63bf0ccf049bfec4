"""From what cells feel to what they do: signals, energy and rules, for real cells and for thought ones."""

from __future__ import annotations

import numpy as np

from tme_sim.rules.energy import Energy
from tme_sim.rules.evaluate import evaluate
from tme_sim.rules.signals import SignalTable, gather_signals
from tme_sim.rules.tables import RuleTables
from tme_sim.state.codes import ALIVE
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue


class Physiology:
    """Reads signals and turns them into behaviours.

    Parameters
    ----------
    tables : RuleTables
    signals : SignalTable
        Must hold every field and every variable of the layout.
    energy : Energy
    layout : Layout
    """

    def __init__(self, tables: RuleTables, signals: SignalTable, energy: Energy, layout: Layout):
        self.tables, self.signals, self.energy, self.layout = tables, signals, energy, layout
        self.column = {name: i for i, name in enumerate(signals.names)}
        self.behaviour = {name: i for i, name in enumerate(tables.behaviours)}
        self._field_columns = np.array([self.column[name] for name in layout.fields], np.int64)
        self._variable_columns = np.array([self.column[name] for name in layout.variables], np.int64)
        self._target_columns = np.array([self.behaviour[name] for name in layout.variables], np.int64)

    def read(self, tissue: Tissue) -> tuple[np.ndarray, np.ndarray]:
        """Return signals (n, n_signals) and metabolic fluxes (n, 5) of all cells, dead ones included."""
        cells = tissue.cells
        at_site = tissue.fields.reshape(tissue.grid.n_sites, -1)[cells["site"]]
        flux = self.energy.assess(cells["type"], cells["death"], at_site, cells["variables"])
        signals = np.zeros((cells.n, len(self.signals.names)))
        gather_signals(tissue, self.signals, np.ascontiguousarray(flux[:, 0]), signals)
        return signals, flux

    def act(self, cell_type: np.ndarray, alive: np.ndarray, signals: np.ndarray) -> np.ndarray:
        """Return behaviours, float64 (n, n_behaviours), without metabolic uptake and secretion."""
        out = np.zeros((len(cell_type), len(self.tables.behaviours)))
        evaluate(self.tables, cell_type, alive, signals, out)
        return out

    def settle(self, cell_type: np.ndarray, signals: np.ndarray, rounds: int = 200, tolerance: float = 1e-9) -> np.ndarray:
        """Hold everything but the intracellular variables and let these reach their quasi-steady state.

        Parameters
        ----------
        cell_type : int16 (n,)
        signals : float64 (n, n_signals)
            Changed in place: variables and ``energy`` become consistent with the rest.
        rounds, tolerance : int, float
            Variables move half-way to their targets in each round, until none moves by more than the tolerance.

        Returns
        -------
        float64 (n, n_behaviours)
            Behaviours in that state.
        """
        alive = np.ones(len(cell_type), bool)
        death = np.full(len(cell_type), ALIVE, np.int8)
        at_site = np.ascontiguousarray(signals[:, self._field_columns])
        behaviours = np.zeros((len(cell_type), len(self.tables.behaviours)))
        for _ in range(rounds):
            variables = np.ascontiguousarray(signals[:, self._variable_columns])
            if "energy" in self.column:
                signals[:, self.column["energy"]] = self.energy.assess(cell_type, death, at_site, variables)[:, 0]
            evaluate(self.tables, cell_type, alive, signals, behaviours)
            step = 0.5 * (np.clip(behaviours[:, self._target_columns], 0.0, 1.0) - variables)
            signals[:, self._variable_columns] = variables + step
            if step.size == 0 or np.abs(step).max() < tolerance:
                break
        return behaviours
