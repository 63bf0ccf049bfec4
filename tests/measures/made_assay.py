"""Made tumours and assays: cells in a state given by a test, everything else naive."""

import numpy as np

from tests.rules.made_physiology import LAYOUT
from tme_sim.measures.resistance import Assay, ReferenceExposure
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue

EXPOSURE = ReferenceExposure("D", 8.0, 1440.0, 4320.0, 8.0, 1.5, 2.0, (False, True, False, False))


def assay_of(physiology, *, normoxia=40.0):
    """Return the assay of a made physiology: a naive cell feels oxygen only."""
    fields = np.array([normoxia if name == "oxygen" else 0.0 for name in LAYOUT.fields])
    types = len(physiology.layout.cell_types)
    return Assay(physiology, (EXPOSURE,), fields, np.full(types, 480.0), np.full(types, 300.0), 80.0, 10.0, 0)


def tumour(n, layout=LAYOUT, **state):
    """Return n lone cells on a line, far from each other; fields and variables by name."""
    sites = 3 * np.arange(n)
    shape = (1, 1, 3 * n + 1)
    grid = Grid(shape, 20.0, 0.2)
    cells = Cells(layout, grid.n_sites)
    cells.append(sites)
    tissue = Tissue(
        layout, grid, Clock(6.0), 1, cells, np.zeros((*shape, len(LAYOUT.fields))), np.zeros((*shape, 1)),
        np.zeros(shape), np.full(shape, np.inf), np.zeros(len(LAYOUT.fields)), Ledger.empty(1, 4, 1, 1), Events(),
    )  # fmt: skip
    for name, value in state.items():
        if name in LAYOUT.fields:
            tissue.field(name).reshape(-1)[sites] = value
        else:
            cells.column(name)[:] = value
    return tissue
