"""Signals of the state of neighbours: the sum over touching cells of one type of one of their variables."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.lattice import directions, neighbour
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue


def contact_with_state(name: str, layout: Layout) -> tuple[int, int] | None:
    """Return type and variable of the signal ``contact TYPE VARIABLE``, None of any other."""
    word, _, rest = name.partition(" ")
    kind, _, variable = rest.partition(" ")
    if word == "contact" and kind in layout.cell_types and variable in layout.variables:
        return layout.cell_types.index(kind), layout.variables.index(variable)
    return None


def sum_over_contacts(tissue: Tissue, touched: np.ndarray, begin: int, out_signals: np.ndarray) -> None:
    """Write, for cells from row ``begin`` on, the sums over their living Moore neighbours.

    Parameters
    ----------
    touched : int64 (k, 3)
        Column written, type of the neighbours, variable summed; the sum runs in the order of directions.
    out_signals : float64 (n, n_signals)
    """
    cells, shape = tissue.cells, tissue.grid.shape
    steps = directions(shape, moore=True)
    site = cells["site"][begin : begin + len(out_signals)]
    _sum(
        touched, site, cells["type"], cells["death"], cells["variables"], cells.occupant, steps, *shape,
        out_signals,
    )  # fmt: skip


@kernel
def _sum(touched, site, cell_type, death, variables, occupant, steps, nz, ny, nx, out_signals):
    for k in range(len(touched)):
        target, kind, variable = touched[k]
        for i in range(len(site)):
            total = 0.0
            for d in range(len(steps)):
                at = neighbour(site[i], steps[d, 0], steps[d, 1], steps[d, 2], nz, ny, nx)
                row = occupant[at] if at >= 0 else -1
                if row >= 0 and death[row] == 0 and cell_type[row] == kind:
                    total += variables[row, variable]
            out_signals[i, target] = total
