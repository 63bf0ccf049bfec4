import numpy as np
from made_tissue import assert_same_after_permutation, made_context, made_tissue

from tme_sim.processes.migration import Migration
from tme_sim.state.codes import APOPTOSIS

MIGRATION = Migration()
MEAN_HOP = (1 + np.sqrt(2)) / 2


def spread_sites(side=300, gap=3):
    at = np.arange(1, side, gap)
    return (at[:, None] * side + at).ravel()


def test_hops_occur_at_the_rate_of_the_speed():
    tissue = made_tissue((1, 300, 300), spread_sites())
    before = tissue.cells["site"].copy()
    MIGRATION.step(tissue, made_context(tissue, migration=0.5))
    tissue.check()
    moved = np.mean(tissue.cells["site"] != before)
    expected = 1 - np.exp(-0.5 * 6 / (20 * MEAN_HOP))
    assert abs(moved - expected) < 4 * np.sqrt(expected * (1 - expected) / len(before)) + 0.002


def test_random_walk_spreads_as_its_closed_form():
    # Hops at rate k, mean squared length 1.5 sites^2 on a Moore plane: <r^2> = 1.5 h^2 (number of hops).
    rng_steps, n = 40, 400
    tissue = made_tissue((1, 1000, 1000), np.arange(n) // 20 * 50_000 + np.arange(n) % 20 * 50 + 25_025)
    start = tissue.grid.positions_um(tissue.cells["site"])
    for _ in range(rng_steps):
        MIGRATION.step(tissue, made_context(tissue, migration=1.0))
        tissue.clock.step += 1
    way = tissue.grid.positions_um(tissue.cells["site"]) - start
    hops = rng_steps * (1 - np.exp(-1.0 * 6 / (20 * MEAN_HOP)))
    expected = 1.5 * 400.0 * hops
    assert abs(np.mean(np.sum(way**2, axis=1)) / expected - 1) < 4 / np.sqrt(n)


def test_no_speed_no_hop():
    tissue = made_tissue((1, 30, 30), np.arange(0, 900, 2))
    before = tissue.cells["site"].copy()
    MIGRATION.step(tissue, made_context(tissue, migration=0.0))
    assert np.array_equal(tissue.cells["site"], before)


def test_remains_do_not_move():
    tissue = made_tissue((1, 30, 30), np.arange(0, 900, 2))
    tissue.cells["death"][:] = APOPTOSIS
    before = tissue.cells["site"].copy()
    MIGRATION.step(tissue, made_context(tissue, migration=100.0))
    assert np.array_equal(tissue.cells["site"], before)


def test_crowded_cells_conserve_count_and_cargo():
    tissue = made_tissue((1, 40, 40), np.arange(0, 1600, 2))
    total = tissue.cells["cargo"].sum()
    mine = tissue.cells["cargo"].copy()
    for _ in range(20):
        MIGRATION.step(tissue, made_context(tissue, migration=50.0))
        tissue.check()
        tissue.clock.step += 1
    assert tissue.cells.n == 800
    assert tissue.cells["cargo"].sum() == total
    assert np.array_equal(tissue.cells["cargo"], mine)


def test_chemotaxis_drifts_up_the_gradient_as_its_softmax():
    # A field that rises by 1 % per site halves the response to its direction.
    tissue = made_tissue((1, 300, 300), spread_sites())
    tissue.fields[..., 0] = np.exp(np.arcsinh(0.01) * np.arange(300.0))
    before = tissue.cells["site"].copy()
    MIGRATION.step(tissue, made_context(tissue, migration=1e6, chemotaxis_to_oxygen=2.0))
    dx = tissue.cells["site"] % 300 - before % 300
    along = np.array([1, -1, 0, 0, 0.5**0.5, 0.5**0.5, -(0.5**0.5), -(0.5**0.5)])
    weight = np.exp(0.5 * 2.0 * along)
    expected = np.sum(weight * np.sign(along)) / weight.sum()
    assert abs(dx.mean() - expected) < 4 * dx.std() / np.sqrt(len(dx))


def test_chemotaxis_in_a_uniform_field_has_no_direction():
    tissue = made_tissue((1, 300, 300), spread_sites())
    before = tissue.cells["site"].copy()
    MIGRATION.step(tissue, made_context(tissue, migration=1e6, chemotaxis_to_oxygen=50.0))
    dx = tissue.cells["site"] % 300 - before % 300
    assert abs(dx.mean()) < 4 / np.sqrt(len(dx))


def test_migration_in_three_dimensions_keeps_one_cell_per_site():
    tissue = made_tissue((8, 9, 10), np.arange(0, 720, 3))
    for _ in range(10):
        MIGRATION.step(tissue, made_context(tissue, migration=30.0))
        tissue.check()
        tissue.clock.step += 1


def test_migration_is_independent_of_row_order():
    rng = np.random.default_rng(0)
    sites = rng.choice(1600, 700, replace=False)

    def step(tissue):
        MIGRATION.step(tissue, made_context(tissue, migration=5.0, chemotaxis_to_oxygen=2.0))

    def make():
        tissue = made_tissue((1, 40, 40), sites)
        tissue.fields[..., 0] = np.random.default_rng(5).random((1, 40, 40))
        return tissue

    assert_same_after_permutation(make, step)
