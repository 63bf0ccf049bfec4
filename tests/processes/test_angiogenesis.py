import numpy as np
import pytest
from made_tissue import assert_same_after_permutation, finish_step, made_context, made_tissue

from tme_sim.processes.angiogenesis import Angiogenesis
from tme_sim.processes.vessel_network import VesselNetwork, first_vasculature
from tme_sim.processes.vessels import Vessels
from tme_sim.state.codes import APOPTOSIS, G1, G2M, NO_CYCLE
from tme_sim.state.vasculature import Vasculature, sorted_links

TUMOUR, VESSEL = 0, 2
OFTEN = 1e6


def growth(inhibition=5, persistence=0.0, push=3):
    return Angiogenesis(inhibition, persistence, push, np.array([True, True, False]))


def section(side, roots, tumour=(), seed=1):
    """Return a section with roots and tumour cells at sites."""
    tissue = made_tissue((1, side, side), [*roots, *tumour], type_=VESSEL, seed=seed)
    tissue.cells["type"][len(roots) :] = TUMOUR
    tissue.cells["stage"][:] = NO_CYCLE
    tissue.vasculature = first_vasculature(tissue, VESSEL)
    return tissue


def tube(length, side):
    """Return a straight tube of vessel cells along x between two roots in the middle row."""
    sites = side // 2 * side + np.arange(length)
    tissue = made_tissue((1, side, side), sites, type_=VESSEL)
    tissue.cells["stage"][:] = NO_CYCLE
    ids = tissue.cells["id"]
    tissue.vasculature = Vasculature(VESSEL, sorted_links(ids[:-1], ids[1:]), ids[[0, -1]].copy())
    return tissue


def grow(process, tissue, steps, **behaviours):
    for _ in range(steps):
        process.step(tissue, made_context(tissue, **behaviours))
        tissue.check()
        finish_step(tissue)
    return tissue


def network(tissue):
    return VesselNetwork.of(tissue, tissue.vasculature)


def perfused(tissue):
    Vessels(VESSEL).update(tissue)
    return int(tissue.vessel.sum())


def test_without_stimulus_nothing_grows():
    tissue = grow(growth(), section(20, [210]), 5, sprouting=0.0, extension=0.0)
    assert tissue.cells.n == 1


def test_roots_sprout_at_the_rate():
    at = np.arange(5, 200, 10)
    tissue = section(200, (at[:, None] * 200 + at).ravel())
    growth().step(tissue, made_context(tissue, sprouting=0.02))
    expected = -np.expm1(-0.02 * 6)
    assert abs((tissue.cells.n - 400) / 400 - expected) < 4 * np.sqrt(expected * (1 - expected) / 400)


def test_path_of_tips_is_as_long_as_their_speed_says():
    at = np.arange(30, 390, 60)
    tissue = section(400, (at[:, None] * 400 + at).ravel())
    process = growth(inhibition=100, persistence=5.0)
    grow(process, tissue, 1, sprouting=OFTEN, extension=0.0)
    first = tissue.cells.n
    grow(process, tissue, 60, sprouting=0.0, extension=0.5)
    at = tissue.grid.positions_um(tissue.cells["site"])
    links = tissue.cells.rows_of(tissue.vasculature.links.ravel()).reshape(-1, 2)
    new = links[(links >= first).any(axis=1)]
    path = np.linalg.norm(at[new[:, 0]] - at[new[:, 1]], axis=1).sum()
    expected = 36 * 60 * 6 * 0.5
    assert abs(path / expected - 1) < 4 * np.sqrt(22.0 / expected) + 0.07  # at most one site in a step


def drift(weight, seed):
    """Return how far sprouts that leave 25 roots came along x, sites, in a field that rises by 1 % per site."""
    at = np.arange(30, 300, 55)
    roots = (at[:, None] * 300 + at).ravel()
    tissue = section(300, roots, seed=seed)
    tissue.fields[..., 0] = np.exp(np.arcsinh(0.01) * np.arange(300.0))
    process = growth(inhibition=10**6, persistence=1.0)
    grow(process, tissue, 1, sprouting=OFTEN, extension=0.0)
    grow(process, tissue, 25, sprouting=0.0, extension=2.0, chemotaxis_to_oxygen=weight)
    net = network(tissue)
    founder = {int(i): int(s) for i, s in zip(tissue.cells["id"], tissue.cells["site"], strict=True)}
    tips = net.tips()
    start = np.array([founder[int(f)] for f in tissue.cells["founder"][tips]])
    return (tissue.cells["site"][tips] % 300 - start % 300).astype(float)


def test_sprouts_climb_the_gradient_and_do_not_without_gain():
    up, none = drift(4.0, 1), drift(0.0, 1)
    assert up.mean() > 5.0
    assert abs(none.mean()) < 4 * none.std() / np.sqrt(len(none))


def test_a_tip_keeps_others_away_along_the_vessel():
    few = grow(growth(inhibition=8, push=0), tube(200, 201), 1, sprouting=OFTEN)
    starts = np.sort(few.cells["site"][few.cells.rows_of(few.cells["parent"][few.cells["parent"] > 0])] % 201)
    assert len(starts) > 10
    assert np.diff(starts).min() >= 8
    many = grow(growth(inhibition=1, push=0), tube(200, 201), 1, sprouting=OFTEN)
    assert many.cells.n - 200 > 3 * len(starts)


def test_stalk_branches_once_its_tip_is_far():
    tissue = grow(
        growth(inhibition=4, persistence=5.0), section(80, [40 * 80 + 40]), 60, sprouting=0.05, extension=3.0
    )
    degree = np.diff(network(tissue).start)
    assert (degree[~network(tissue).root] > 2).any()


def test_sprout_carries_blood_only_after_it_meets_another_root():
    side, row = 21, 10 * 21
    tissue = section(side, [row + 5, row + 12])
    tissue.fields[..., 0] = np.arange(21.0)
    process = growth(inhibition=3, persistence=5.0)
    grow(process, tissue, 1, sprouting=np.array([OFTEN, 0.0]), chemotaxis_to_oxygen=50.0)
    while tissue.clock.step < 400 and len(network(tissue).tips()):
        assert perfused(tissue) == 2
        grow(process, tissue, 1, sprouting=0.0, extension=1.0, chemotaxis_to_oxygen=50.0)
    assert len(network(tissue).tips()) == 0
    assert perfused(tissue) == tissue.cells.n > 5


def test_tip_does_not_join_its_own_stalk():
    tissue = grow(growth(inhibition=1000), section(30, [15 * 30 + 15]), 100, sprouting=0.1, extension=3.0)
    assert len(tissue.vasculature.links) == tissue.cells.n - 1


def test_two_tips_that_meet_are_linked_once():
    tissue = section(9, [40 - 3, 40 + 2])
    grow(growth(), tissue, 1, sprouting=0.0)
    cells = tissue.cells
    rows = cells.append(
        np.array([40 - 2, 40 - 1, 40, 40 + 1]), type=VESSEL, lineage=np.arange(4, dtype=np.uint64)
    )
    ids = cells["id"]
    chain = [(0, rows[0]), (rows[0], rows[1]), (rows[2], rows[3]), (rows[3], 1)]
    ends = np.array([[ids[a], ids[b]] for a, b in chain])
    tissue.vasculature.links = sorted_links(ends[:, 0], ends[:, 1])
    grow(growth(inhibition=3), tissue, 1, sprouting=0.0)
    assert len(tissue.vasculature.links) == 5
    assert perfused(tissue) == 6


def test_sprout_pushes_cells_but_neither_vessels_nor_remains():
    line = 10 * 21 + np.arange(21)
    walls = np.concatenate([line - 21, line + 21])
    tissue = section(21, [line[0], *walls], tumour=line[1:4])
    tissue.cells["death"][tissue.cells["site"] == line[3]] = APOPTOSIS
    process = growth(inhibition=0, push=3)
    only = np.where(tissue.cells["site"] == line[0], OFTEN, 0.0)
    grow(process, tissue, 1, sprouting=only)
    assert tissue.cells.n == 43 + 3
    tissue.cells["death"][:] = 0
    grow(process, tissue, 1, sprouting=only)
    assert tissue.cells.n == 43 + 4
    assert tissue.cells["type"][tissue.cells.occupant[line[1]]] == VESSEL
    assert (tissue.cells["type"][tissue.cells.occupant[line[2:5]]] == TUMOUR).all()


def test_amounts_are_split_and_levels_copied():
    tissue = section(15, [112])
    tissue.cells["death"][:] = 0
    held, level = tissue.cells["drug"].sum(axis=0), tissue.cells["variables"][0].copy()
    grow(growth(), tissue, 1, sprouting=OFTEN)
    assert np.allclose(tissue.cells["drug"].sum(axis=0), held, rtol=1e-15)
    assert np.array_equal(tissue.cells["variables"], [level, level])
    assert tissue.cells["parent"][1] == tissue.cells["id"][0]
    assert len(tissue.events.table("births")) == 1


def test_cell_past_its_cycle_sprouts_at_once_and_starts_anew():
    tissue = section(15, [112])
    tissue.cells["stage"][:], tissue.cells["stage_left_min"][:] = G2M, -1.0
    grow(growth(), tissue, 1, sprouting=0.0)
    assert tissue.cells.n == 2
    assert (tissue.cells["stage"] == G1).all()


def test_links_of_the_dead_are_dropped_and_the_broken_ends_are_tips():
    tissue = tube(9, 9)
    tissue.cells["death"][4] = APOPTOSIS
    grow(growth(inhibition=2), tissue, 1, sprouting=0.0)
    assert len(tissue.vasculature.links) == 6
    assert len(network(tissue).tips()) == 2


def test_tube_of_living_cells_spreads_in_three_dimensions():
    column = np.arange(9) * 81 + 40
    tissue = made_tissue((9, 9, 9), column, type_=VESSEL)
    tissue.cells["stage"][:] = NO_CYCLE
    tissue.vasculature = first_vasculature(tissue, VESSEL)
    assert perfused(tissue) == 9
    grow(growth(inhibition=3, persistence=1.0), tissue, 30, sprouting=0.02, extension=3.0)
    assert 9 <= perfused(tissue) <= tissue.cells.n
    assert tissue.cells.n > 30
    assert len(np.unique(tissue.cells["site"] // 81)) == 9


@pytest.mark.parametrize("push", [0, 3])
def test_growth_is_independent_of_row_order(push):
    rng = np.random.default_rng(2)
    sites = rng.choice(900, 300, replace=False)

    def make():
        tissue = section(30, sites[:20], sites[20:])
        tissue.fields[..., 0] = np.random.default_rng(5).random((1, 30, 30))
        return tissue

    def step(tissue):
        growth(inhibition=2, push=push).step(
            tissue, made_context(tissue, sprouting=0.05, extension=3.0, chemotaxis_to_oxygen=2.0)
        )

    plain = assert_same_after_permutation(make, step, rounds=6)
    assert plain.cells.n > 330
