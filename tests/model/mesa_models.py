"""A tiny model on a real tissue, and ordinary agents, for the tests of the Mesa contract."""

import mesa
import numpy as np
from mesa.discrete_space import CellAgent as MovingAgent

from tme_sim.model.mesa_base import CellModel
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.codes import APOPTOSIS
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue

LAYOUT = Layout(
    cell_types=("tumour", "hsc", "activated_hsc"),
    variables=("ATP", "HIF"),
    fields=("oxygen", "SN38"),
    pools=("exosome",),
    cargo=("pERK",),
    drugs=("SN38",),
)


def make_tissue(*, shape=(1, 6, 8), n_cells=12, seed=1):
    """Every third site holds a cell, two tumour cells to one stellate cell; ATP is a hundredth of the id."""
    grid = Grid(shape, 20.0, 0.2)
    cells = Cells(LAYOUT, grid.n_sites)
    kind = np.arange(n_cells) % 3 // 2
    rows = cells.append(3 * np.arange(n_cells), type=kind, parent=-1)
    cells["variables"][rows, 0] = cells["id"][rows] / 100
    size = (*shape, 1)
    return Tissue(
        layout=LAYOUT,
        grid=grid,
        clock=Clock(6.0),
        seed=seed,
        cells=cells,
        fields=np.arange(2.0 * grid.n_sites).reshape(*shape, 2),
        pools=np.full(size, 5.0),
        vessel=np.zeros(shape),
        vessel_distance_um=np.full(shape, 40.0),
        plasma=np.zeros(2),
        ledger=Ledger.empty(1, 2, 1, 3),
        events=Events(),
    )


class TinyTissue(CellModel):
    """A step kills the cell of lowest ATP, and lets a random cell divide onto the first free site."""

    def __init__(self, n_cells=12, rng=1):
        super().__init__(rng=rng)
        self.tissue = make_tissue(n_cells=n_cells)
        self.datacollector = mesa.DataCollector(model_reporters={"cells": "n_cells", "mean_ATP": "mean_atp"})

    @property
    def n_cells(self):
        return int(self.tissue.cells.alive().sum())

    @property
    def mean_atp(self):
        return self.cells.agg("ATP", np.mean)

    def step(self):
        cells = self.tissue.cells
        self.step_registered_agents()
        cells["variables"][:, 0] *= 0.9 + 0.2 * self.rng.random()
        mother = self.random.choice(self.cells.ids.tolist())
        site = int(np.flatnonzero(cells.occupant < 0)[0])
        row = cells.append(np.array([site]), parent=mother)
        cells["variables"][row] = cells["variables"][cells.rows_of(np.array([mother]))]
        weakest = self.cells.sort("ATP", ascending=True).ids[0]
        cells["death"][cells.rows_of(np.array([weakest]))] = APOPTOSIS
        self.tissue.clock.step += 1
        self.datacollector.collect(self)


class Volume(CellModel):
    """A tissue of three layers."""

    def __init__(self):
        super().__init__(rng=1)
        self.tissue = make_tissue(shape=(3, 6, 8))


class Robot(mesa.Agent):
    """An ordinary agent that holds a cell and gives drug where that cell is."""

    def __init__(self, model, target=None):
        super().__init__(model)
        self.target = target
        self.ATP = 0.5

    def step(self):
        if self.target is not None and self.target.alive:
            self.model.supply("SN38", self.target.pos, 2.0)


class Probe(MovingAgent):
    """An ordinary agent that stands on the grid."""
