"""Cells that come out of the blood: a perfused vessel lets them in at a free site beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tme_sim.numerics.claims import settle_claims
from tme_sim.numerics.lattice import directions
from tme_sim.numerics.philox import child_keys, uniforms
from tme_sim.processes.base import Context
from tme_sim.processes.division import record_births
from tme_sim.state.codes import ALIVE, EMPTY, STREAM_RECRUITMENT
from tme_sim.state.tissue import Tissue

_WHETHER, _WHERE, _PRIORITY, _USES = 0, 1, 2, 3


@dataclass
class Recruitment:
    """Let cells in with probability 1 - exp(-``recruitment TYPE`` dt) per living vessel cell that blood flows through.

    One that comes takes a free neighbour site of the vessel, drawn evenly; without one it flows on. Of two that
    want one site the higher random priority wins, ties by lineage key. It is a founder in the state of a naive
    cell: what blood brings has held no vesicles and no drug.

    Parameters
    ----------
    found : callable
        ``found(tissue, sites, types, keys)`` makes founders in the state of a naive cell and returns their rows.
    """

    found: Callable[[Tissue, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    name: str = field(default="recruitment", init=False)
    reads: tuple[str, ...] = field(default=("behaviours", "vessel"), init=False)
    writes: tuple[str, ...] = field(default=("cells of the blood",), init=False)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Let in what comes in this step, type after type."""
        columns = context.columns([f"recruitment {name}" for name in tissue.layout.cell_types])
        for kind in np.flatnonzero(columns >= 0).tolist():
            self._let_in(tissue, context, kind, context.behaviours[:, columns[kind]])

    def _let_in(self, tissue: Tissue, context: Context, kind: int, rate: np.ndarray) -> None:
        cells, first_use = tissue.cells, kind * _USES
        alive = cells["death"][: len(rate)] == ALIVE
        rows = np.flatnonzero(alive & (rate > 0.0))
        rows = rows[tissue.vessel.reshape(-1)[cells["site"][rows]] > 0.0]

        def draw(rows: np.ndarray, use: int) -> np.ndarray:
            lineage = cells["lineage"][rows]
            return uniforms(context.seed, lineage, context.step, STREAM_RECRUITMENT, first_use + use)

        rows = rows[draw(rows, _WHETHER) < -np.expm1(-rate[rows] * context.dt_min)]
        goal = _free_beside(tissue, rows, draw(rows, _WHERE))
        won = settle_claims(goal, draw(rows, _PRIORITY), cells["lineage"][rows], tissue.grid.n_sites)
        sites = np.sort(goal[won])
        if len(sites) == 0:
            return
        # The site alone is the key of the cell that was there first; the step makes this one another cell.
        keys = child_keys(sites.astype(np.uint64), np.full(len(sites), context.step + 1))
        new = self.found(tissue, sites, np.full(len(sites), kind, np.int16), keys)
        cells["born_min"][new] = context.end_min
        record_births(tissue, new, context)


def _free_beside(tissue: Tissue, rows: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return for each row the free neighbour site that its number in [0, 1) picks, -1 where there is none."""
    cells, grid = tissue.cells, tissue.grid
    steps = directions(grid.shape, moore=True)
    at = np.stack(grid.coordinates(cells["site"][rows]), axis=1)[:, None, :] + steps
    inside = ((at >= 0) & (at < np.array(grid.shape))).all(axis=2)
    site = np.where(inside, np.ravel_multi_index(tuple(np.moveaxis(at, 2, 0)), grid.shape, mode="clip"), 0)
    free = inside & (cells.occupant[site] == EMPTY)
    pick = (number * free.sum(axis=1)).astype(np.int64)
    chosen = np.argmax(free & (np.cumsum(free, axis=1) == pick[:, None] + 1), axis=1)
    return np.where(free.any(axis=1), site[np.arange(len(rows)), chosen], -1)
