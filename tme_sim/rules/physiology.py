"""From what cells feel to what they do: signals, energy and rules, for real cells and for thought ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tme_sim.rules.energy import Energy
from tme_sim.rules.evaluate import decide, evaluate
from tme_sim.rules.expression import Expression
from tme_sim.rules.signals import SignalTable, gather_signals, sources_of
from tme_sim.rules.tables import RuleTables
from tme_sim.state.codes import ALIVE
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

# Up to which round of `settle` variables go which share of the way to their targets.
_SHARES = ((10, 0.5), (30, 1.0), (80, 0.5), (10**9, 0.1))


# What acts on behaviours besides rules: called with which cells they are of, int64 (n,), and io_behaviours
# (n, n_behaviours).
Change = Callable[[np.ndarray, np.ndarray], None]


class Physiology:
    """Reads signals and turns them into behaviours.

    Parameters
    ----------
    tables : RuleTables
    signals : SignalTable
        Must hold every field and every variable of the layout.
    energy : Energy
    layout : Layout
    expression : Expression, optional
        What heritable traits do; with it the signals must hold every trait.
    """

    def __init__(
        self,
        tables: RuleTables,
        signals: SignalTable,
        energy: Energy,
        layout: Layout,
        expression: Expression | None = None,
    ):
        self.tables, self.signals, self.energy, self.layout = tables, signals, energy, layout
        self.expression = expression or Expression.none()
        self.column = {name: i for i, name in enumerate(signals.names)}
        self.behaviour = {name: i for i, name in enumerate(tables.behaviours)}
        self._field_columns = np.array([self.column[name] for name in layout.fields], np.int64)
        self._variable_columns = np.array([self.column[name] for name in layout.variables], np.int64)
        self.trait_columns = [self.column[f"trait {name}"] for name in layout.traits]
        self._target_columns = np.array([self.behaviour[name] for name in layout.variables], np.int64)

    def read(self, tissue: Tissue) -> tuple[np.ndarray, np.ndarray]:
        """Return signals (n, n_signals) and metabolic fluxes (n, 5) of all cells, dead ones included."""
        flux = self._flux(tissue)
        signals = np.zeros((tissue.cells.n, len(self.signals.names)))
        gather_signals(tissue, self.signals, flux[:, 0], signals)
        return signals, flux

    def decide(self, tissue: Tissue, out_behaviours: np.ndarray) -> np.ndarray:
        """Write the behaviours of all cells, without metabolic uptake and secretion; return metabolic fluxes (n, 5).

        What `read` and `act` do, but that each signal is read only where a rule asks for it.
        """
        cells, flux, table = tissue.cells, self._flux(tissue), self.signals
        sources = sources_of(tissue, table, flux[:, 0])
        decide(
            cells.n, self.tables.arrays, table.source, table.column, table.factor, sources, out_behaviours.T
        )
        if self.trait_columns:
            self.expression.act(cells["type"], cells.alive(), cells["traits"], out_behaviours)
        return flux

    def _flux(self, tissue: Tissue) -> np.ndarray:
        cells = tissue.cells
        return self.energy.assess(
            cells["type"], cells["death"], tissue.field_table.T, cells.whole("variables"), cells["site"]
        )

    def act(self, cell_type: np.ndarray, alive: np.ndarray, signals: np.ndarray) -> np.ndarray:
        """Return behaviours, float64 (n, n_behaviours), without metabolic uptake and secretion."""
        out = np.zeros((len(cell_type), len(self.tables.behaviours)))
        evaluate(self.tables, cell_type, alive, signals, out)
        if self.trait_columns:
            self.expression.act(cell_type, alive, signals[:, self.trait_columns], out)
        return out

    def settle(
        self,
        cell_type: np.ndarray,
        signals: np.ndarray,
        change: Change | None = None,
        rounds: int = 200,
        tolerance: float = 1e-9,
    ) -> np.ndarray:
        """Hold everything but the intracellular variables and let these reach their quasi-steady state.

        Parameters
        ----------
        cell_type : int16 (n,)
        signals : float64 (n, n_signals)
            Changed in place: variables and ``energy`` become consistent with the rest.
        change : callable, optional
            What acts on behaviours besides rules and traits in every round; counts the cells by their rows here.
        rounds, tolerance : int, float
            Variables move towards their targets in each round, until none of a cell moves by more than the
            tolerance: half-way at first, which follows the slow path from where the cell is; then all the way,
            which ends a cascade within its length; then less again, where steep feedback makes that circle.

        Returns
        -------
        float64 (n, n_behaviours)
            Behaviours in that state.
        """
        behaviours = np.zeros((len(cell_type), len(self.tables.behaviours)))
        rows, now, kind = np.arange(len(cell_type)), signals.copy(), cell_type
        for round_ in range(rounds):
            found = self._behave(kind, now)
            if change is not None:
                change(rows, found)
            goal = np.clip(found[:, self._target_columns], 0.0, 1.0)
            share = next(share for until, share in _SHARES if round_ < until)
            step = share * (goal - now[:, self._variable_columns])
            now[:, self._variable_columns] += step
            moving = np.any(np.abs(step) >= tolerance, axis=1)
            if round_ + 1 < rounds and moving.all():
                continue
            done = ~moving if round_ + 1 < rounds else np.ones_like(moving)
            signals[rows[done]], behaviours[rows[done]] = now[done], found[done]
            rows, now, kind = rows[moving], now[moving], kind[moving]
            if len(rows) == 0:
                break
        return behaviours

    def _behave(self, cell_type: np.ndarray, io_signals: np.ndarray) -> np.ndarray:
        """Return behaviours of living cells, float64 (n, n_behaviours); ``energy`` follows fields and variables."""
        if "energy" in self.column:
            at_site = np.ascontiguousarray(io_signals[:, self._field_columns].T)
            variables = np.ascontiguousarray(io_signals[:, self._variable_columns].T)
            flux = self.energy.assess(cell_type, np.full(len(cell_type), ALIVE, np.int8), at_site, variables)
            io_signals[:, self.column["energy"]] = flux[:, 0]
        return self.act(cell_type, np.ones(len(cell_type), bool), io_signals)
