"""The end of a step: cells that are gone leave the table, and the clock moves on."""

from __future__ import annotations

import numpy as np

from tme_sim.processes.base import Context
from tme_sim.state.codes import REMOVED
from tme_sim.state.tissue import Tissue

SORT_EVERY_STEPS = 50


class Settle:
    """Remove cells, keep neighbours in space near in memory, advance the clock."""

    name = "settle"
    reads = ("cells.death",)
    writes = ("clock",)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Close the step; the order of rows carries no meaning, so sorting changes no result."""
        tissue.cells.remove(np.flatnonzero(tissue.cells["death"] == REMOVED))
        tissue.clock.step += 1
        if tissue.clock.step % SORT_EVERY_STEPS == 0:
            tissue.cells.sort_by_site()
