import numpy as np
import pytest
from made_tissue import assert_same_after_permutation, finish_step, made_context, made_tissue

from tme_sim.model.first_stages import first_stages, growth_rate
from tme_sim.numerics.philox import child_key
from tme_sim.processes.cycle import Cycle
from tme_sim.processes.division import Division
from tme_sim.state.codes import APOPTOSIS, G1, G2M

MOVABLE = np.array([True, True, False])
CYCLE = Cycle(np.array([120.0, 0.0, 0.0]), np.array([60.0, 0.0, 0.0]), np.array([True, True, False]))


def division(push=5, *, moore=True):
    return Division(np.full(3, push), MOVABLE, moore=moore)


def ready_tissue(shape, sites, **kwargs):
    tissue = made_tissue(shape, sites, **kwargs)
    tissue.cells["stage"][:] = G2M
    return tissue


def disc(side, radius):
    y, x = np.indices((side, side))
    return np.flatnonzero((y - side // 2) ** 2 + (x - side // 2) ** 2 <= radius**2)


def test_daughter_takes_a_free_neighbour_site():
    tissue = ready_tissue((1, 5, 5), [12])
    division().step(tissue, made_context(tissue))
    tissue.check()
    assert tissue.cells.n == 2
    assert tissue.cells["site"][0] == 12
    assert tissue.cells["site"][1] in (6, 7, 8, 11, 13, 16, 17, 18)


def test_daughter_sites_are_drawn_evenly():
    counts = np.zeros(25)
    for seed in range(800):
        tissue = ready_tissue((1, 5, 5), [12], seed=seed)
        division().step(tissue, made_context(tissue))
        counts[tissue.cells["site"][1]] += 1
    hit = counts[[6, 7, 8, 11, 13, 16, 17, 18]]
    assert hit.sum() == 800
    assert np.sum((hit - 100.0) ** 2 / 100.0) < 25.0


def test_von_neumann_daughters_share_a_face():
    for seed in range(30):
        tissue = ready_tissue((1, 5, 5), [12], seed=seed)
        division(moore=False).step(tissue, made_context(tissue))
        assert tissue.cells["site"][1] in (7, 11, 13, 17)


def test_levels_are_copied_and_amounts_split():
    tissue = ready_tissue((1, 5, 5), [12])
    cells = tissue.cells
    cells["damage"][:], cells["exposure"][:] = 0.3, 40.0
    before = {name: cells[name][0].copy() for name in cells.names}
    division().step(tissue, made_context(tissue))
    for name in ("variables", "damage", "exposure", "type", "founder"):
        assert np.array_equal(cells[name][0], before[name])
        assert np.array_equal(cells[name][1], before[name])
    for name in ("cargo", "docked", "drug"):
        assert np.array_equal(cells[name][0] + cells[name][1], before[name])
        assert np.array_equal(cells[name][0], cells[name][1])


def test_daughter_carries_lineage():
    tissue = ready_tissue((1, 5, 5), [12])
    cells = tissue.cells
    cells["births"][0] = 3
    key = cells["lineage"][0]
    division().step(tissue, made_context(tissue))
    assert cells["lineage"][0] == key
    assert cells["lineage"][1] == child_key(key, 3)
    assert cells["births"].tolist() == [4, 0]
    assert cells["generation"].tolist() == [1, 1]
    assert cells["parent"][1] == cells["id"][0]
    assert np.all(cells["stage"] == G1)
    assert tissue.events.table("births")[["id", "parent", "founder"]].tolist() == [(2, 1, 1)]


def test_contact_inhibition_keeps_inner_cells_ready():
    tissue = ready_tissue((1, 3, 3), np.arange(9))
    division(push=0).step(tissue, made_context(tissue))
    assert tissue.cells.n == 9
    assert np.all(tissue.cells["stage"] == G2M)


def test_push_moves_a_chain_to_the_nearest_free_site():
    tissue = made_tissue((1, 1, 8), [1, 2, 3, 4, 5])
    tissue.cells["stage"][2] = G2M  # at 3: two to the right, two to the left
    division(push=2).step(tissue, made_context(tissue))
    tissue.check()
    sites = tissue.cells["site"].tolist()
    assert sites in ([1, 2, 3, 5, 6, 4], [0, 1, 3, 4, 5, 2])


def test_push_is_limited():
    tissue = made_tissue((1, 1, 8), [1, 2, 3, 4, 5])
    tissue.cells["stage"][2] = G2M
    division(push=1).step(tissue, made_context(tissue))
    assert tissue.cells.n == 5
    assert tissue.cells["stage"][2] == G2M


@pytest.mark.parametrize("obstacle", ["endothelial", "remains"])
def test_endothelium_and_remains_are_never_pushed(obstacle):
    tissue = made_tissue((1, 1, 5), [1, 2, 3])
    tissue.cells["stage"][1] = G2M
    if obstacle == "endothelial":
        tissue.cells["type"][[0, 2]] = 2
    else:
        tissue.cells["death"][[0, 2]] = APOPTOSIS
    division().step(tissue, made_context(tissue))
    assert tissue.cells["site"].tolist() == [1, 2, 3]


def test_pushing_lets_the_inner_nodule_cycle():
    generations = {}
    for push in (0, 5):
        tissue = made_tissue((1, 41, 41), disc(41, 4))
        inner = tissue.cells["id"][np.isin(tissue.cells["site"], disc(41, 1))]
        for _ in range(100):
            context = made_context(tissue, cycle_entry=0.02)
            CYCLE.step(tissue, context)
            division(push).step(tissue, context)
            finish_step(tissue)
        clones = np.isin(tissue.cells["founder"], inner)
        generations[push] = tissue.cells["generation"][clones].max()
    assert generations[0] == 0
    assert generations[5] >= 1


def test_push_takes_the_nearer_of_two_free_sites():
    for seed in range(10):
        tissue = made_tissue((1, 1, 8), [1, 2, 3, 4, 5], seed=seed)
        tissue.cells["stage"][3] = G2M
        division().step(tissue, made_context(tissue))
        assert tissue.cells["site"].tolist() == [1, 2, 3, 4, 6, 5]


def test_push_prefers_the_straight_to_the_diagonal_line():
    block = (np.arange(3, 6)[:, None] * 9 + np.arange(3, 6)).ravel()
    for seed in range(20):
        tissue = made_tissue((1, 9, 9), block, seed=seed)
        tissue.cells["stage"][4] = G2M
        division().step(tissue, made_context(tissue))
        taken = np.setdiff1d(tissue.cells["site"], block)
        assert taken[0] in (4 * 9 + 2, 4 * 9 + 6, 2 * 9 + 4, 6 * 9 + 4)


@pytest.mark.parametrize("dt_min", [6.0, 60.0])
def test_unconstrained_colony_grows_exponentially_for_every_step(dt_min):
    rate, timed = 0.01, 180.0
    grid = np.arange(10, 600, 20)
    tissue = made_tissue((1, 600, 600), (grid[:, None] * 600 + grid).ravel(), dt_min=dt_min)
    cells = tissue.cells
    zero = np.zeros(3)
    cells["stage"][:], cells["stage_left_min"][:] = first_stages(
        cells["lineage"], cells["type"], zero + rate, CYCLE.s_min, CYCLE.g2m_min, CYCLE.cycles, seed=1
    )
    first = cells.n
    while tissue.clock.minutes < 600.0:
        context = made_context(tissue, cycle_entry=rate)
        CYCLE.step(tissue, context)
        division(20).step(tissue, context)
        finish_step(tissue)
    expected = np.exp(growth_rate(rate, timed) * 600.0)
    assert abs(cells.n / first / expected - 1.0) < 4 * 0.5 / np.sqrt(first)


def test_division_is_independent_of_row_order():
    def step(tissue):
        tissue.cells["stage"][:] = G2M
        division().step(tissue, made_context(tissue))

    done = assert_same_after_permutation(lambda: made_tissue((1, 31, 31), disc(31, 6)), step)
    assert len(done.events.table("births")) > 200


def test_division_in_three_dimensions_conserves_amounts():
    tissue = ready_tissue((9, 9, 9), np.arange(300, 400))
    before = tissue.cells["docked"].sum()
    division().step(tissue, made_context(tissue))
    tissue.check()
    assert tissue.cells.n > 150
    assert tissue.cells["docked"].sum() == pytest.approx(before, rel=1e-14)
