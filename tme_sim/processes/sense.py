"""Cells read their signals and decide: behaviours by the rules, as interventions in force leave them."""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.processes.base import Context, ProcessError
from tme_sim.processes.interventions import Interventions
from tme_sim.rules.physiology import Physiology
from tme_sim.state.tissue import Tissue


@kernel
def raise_to_lowest(lowest: np.ndarray, io_behaviours: np.ndarray) -> bool:
    """Lift every behaviour to the ``lowest`` of its column; return False when one is not finite.

    Columns are only read where nothing lies below, which is the rule: that halves the memory to move.
    """
    finite = True
    for c in range(io_behaviours.shape[1]):
        low, below, bad = lowest[c], 0, 0
        for i in range(io_behaviours.shape[0]):
            value = io_behaviours[i, c]
            below |= 1 if value < low else 0
            bad |= 0 if abs(value) < math.inf else 1
        finite = finite and bad == 0
        for i in range(io_behaviours.shape[0] if below else 0):
            io_behaviours[i, c] = max(io_behaviours[i, c], low)
    return finite


class Sense:
    """Fill ``context.behaviours`` for all cells of the step.

    Rules are read once, at the start of a step; metabolic uptake and secretion are added to the behaviours, so
    that the fields' implicit solve carries them.
    """

    name = "sense"
    reads = (
        "fields",
        "pools",
        "vessel_distance_um",
        "cells.variables",
        "cells.cargo",
        "cells.docked",
        "cells.drug",
    )
    writes = ("behaviours",)

    def __init__(self, physiology: Physiology, interventions: Interventions):
        self.physiology, self.interventions = physiology, interventions
        names = physiology.tables.behaviours
        self.lowest = np.array([-np.inf if name.startswith("chemotaxis to ") else 0.0 for name in names])
        self._memory = np.zeros(0)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Write the behaviours of every cell; dead cells do nothing unless a rule says so."""
        cells = tissue.cells
        behaviours = self._table(cells.n)
        flux = self.physiology.decide(tissue, behaviours)
        self.physiology.energy.charge(flux, behaviours)
        self.interventions.modify(tissue, cells["type"], behaviours)
        if not raise_to_lowest(self.lowest, behaviours):
            self._refuse(tissue, behaviours)
        context.behaviours = behaviours

    def _table(self, n: int) -> np.ndarray:
        """Return room for the behaviours of n cells, column after column: processes read single behaviours.

        Its memory is kept from step to step: fresh memory costs as much as filling it.
        """
        width = len(self.lowest)
        if len(self._memory) < n * width:
            self._memory = np.zeros((n + n // 4) * width)
        return self._memory[: n * width].reshape(width, n).T

    def _refuse(self, tissue: Tissue, behaviours: np.ndarray) -> None:
        """Raise ProcessError for the first behaviour that is not finite: kernels cannot."""
        row, column = (int(i) for i in np.argwhere(~np.isfinite(behaviours))[0])
        word = self.physiology.tables.behaviours[column]
        kind = tissue.layout.cell_types[tissue.cells["type"][row]]
        raise ProcessError(
            f"step {tissue.clock.step} ({tissue.clock.hours:.2f} h): sense: {word} of "
            f"{kind} cell {tissue.cells['id'][row]} is {behaviours[row, column]}; expected a finite number"
        )
