"""One vessel in a disc of tissue, through the process of fields (Krogh 1919; Erlang's formula)."""

import numpy as np

from tme_sim.numerics.links import well_factor
from tme_sim.processes.base import Context
from tme_sim.processes.fields import Fields, FieldSpec
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue

VESSEL_UM, TISSUE_UM, WALL_MMHG, D, UPTAKE = 5.0, 65.0, 40.0, 120e3, 600.0  # µm²/min, mmHg/min


def krogh_erlang(r_um):
    """Return oxygen at a radius: uptake of zeroth order, no flux at the tissue's edge."""
    return (
        WALL_MMHG
        + UPTAKE / (4 * D) * (r_um**2 - VESSEL_UM**2)
        - UPTAKE * TISSUE_UM**2 / (2 * D) * np.log(r_um / VESSEL_UM)
    )


def oxygen_around_a_vessel(spacing_um):
    """Return radii and oxygen of the sites in the disc."""
    n = 2 * int(np.ceil(TISSUE_UM / spacing_um)) + 3
    layout = Layout(("tumour",), (), ("oxygen",), (), (), ())
    grid = Grid((1, n, n), spacing_um, 0.2)
    y, x = np.indices((n, n)) - n // 2
    radius = spacing_um * np.hypot(x, y).reshape(-1)
    cells = Cells(layout, grid.n_sites)
    cells.append(np.flatnonzero(radius < TISSUE_UM))
    tissue = Tissue(
        layout, grid, Clock(6.0), 1, cells, np.full((1, n, n, 1), WALL_MMHG), np.zeros((1, n, n, 0)),
        np.zeros((1, n, n)), np.zeros((1, n, n)), np.array([WALL_MMHG]), Ledger.empty(0, 1, 0, 1), Events(),
    )  # fmt: skip
    tissue.vessel[0, n // 2, n // 2] = 1.0
    spec = FieldSpec("oxygen", True, D, 0.0, 1e6, 1e-3, 0.0, 1.0, {}, "uptake oxygen", "secretion oxygen")
    process = Fields(
        [spec], grid.shape, spacing_um, {"uptake oxygen": 0}, well_factor(spacing_um, VESSEL_UM), 1e-8
    )
    uptake = np.full((cells.n, 1), UPTAKE)
    # The disc of sites stands for the cylinder of the same area.
    uptake *= np.pi * TISSUE_UM**2 / (cells.n * spacing_um**2)
    context = Context(None, 6.0, 0, 1, uptake, {"uptake oxygen": 0}, np.zeros(1))
    process.step(tissue, context)
    return radius, tissue.field("oxygen").reshape(-1)


def test_one_site_vessel_follows_krogh_within_three_mmhg_at_both_spacings():
    for spacing_um in (20.0, 10.0):
        radius, oxygen = oxygen_around_a_vessel(spacing_um)
        inside = (radius > 0.9 * spacing_um) & (radius < TISSUE_UM - spacing_um)
        assert np.abs(oxygen[inside] - krogh_erlang(radius[inside])).max() < 3.0
        assert oxygen[inside].min() > 1.0
