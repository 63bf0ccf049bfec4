"""A Mesa model whose agents are the cells of a tissue, beside ordinary Mesa agents."""

# Mesa declares its own private set class as the result of agents and agents_by_type; ours has its methods.
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakValueDictionary

import mesa
import numpy as np
from mesa.agentset import AbstractAgentSet

from tme_sim.model.agents import CellAgent, agent_class
from tme_sim.model.agentset import CellSet
from tme_sim.model.exchange import site_values, supply, unknown_name
from tme_sim.model.mesa_grid import TissueGrid
from tme_sim.processes.fate import release_contents
from tme_sim.state.codes import ALIVE, REMOVED
from tme_sim.state.events import DEATH
from tme_sim.state.tissue import Tissue

# One for the process: two threads inside compiled kernels abort it. Outside the model: locks do not pickle.
STEP_LOCK = threading.RLock()


class CellModel(mesa.Model):
    """Base of models with a `tissue`: agents, ids, grid, lock and pickling as a Mesa user expects them.

    A subclass calls ``super().__init__(rng=rng)``, sets ``self.tissue`` before any ordinary agent is made,
    and writes `step`. Ordinary agents (any `mesa.Agent`) are registered by Mesa; `step_registered_agents`
    steps them.

    Attributes
    ----------
    drug_fields : mapping
        Field of each drug that is not dissolved in a field of its own name.
    """

    drug_fields: Mapping[str, str] = {}
    _rows_kept = False
    _tissue: Tissue | None = None
    _next_id_before_tissue = 1

    def __init__(self, *, rng: Any = None):
        self.make_views()
        super().__init__(rng=rng)

    @property
    def lock(self) -> threading.RLock:
        """Held while any model of the process steps; hold it while drawing."""
        return STEP_LOCK

    def _advance_time(self, until: float) -> None:
        # Private to Mesa, but the one way through which step, run_for and run_until all go.
        with self.lock:
            super()._advance_time(until)

    @property
    def tissue(self) -> Tissue:
        """State of the run."""
        if self._tissue is None:
            raise AttributeError(f"{type(self).__name__}.tissue is not set yet")
        return self._tissue

    @tissue.setter
    def tissue(self, tissue: Tissue) -> None:
        registered = [agent.unique_id for agent in self.registered_agents]
        if np.isin(tissue.cells["id"], registered).any():
            raise ValueError("a cell has the id of a registered agent; set tissue before agents are made")
        if self._tissue is not None and self._tissue.grid.shape != tissue.grid.shape:
            self.__dict__.pop("_grid", None)
        tissue.cells.next_id = max(tissue.cells.next_id, self.agent_id_counter)
        self._tissue = tissue

    @property
    def agent_id_counter(self) -> int:
        """Next id of a cell or agent: Mesa's counter and that of the cells are one, kept with the cells."""
        return self._next_id_before_tissue if self._tissue is None else self._tissue.cells.next_id

    @agent_id_counter.setter
    def agent_id_counter(self, value: int) -> None:
        if self._tissue is None:
            self._next_id_before_tissue = value
        else:
            self._tissue.cells.next_id = value

    @property
    def agents(self) -> CellSet:
        """Living cells and registered ordinary agents, by id."""
        return CellSet(self)

    @property
    def cells(self) -> CellSet:
        """Living cells, by id."""
        return CellSet(self, cells_only=True)

    @property
    def registered_agents(self) -> AbstractAgentSet:
        """Ordinary agents, as Mesa keeps them."""
        return super().agents

    @property
    def agents_by_type(self) -> dict[type[mesa.Agent], AbstractAgentSet]:
        """Agents by class: one of every cell type, then those of ordinary agents."""
        cells = {agent_class(name): CellSet(self, cell_type=name) for name in self.tissue.layout.cell_types}
        return {**cells, **super().agents_by_type}

    @property
    def agent_types(self) -> list[type]:
        """Classes of agents: one of every cell type, then those of ordinary agents."""
        return list(self.agents_by_type)

    def agent_class(self, cell_type: str) -> type[CellAgent]:
        """Return the agent class of a cell type of this model."""
        if cell_type not in self.tissue.layout.cell_types:
            raise KeyError(unknown_name("cell type", cell_type, self.tissue.layout.cell_types))
        return agent_class(cell_type)

    def cell(self, unique_id: int) -> CellAgent:
        """Return one cell, alive or remains; KeyError where it has left the tissue."""
        cells = self.tissue.cells
        row = int(cells.rows_of(np.array([unique_id]))[0])
        if row < 0:
            raise KeyError(f"no cell {unique_id} in the tissue")
        return agent_class(self.tissue.layout.cell_types[cells["type"][row]]).view(self, unique_id, row)

    def site(self, pos: Sequence[int]) -> int:
        """Return the flat index of the site at (x, y[, z])."""
        z = pos[2] if len(pos) == 3 else 0
        return int(np.ravel_multi_index((z, pos[1], pos[0]), self.tissue.grid.shape))

    def value_at(self, name: str, pos: Sequence[int]) -> float:
        """Return a field (its unit) or the free vesicles of a pool at (x, y[, z])."""
        return float(site_values(self.tissue, name, self.site(pos)))

    def supply(self, name: str, pos: Sequence[int], amount: float) -> None:
        """Add to a field (its unit) or pool (vesicles) at (x, y[, z]), negative to take; the books say so."""
        supply(self.tissue, name, self.site(pos), amount, self._drug_columns())

    def step_registered_agents(self) -> None:
        """Step the ordinary agents in random order; cells that they take out leave when all have stepped."""
        with self.rows_kept():
            self.registered_agents.shuffle_do("step")

    def deregister_agent(self, agent: mesa.Agent) -> None:
        """Take an agent out of the model; a cell leaves the tissue."""
        if isinstance(agent, CellAgent):
            agent.remove()
        else:
            super().deregister_agent(agent)

    def _drug_columns(self) -> np.ndarray:
        layout = self.tissue.layout
        names = [self.drug_fields.get(drug, drug) for drug in layout.drugs]
        return np.array([layout.fields.index(n) if n in layout.fields else -1 for n in names], np.int64)

    @contextmanager
    def rows_kept(self) -> Iterator[None]:
        """Let no row move within a step: cells taken out meanwhile are dead at once, and leave at the end."""
        self._rows_kept = True
        try:
            yield
        finally:
            self._rows_kept = False
            self.tissue.cells.remove(np.flatnonzero(self.tissue.cells["death"] == REMOVED))

    def remove_cells(self, ids: Iterable[int]) -> None:
        """Take cells out of the tissue, with a death event each for the living; unknown ids are passed over.

        What they had docked and held is given back to their sites.
        """
        rows = self.tissue.cells.rows_of(np.unique(np.fromiter(ids, np.int64)))
        self.remove_rows(rows[rows >= 0])

    def remove_rows(self, rows: np.ndarray) -> None:
        """Take the cells of distinct rows (n,), in order of id, out of the tissue, as `remove_cells` does."""
        tissue, cells = self.tissue, self.tissue.cells
        minutes = tissue.clock.minutes + (tissue.clock.dt_min if self._rows_kept else 0.0)
        living = rows[cells["death"][rows] == ALIVE]
        if len(living):
            release_contents(tissue, living, self._drug_columns())
            deaths = np.zeros(len(living), DEATH)
            deaths["minutes"], deaths["cause"], deaths["drug"] = minutes, REMOVED, -1
            for name in ("id", "type", "site"):
                deaths[name] = cells[name][living]
            tissue.events.deaths.append(deaths)
            cells["died_min"][living] = minutes
        cells["death"][rows] = REMOVED
        if not self._rows_kept:
            cells.remove(rows)

    def remove_all_agents(self) -> None:
        """Take all cells, remains and ordinary agents out of the model."""
        self.remove_cells(self.tissue.cells["id"].tolist())
        super().remove_all_agents()

    @property
    def grid(self) -> TissueGrid:
        """The tissue as a Mesa grid, made when asked for; two dimensions only."""
        if "_grid" not in self.__dict__:
            self.__dict__["_grid"] = TissueGrid(self)
        return self.__dict__["_grid"]

    def make_views(self) -> None:
        """Make the weak cache of views by id, where there is none yet."""
        self.__dict__.setdefault("_views", WeakValueDictionary())

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_views"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.make_views()
