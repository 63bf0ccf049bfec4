"""Made rules and tissues that the tests of this folder share."""

import numpy as np

from tme_sim.rules.rule import Gate, Rule
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue

LAYOUT = Layout(("tumour", "hsc"), ("HIF", "STAT3"), ("oxygen", "il6"), ("exo",), ("pERK", "pAKT"), ("SN38",))


def rule(
    signal="x", behaviour="b", *, up=True, to=1.0, half_max=1.0, hill=1.0, gates=(), cell="tumour", dead=False
):
    """Return a rule with plain defaults."""
    return Rule(
        cell, signal, up, behaviour, to, half_max, hill, tuple(gates), ("S0-01",), "assumed", None, "", dead
    )


def gate(signal, *, above=True, threshold=1.0, hill=1.0):
    """Return a gate with plain defaults."""
    return Gate(signal, above, threshold, hill)


def tissue(sites, types, *, shape=(1, 5, 5)):
    """Return a tissue of LAYOUT with cells at these sites."""
    grid = Grid(shape, 20.0, 0.2)
    cells = Cells(LAYOUT, grid.n_sites, capacity=4)
    cells.append(np.asarray(sites, np.int64), type=np.asarray(types, np.int16))
    return Tissue(
        LAYOUT,
        grid,
        Clock(6.0),
        1,
        cells,
        np.zeros((*shape, 2)),
        np.zeros((*shape, 1)),
        np.zeros(shape),
        np.full(shape, np.inf),
        np.zeros(2),
        Ledger.empty(1, 2, 1, 2),
        Events(),
    )
