import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tme_sim.state.cells import Cells
from tme_sim.state.codes import APOPTOSIS, EMPTY
from tme_sim.state.layout import Layout

LAYOUT = Layout(("tumour", "hsc"), ("HIF", "ATP"), ("oxygen",), ("exosome",), ("pERK",), ("SN38",))
N_SITES = 60


def consistent(cells):
    sites = cells["site"]
    assert len(np.unique(sites)) == cells.n
    assert np.array_equal(cells.occupant[sites], np.arange(cells.n))
    assert np.count_nonzero(cells.occupant != EMPTY) == cells.n
    assert len(np.unique(cells["id"])) == cells.n


def made(sites):
    cells = Cells(LAYOUT, N_SITES, capacity=2)
    rows = cells.append(np.asarray(sites, np.int64))
    cells["variables"][rows, 0] = np.asarray(sites) * 1.0
    return cells


def test_ids_follow_sites_not_rows():
    assert made([9, 3, 5])["id"].tolist() == [3, 1, 2]
    assert made([3, 5, 9])["id"].tolist() == [1, 2, 3]


def test_growth_beyond_capacity_keeps_values():
    cells = made(range(50))
    assert cells.n == 50
    assert np.array_equal(cells["variables"][:, 0], np.arange(50.0))


def test_removed_cells_free_their_sites_and_ids_are_never_reused():
    cells = made(range(10))
    cells.remove(np.array([0, 4, 9]))
    consistent(cells)
    assert cells["site"].tolist() == sorted(cells["site"].tolist()) or cells.n == 7
    new = cells.append(np.array([0]))
    assert cells["id"][new[0]] == 11


def test_rows_of_finds_cells_after_every_change():
    cells = made([7, 1, 4])
    wanted = cells["id"].copy()
    sites = dict(zip(wanted.tolist(), cells["site"].tolist(), strict=True))
    cells.permute(np.array([2, 0, 1]))
    assert [int(cells["site"][row]) for row in cells.rows_of(wanted)] == [sites[i] for i in wanted.tolist()]
    cells.remove(cells.rows_of(np.array([2])))
    assert cells.rows_of(np.array([2, 99])).tolist() == [-1, -1]


def test_rows_of_nothing_is_nothing():
    assert Cells(LAYOUT, 4).rows_of(np.array([1])).tolist() == [-1]


def test_sort_by_site_makes_rows_follow_sites():
    cells = made([9, 3, 5])
    cells.sort_by_site()
    assert cells["site"].tolist() == [3, 5, 9]
    assert cells["variables"][:, 0].tolist() == [3.0, 5.0, 9.0]
    consistent(cells)


def test_two_cells_can_swap_sites_with_a_third_moving_along():
    cells = made([0, 1, 2])
    cells.move(np.array([0, 1, 2]), np.array([1, 2, 3]))
    consistent(cells)
    assert cells["site"].tolist() == [1, 2, 3]


def test_column_finds_variables_cargo_drugs_and_pools_by_name():
    cells = made([4, 8])
    assert cells.column("HIF").tolist() == [4.0, 8.0]
    cells.column("SN38")[:] = 2.0
    assert cells["drug"][:, 0].tolist() == [2.0, 2.0]
    assert cells.column("nothing") is None


def test_of_type_leaves_out_the_dead():
    cells = made([1, 2, 3])
    cells["type"][1] = 1
    cells["death"][0] = APOPTOSIS
    assert cells.of_type("tumour").tolist() == [False, False, True]
    assert cells.of_type("tumour", alive_only=False).tolist() == [True, False, True]
    with pytest.raises(ValueError, match="not in"):
        cells.of_type("neutrophil")


def test_pickle_keeps_the_living_part_alone():
    cells = made(range(20))
    copy = pickle.loads(pickle.dumps(cells))
    consistent(copy)
    assert all(np.array_equal(copy[name], cells[name]) for name in cells.names)


def test_matrices_lie_column_after_column_whatever_happens():
    cells = made(range(50))
    for changed in (cells, pickle.loads(pickle.dumps(cells))):
        changed.permute(np.arange(changed.n)[::-1])
        changed.remove(np.array([3]))
        changed.append(np.array([55, 56, 57]))
        whole = changed.whole("variables")
        assert whole.flags.c_contiguous
        assert whole.shape[0] == 2
        whole[1, : changed.n] = changed["id"]
        assert np.array_equal(changed["variables"][:, 1], changed["id"])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abmrs"), st.integers(0, 2**31)), max_size=25))
def test_any_history_stays_consistent(history):
    cells = made([0])
    for what, draw in history:
        rng = np.random.default_rng(draw)
        free = np.flatnonzero(cells.occupant == EMPTY)
        if what == "a" and len(free):
            site = rng.choice(free, rng.integers(1, len(free) + 1), replace=False)
            rows = cells.append(site)
            cells["variables"][rows, 0] = site
        elif what == "r" and cells.n:
            cells.remove(rng.choice(cells.n, rng.integers(0, cells.n + 1), replace=False))
        elif what == "m" and cells.n and len(free):
            row, site = np.array([rng.integers(cells.n)]), np.array([rng.choice(free)])
            cells.move(row, site)
            cells["variables"][row, 0] = site
        elif what == "s":
            cells.sort_by_site()
        elif what == "b":
            cells.permute(rng.permutation(cells.n))
        consistent(cells)
        assert np.array_equal(cells["variables"][:, 0], cells["site"])
