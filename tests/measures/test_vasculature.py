from dataclasses import replace

import numpy as np
import pytest

from tme_sim.measures.measure import CellColumn, Context
from tme_sim.measures.registry import cell_columns_for, measures_for
from tme_sim.processes.vessels import Vessels
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.codes import APOPTOSIS
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue
from tme_sim.state.vasculature import Vasculature

LAYOUT = Layout(
    ("tumour", "endothelial"), (), ("oxygen",), (), (), (), growing=("endothelial",), walls=("endothelial",)
)
TOUCHING = ("tumour_vessel_contacts", "tumour_cells_at_vessel", "tumour_share_at_vessel")


def row_of_vessels():
    """Return a row: root, stalk, tip and, apart, a root; tumour cells beside root and tip."""
    cells = Cells(LAYOUT, 27)
    at = [9, 10, 11, 17, 0, 3, 16]
    cells.append(np.array(at), type=np.array([1, 1, 1, 1, 0, 0, 0]), lineage=np.arange(7, dtype=np.uint64))
    ids = dict(zip(cells["site"].tolist(), cells["id"].tolist(), strict=True))
    links = np.sort([[ids[9], ids[10]], [ids[10], ids[11]]], axis=1)
    made = Tissue(
        LAYOUT, Grid((1, 3, 9), 20.0, 0.2), Clock(6.0), 1, cells, np.zeros((1, 3, 9, 1)), np.zeros((1, 3, 9, 0)),
        np.zeros((1, 3, 9)), np.full((1, 3, 9), np.inf), np.zeros(1), Ledger.empty(0, 1, 0, 2), Events(),
        Vasculature(1, links, np.sort([ids[9], ids[17]])),
    )  # fmt: skip
    Vessels(1).update(made)
    return made


@pytest.fixture
def tissue():
    return row_of_vessels()


def value(name, tissue):
    return measures_for(LAYOUT)[name].of(tissue, Context())


def test_tips_and_perfused_share_follow_the_links(tissue):
    assert value("vessel_tips", tissue) == 1.0
    assert value("vessel_cells", tissue) == 4.0
    assert value("perfused_fraction", tissue) == 0.5


def test_only_contacts_with_perfused_vessels_count(tissue):
    """S1-09, S2-12, S4-06: of three tumour cells two touch blood, the third the tip of a sprout."""
    assert value("tumour_vessel_contacts", tissue) == 2.0
    assert value("tumour_cells_at_vessel", tissue) == 2.0
    assert value("tumour_share_at_vessel", tissue) == pytest.approx(2.0 / 3.0)


def test_dead_vessel_cells_have_no_links(tissue):
    tissue.cells["death"][tissue.cells.occupant[10]] = APOPTOSIS
    assert value("vessel_tips", tissue) == 0.0
    column = cell_columns_for(LAYOUT)["vessel_links"]
    assert isinstance(column, CellColumn)
    links = column.function(tissue, Context().fresh())
    assert links[tissue.cells.occupant[[9, 11, 17]]].tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(links[tissue.cells.occupant[[0, 10]]]).all()


def test_vessels_that_stay_have_no_such_measures():
    plain = Layout(("tumour", "endothelial"), (), ("oxygen",), (), (), ())
    assert "vessel_tips" not in measures_for(plain)
    assert "vessel_links" not in cell_columns_for(plain)


def test_contacts_are_measured_wherever_tumour_cells_can_touch_vessels():
    types = ("tumour", "endothelial")
    laid = Layout(types, (), ("oxygen",), (), (), (), walls=("endothelial",))
    dish, healthy = replace(laid, walls=()), replace(laid, cell_types=("hepatocyte", "endothelial"))
    assert set(TOUCHING) <= set(measures_for(laid))
    assert not set(TOUCHING) & {*measures_for(dish), *measures_for(healthy)}


def test_laid_vessels_are_touched_as_grown_ones(tissue):
    grown = [value(name, tissue) for name in TOUCHING]
    tissue.layout, tissue.vasculature = replace(LAYOUT, growing=()), None
    assert [measures_for(tissue.layout)[name].of(tissue, Context()) for name in TOUCHING] == grown


def test_density_counts_perfused_vessels_alone(tissue):
    """S2-11: an open sprout adds none, a joined one does."""
    density = value("vessel_density", tissue)
    assert density == pytest.approx(2.0 / (27 * 0.02**2))
