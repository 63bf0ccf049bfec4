import numpy as np
import pytest
from made_matter import made_context, made_layout, made_matter

from tme_sim.processes.vessel_network import VesselNetwork, first_vasculature
from tme_sim.processes.vessels import Vessels
from tme_sim.state.codes import APOPTOSIS
from tme_sim.state.vasculature import Vasculature, sorted_links

LAYOUT = made_layout(cell_types=("tumour", "endothelial"), fields=("oxygen",))


def joined(shape, sites, links, roots):
    """Return a tissue with vessel cells at `sites`; links and roots name sites."""
    tissue = made_matter(LAYOUT, shape, sites, 1)
    id_at = dict(zip(tissue.cells["site"].tolist(), tissue.cells["id"].tolist(), strict=True))
    ends = np.array([[id_at[a], id_at[b]] for a, b in links], np.int64).reshape(-1, 2)
    ids = np.sort(np.array([id_at[site] for site in roots], np.int64))
    tissue.vasculature = Vasculature(1, sorted_links(ends[:, 0], ends[:, 1]), ids)
    return tissue


def perfused_sites(tissue):
    Vessels(1).step(tissue, made_context(tissue, {}))
    return np.flatnonzero(tissue.vessel).tolist()


def test_links_are_sorted_and_kept_once():
    assert sorted_links(np.array([5, 2, 3]), np.array([2, 5, 1])).tolist() == [[1, 3], [2, 5]]


def test_section_has_roots_alone_and_each_is_perfused():
    tissue = made_matter(LAYOUT, (1, 3, 9), [10, 16], 1)
    tissue.vasculature = first_vasculature(tissue, 1)
    assert tissue.vasculature.roots.tolist() == sorted(tissue.cells["id"].tolist())
    assert len(tissue.vasculature.links) == 0
    assert perfused_sites(tissue) == [10, 16]


def test_lines_through_a_block_are_linked_along_and_open_at_both_ends():
    column = np.arange(4) * 25
    tissue = made_matter(LAYOUT, (4, 5, 5), np.sort(np.concatenate([column + 6, column + 18])), 1)
    tissue.vasculature = first_vasculature(tissue, 1)
    assert len(tissue.vasculature.links) == 6
    assert len(tissue.vasculature.roots) == 4
    assert len(perfused_sites(tissue)) == 8


def test_cut_line_in_a_block_carries_no_blood():
    column = np.arange(5) * 25
    tissue = made_matter(LAYOUT, (5, 5, 5), np.sort(np.concatenate([column + 6, column + 18])), 1)
    tissue.vasculature = first_vasculature(tissue, 1)
    tissue.cells["death"][tissue.cells.occupant[2 * 25 + 6]] = APOPTOSIS
    assert perfused_sites(tissue) == (column + 18).tolist()


def test_dead_end_carries_no_blood_until_it_reaches_another_root():
    chain = [(10, 11), (11, 12), (12, 13)]
    open_end = joined((1, 3, 9), [10, 11, 12, 13, 15], chain, [10, 15])
    assert perfused_sites(open_end) == [10, 15]
    closed = joined((1, 3, 9), [10, 11, 12, 13, 14, 15], [*chain, (13, 14), (14, 15)], [10, 15])
    assert perfused_sites(closed) == [10, 11, 12, 13, 14, 15]


def test_loop_on_one_root_carries_no_blood():
    loop = joined((1, 3, 9), [10, 11, 20, 19, 16], [(10, 11), (11, 20), (20, 19), (19, 10)], [10, 16])
    assert perfused_sites(loop) == [10, 16]


def test_loss_of_one_cell_stops_the_blood_of_the_rest():
    tissue = joined((1, 1, 5), [0, 1, 2, 3, 4], [(0, 1), (1, 2), (2, 3), (3, 4)], [0, 4])
    assert perfused_sites(tissue) == [0, 1, 2, 3, 4]
    tissue.cells["death"][tissue.cells.occupant[2]] = APOPTOSIS
    assert perfused_sites(tissue) == [0, 4]
    tissue.cells.remove(tissue.cells.occupant[[2]])
    assert perfused_sites(tissue) == [0, 4]


@pytest.mark.parametrize("seed", [0, 1])
def test_network_does_not_depend_on_the_order_of_rows(seed):
    tissue = joined((1, 3, 9), [10, 11, 12, 13, 14, 15, 21], [(10, 11), (11, 12), (12, 21)], [10, 15])
    order = np.random.default_rng(seed).permutation(7)
    sites = tissue.cells["site"][VesselNetwork.of(tissue, tissue.vasculature).tips()]
    tissue.cells.permute(order)
    assert np.array_equal(sites, tissue.cells["site"][VesselNetwork.of(tissue, tissue.vasculature).tips()])
    assert sites.tolist() == [21]


def test_network_grows_and_gives_its_links_back():
    tissue = joined((1, 1, 5), [0, 1, 2, 4], [(0, 1), (1, 2)], [0, 4])
    network = VesselNetwork.of(tissue, tissue.vasculature)
    a, b, end, other = tissue.cells.occupant[[0, 1, 2, 4]].tolist()
    assert network.is_tip(end)
    assert not network.is_tip(a)
    assert network.within(a, 1) == {a, b}
    network.add(end, other)
    assert not network.is_tip(end)
    assert network.within(end, 1) == {b, end, other}
    ids = tissue.cells["id"]
    assert network.links(ids).tolist() == sorted(
        [ids[[a, b]].tolist(), ids[[b, end]].tolist(), ids[[end, other]].tolist()]
    )
