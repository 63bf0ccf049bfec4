import copy
import pickle

import numpy as np
import pytest

from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import StateError, Tissue

LAYOUT = Layout(("tumour",), ("ATP",), ("oxygen", "il6"), ("exosome",), ("pERK",), ("SN38",))


@pytest.fixture
def tissue():
    grid = Grid((2, 3, 4), 20.0, 0.2)
    cells = Cells(LAYOUT, grid.n_sites)
    cells.append(np.array([0, 5, 23]))
    shape = grid.shape
    return Tissue(
        LAYOUT, grid, Clock(6.0), 1, cells, np.ones((*shape, 2)), np.zeros((*shape, 1)), np.zeros(shape),
        np.full(shape, np.inf), np.zeros(2), Ledger.empty(1, 2, 1, 1), Events(),
    )  # fmt: skip


def test_sound_state_passes(tissue):
    tissue.check()


def test_field_and_pool_are_views(tissue):
    tissue.field("il6")[1, 2, 3] = 7.0
    tissue.pool("exosome")[0, 0, 0] = 2.0
    assert tissue.fields[1, 2, 3, 1] == 7.0
    assert tissue.pools[0, 0, 0, 0] == 2.0


@pytest.mark.parametrize("copy_of", [lambda tissue: pickle.loads(pickle.dumps(tissue)), copy.deepcopy])
def test_species_lie_whole_in_a_copy_too(tissue, copy_of):
    other = copy_of(tissue)
    assert other.fields.strides == tissue.fields.strides == (96, 32, 8, 192)
    assert np.shares_memory(other.field_table, other.fields)


@pytest.mark.parametrize("value", [-1e-9, np.nan, np.inf])
def test_bad_field_is_named_with_its_value(tissue, value):
    tissue.field("il6")[0, 1, 1] = value
    with pytest.raises(StateError, match=r"field il6 is .* at row 5"):
        tissue.check()


def test_bad_variable_is_named(tissue):
    tissue.cells["variables"][1, 0] = -0.5
    with pytest.raises(StateError, match="variables ATP is -0.5"):
        tissue.check()


def test_two_cells_in_one_site_are_found(tissue):
    tissue.cells["site"][1] = 0
    with pytest.raises(StateError, match="share a site"):
        tissue.check()


def test_occupant_must_agree_with_sites(tissue):
    tissue.cells.occupant[7] = 1
    with pytest.raises(StateError, match="empty site is marked occupied"):
        tissue.check()


def test_one_nanomolar_of_a_whole_site_is_five_thousand_molecules():
    grid = Grid((1, 10, 10), 20.0, 0.2)
    # 1 nM in 8 pL: 1e-9 mol/L * 8e-12 L * 6.022e23 /mol
    assert grid.molecules_per_nm(whole_site=True) == pytest.approx(4817.7, rel=1e-4)
    assert grid.molecules_per_nm(whole_site=False) == pytest.approx(0.2 * 4817.7, rel=1e-4)


def test_positions_are_centres_in_x_y_z_order():
    grid = Grid((2, 3, 4), 10.0, 0.2)
    assert grid.positions_um(np.array([0, 1, 4, 12])).tolist() == [
        [5.0, 5.0, 5.0], [15.0, 5.0, 5.0], [5.0, 15.0, 5.0], [5.0, 5.0, 15.0],
    ]  # fmt: skip


def test_clock_counts_whole_steps_without_drift():
    clock = Clock(0.1)
    clock.step = 14_400
    assert clock.minutes == pytest.approx(1440.0, abs=1e-12)
    assert clock.days == pytest.approx(1.0, abs=1e-12)


def test_event_tables_join_what_steps_added(tissue):
    events = tissue.events
    assert len(events.table("deaths")) == 0
    row = np.zeros(1, events.table("deaths").dtype)
    row["id"] = 3
    events.deaths.extend([row, row])
    assert events.table("deaths")["id"].tolist() == [3, 3]
