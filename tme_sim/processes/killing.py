"""What living cells do to their neighbours: kill those of a type, clear the dead; the rates of several add up."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.lattice import directions, neighbour
from tme_sim.processes.base import Context
from tme_sim.state.codes import ALIVE
from tme_sim.state.tissue import Tissue


def risk_of_attack(tissue: Tissue, context: Context) -> np.ndarray:
    """Return the rate at which neighbours kill each cell, 1/min, float64 (n,).

    Behaviour ``killing TYPE`` of a living cell is its rate per neighbour of that type; neighbours are the 8 (26 in
    space) sites around. One victim may have several attackers: their rates add up, whatever the order.
    """
    return _of_neighbours(
        tissue, context, [f"killing {name}" for name in tissue.layout.cell_types], dead=False
    )


def clearance_by_neighbours(tissue: Tissue, context: Context) -> np.ndarray:
    """Return the rate at which neighbours clear remains, 1/min, float64 (n,): the sum of their ``phagocytosis``."""
    return _of_neighbours(tissue, context, ["phagocytosis"] * len(tissue.layout.cell_types), dead=True)


def _of_neighbours(tissue: Tissue, context: Context, words: list[str], *, dead: bool) -> np.ndarray:
    """Return the sum over living neighbours of one behaviour per type of the cell that it befalls, float64 (n,)."""
    n = len(context.behaviours)
    rate = np.zeros(n)
    columns = context.columns(words)
    if np.all(columns < 0):
        return rate
    cells, shape = tissue.cells, tissue.grid.shape
    steps = directions(shape, moore=True)
    near = np.zeros(tissue.grid.n_sites, np.bool_)
    acting = np.unique(columns[columns >= 0])
    _mark_neighbours(cells["death"][:n], cells["site"][:n], context.behaviours, acting, steps, *shape, near)
    _add_neighbours(
        cells["death"][:n], cells["type"][:n], cells["site"][:n], cells.occupant, context.behaviours, columns, steps,
        *shape, dead, near, rate,
    )  # fmt: skip
    return rate


@kernel
def _mark_neighbours(death, site, behaviours, acting, steps, nz, ny, nx, io_near):
    """Mark the sites beside cells that act: they are few, and nobody else need look around."""
    for i in range(len(death)):
        acts = False
        for k in range(len(acting)):
            acts = acts or behaviours[i, acting[k]] > 0.0
        if acts and death[i] == ALIVE:
            for d in range(len(steps)):
                at = neighbour(site[i], steps[d, 0], steps[d, 1], steps[d, 2], nz, ny, nx)
                if at >= 0:
                    io_near[at] = True


@kernel
def _add_neighbours(
    death, cell_type, site, occupant, behaviours, columns, steps, nz, ny, nx, dead, near, io_risk
):
    for i in range(len(io_risk)):
        column = columns[cell_type[i]]
        if (death[i] != ALIVE) != dead or column < 0 or not near[site[i]]:
            continue
        for d in range(len(steps)):
            at = neighbour(site[i], steps[d, 0], steps[d, 1], steps[d, 2], nz, ny, nx)
            row = occupant[at] if at >= 0 else -1
            if 0 <= row < len(io_risk) and death[row] == ALIVE:
                io_risk[i] += behaviours[row, column]
