"""Cells read their signals and decide: behaviours by the rules, as interventions in force leave them."""

from __future__ import annotations

import numpy as np

from tme_sim.processes.base import Context, ProcessError
from tme_sim.processes.interventions import Interventions
from tme_sim.rules.physiology import Physiology
from tme_sim.state.codes import ALIVE
from tme_sim.state.tissue import Tissue


class Sense:
    """Fill ``context.behaviours`` for all cells of the step.

    Rules are read once, at the start of a step; metabolic uptake and secretion are added to the behaviours, so
    that the fields' implicit solve carries them.
    """

    name = "sense"
    reads = ("fields", "pools", "vessel_distance_um", "cells.variables", "cells.cargo", "cells.docked", "cells.drug")
    writes = ("behaviours",)

    def __init__(self, physiology: Physiology, interventions: Interventions):
        self.physiology, self.interventions = physiology, interventions
        names = physiology.tables.behaviours
        self._signed = [column for column, name in enumerate(names) if name.startswith("chemotaxis to ")]

    def step(self, tissue: Tissue, context: Context) -> None:
        """Write the behaviours of every cell; dead cells do nothing unless a rule says so."""
        cells = tissue.cells
        signals, flux = self.physiology.read(tissue)
        behaviours = self.physiology.act(cells["type"], cells["death"] == ALIVE, signals)
        self.physiology.energy.charge(flux, behaviours)
        self.interventions.modify(tissue, cells["type"], behaviours)
        weights = behaviours[:, self._signed]
        np.maximum(behaviours, 0.0, out=behaviours)
        behaviours[:, self._signed] = weights  # negative ones drive away from a field
        if not np.isfinite(behaviours.sum()):
            self._refuse(tissue, behaviours)
        context.behaviours = behaviours

    def _refuse(self, tissue: Tissue, behaviours: np.ndarray) -> None:
        """Raise ProcessError for the first behaviour that is not finite: kernels cannot."""
        row, column = (int(i) for i in np.argwhere(~np.isfinite(behaviours))[0])
        kind = tissue.layout.cell_types[tissue.cells["type"][row]]
        raise ProcessError(
            f"step {tissue.clock.step} ({tissue.clock.hours:.2f} h): sense: {self.physiology.tables.behaviours[column]} of "
            f"{kind} cell {tissue.cells['id'][row]} is {behaviours[row, column]}; expected a finite number"
        )
