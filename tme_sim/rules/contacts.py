"""Signals of the state of neighbours: the sum over touching cells of one type of one of their variables."""

from __future__ import annotations

import numpy as np

from tme_sim.state.codes import ALIVE
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue


def contact_with_state(name: str, layout: Layout) -> tuple[int, int] | None:
    """Return type and variable of the signal ``contact TYPE VARIABLE``, None of any other."""
    word, _, rest = name.partition(" ")
    kind, _, variable = rest.partition(" ")
    if word == "contact" and kind in layout.cell_types and variable in layout.variables:
        return layout.cell_types.index(kind), layout.variables.index(variable)
    return None


def sums_around(tissue: Tissue, touched: np.ndarray) -> np.ndarray:
    """Return sums over the living Moore neighbours of every site, float64 (k, n_sites).

    Parameters
    ----------
    touched : int64 (k, 2)
        Type of the neighbours, variable summed. Sums run along x, then y, then z.
    """
    cells, shape = tissue.cells, tissue.grid.shape
    out = np.zeros((len(touched), tissue.grid.n_sites))
    for sums, (kind, variable) in zip(out, touched, strict=True):
        rows = np.flatnonzero((cells["type"] == kind) & (cells["death"] == ALIVE))
        line = np.zeros(shape)
        line.reshape(-1)[cells["site"][rows]] = cells["variables"][rows, variable]
        around = np.zeros(shape)
        for axis in (2, 1, 0):
            sides = both_sides(line, axis)
            around += sides
            line = line + sides
        sums[:] = around.reshape(-1)
    return out


def both_sides(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the sum of the two neighbours of each site along an axis."""
    low, high = [slice(None)] * values.ndim, [slice(None)] * values.ndim
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    out = np.zeros_like(values)
    out[tuple(low)] += values[tuple(high)]
    out[tuple(high)] += values[tuple(low)]
    return out
