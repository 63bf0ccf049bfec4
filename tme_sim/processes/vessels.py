"""Perfused vessels: where supply enters, and how far every site is from it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from tme_sim.processes.base import Context
from tme_sim.processes.vessel_network import VesselNetwork
from tme_sim.state.codes import ALIVE
from tme_sim.state.tissue import Tissue


class Vessels:
    """Follow the vessel cells: each living one that blood flows through is a perfused vessel at its site.

    Where the tissue has a `Vasculature`, blood flows on paths between roots; without, through every vessel.

    Parameters
    ----------
    cell_type : int
        Index of the vessel-forming cell type; -1 where the scenario has no vessels.
    """

    name = "vessels"
    reads = ("cells.type", "cells.site", "links")
    writes = ("vessel", "vessel_distance_um")

    def __init__(self, cell_type: int):
        self.cell_type = cell_type

    def step(self, tissue: Tissue, context: Context) -> None:
        """Update perfusion and, when it changed, distances."""
        self.update(tissue)

    def update(self, tissue: Tissue) -> None:
        """Set ``tissue.vessel`` and ``tissue.vessel_distance_um`` from the cells."""
        cells = tissue.cells
        perfused = np.zeros(tissue.grid.n_sites)
        if tissue.vasculature is None:
            rows = (cells["type"] == self.cell_type) & (cells["death"] == ALIVE)
        else:
            rows = VesselNetwork.of(tissue, tissue.vasculature).perfused()
        perfused[cells["site"][rows]] = 1.0
        if (
            np.array_equal(perfused, tissue.vessel.reshape(-1))
            and np.isfinite(tissue.vessel_distance_um).any()
        ):
            return
        tissue.vessel[:] = perfused.reshape(tissue.grid.shape)
        if perfused.any():
            tissue.vessel_distance_um[:] = ndimage.distance_transform_edt(
                tissue.vessel == 0.0, sampling=tissue.grid.spacing_um
            )
        else:
            tissue.vessel_distance_um[:] = np.inf
