"""Cells that kill others on contact: the risk of a cell is the sum of its neighbours' rates against its type."""

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
    n = len(context.behaviours)
    risk = np.zeros(n)
    columns = context.columns([f"killing {name}" for name in tissue.layout.cell_types])
    if np.all(columns < 0):
        return risk
    cells, shape = tissue.cells, tissue.grid.shape
    steps = directions(shape, moore=True)
    _add_attackers(
        cells["death"][:n], cells["type"][:n], cells["site"][:n], cells.occupant, context.behaviours, columns, steps,
        *shape, risk,
    )  # fmt: skip
    return risk


@kernel
def _add_attackers(death, cell_type, site, occupant, behaviours, columns, steps, nz, ny, nx, io_risk):
    for i in range(len(io_risk)):
        column = columns[cell_type[i]]
        if death[i] != ALIVE or column < 0:
            continue
        for d in range(len(steps)):
            at = neighbour(site[i], steps[d, 0], steps[d, 1], steps[d, 2], nz, ny, nx)
            row = occupant[at] if at >= 0 else -1
            if 0 <= row < len(io_risk) and death[row] == ALIVE:
                io_risk[i] += behaviours[row, column]
