import numpy as np
import pytest
from scipy.spatial.distance import cdist

from tme_sim.measures.patterns import neighbourhood_enrichment, pair_correlation


def positions(sites, shape, spacing):
    return np.stack(np.unravel_index(sites, shape), axis=1) * spacing


def brute_force_k(a, b, shape, spacing, reach, same):
    """K by the definition, pair by pair: each weighs one over the overlap of the domain with itself, moved along."""
    pa, pb = positions(a, shape, 1), positions(b, shape, 1)
    length = np.array(shape)
    total = 0.0
    for p in pa:
        moved = np.abs(pb - p)
        distance = np.sqrt((moved**2).sum(axis=1)) * spacing
        near = (distance > 0) & (distance <= reach)
        total += np.sum(1.0 / np.prod(length - moved[near], axis=1))
    n = np.prod(shape)
    chance = len(a) / n * (len(b) - same) / (n - 1)
    return total / chance * spacing ** (2 if min(shape) == 1 else 3)


@pytest.mark.parametrize("shape", [(1, 17, 12), (5, 7, 6)])
@pytest.mark.parametrize("same", [True, False])
def test_k_agrees_with_its_definition_pair_by_pair(shape, same):
    rng = np.random.default_rng(1)
    sites = rng.choice(np.prod(shape), 60, replace=False)
    a, b = (sites, sites) if same else (sites[:20], sites[20:])
    found = pair_correlation(a, b, shape, 20.0, reach_um=100.0)
    for edge, k in zip(found.edge_um, found.k, strict=True):
        assert k == pytest.approx(brute_force_k(a, b, shape, 20.0, edge + 1e-6, same))


def test_random_cells_have_no_order_up_to_the_edge():
    rng = np.random.default_rng(2)
    shape = (1, 40, 40)
    found = [
        pair_correlation(s, s, shape, 20.0, 300.0).g
        for s in (rng.choice(1600, 300, replace=False) for _ in range(60))
    ]
    error = np.std(found, axis=0) / np.sqrt(60)
    assert (np.abs(np.mean(found, axis=0) - 1.0) < 4.5 * error).all()


def test_clustered_cells_lie_above_one_and_checkers_apart():
    y, x = np.divmod(np.arange(900), 30)
    disc = np.flatnonzero(np.hypot(y - 15, x - 15) < 6)
    assert pair_correlation(disc, disc, (1, 30, 30), 10.0, 50.0).g[0] > 5.0
    board = np.flatnonzero((x + y) % 2 == 0)
    odd = np.flatnonzero((x + y) % 2 == 1)
    assert pair_correlation(board, board, (1, 30, 30), 10.0, 10.0).g[0] == 0.0
    assert pair_correlation(board, odd, (1, 30, 30), 10.0, 10.0).g[0] == pytest.approx(2.0, rel=0.01)


def test_full_lattice_has_the_k_of_chance():
    everything = np.arange(100)
    found = pair_correlation(everything, everything, (1, 10, 10), 20.0, 120.0)
    assert found.g == pytest.approx(np.ones(len(found.g)))
    assert found.k == pytest.approx(found.expected_k)


def test_one_cell_or_too_short_a_reach_is_an_error():
    with pytest.raises(ValueError, match="at least a pair"):
        pair_correlation(np.array([3]), np.array([3]), (1, 5, 5), 20.0)
    with pytest.raises(ValueError, match="at least the spacing"):
        pair_correlation(np.arange(3), np.arange(3), (1, 5, 5), 20.0, 10.0)


def test_enrichment_counts_neighbours_as_a_matrix_of_distances_does():
    rng = np.random.default_rng(4)
    at = rng.random((80, 2)) * 100
    labels = rng.choice(["a", "b", "c"], 80)
    found = neighbourhood_enrichment(at, labels, 12.0, permutations=50)
    near = cdist(at, at) <= 12.0
    np.fill_diagonal(near, val=False)
    one_hot = np.stack([labels == t for t in found.types]).astype(int)
    assert np.array_equal(found.count, one_hot @ near @ one_hot.T)
    assert np.array_equal(found.count, found.count.T)


def test_separated_types_avoid_and_random_ones_do_not():
    at = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)
    apart = neighbourhood_enrichment(at, np.where(at[:, 0] < 10, "left", "right"), 1.5, 200)
    assert apart.z[0, 1] < -10.0
    assert apart.z[0, 0] > 10.0
    mixed = np.random.default_rng(1).choice(["left", "right"], 400)
    assert np.abs(neighbourhood_enrichment(at, mixed, 1.5, 200).z).max() < 4.0


def test_enrichment_is_reproducible_and_nan_for_one_type():
    at = np.random.default_rng(1).random((30, 3))
    labels = ["a", "b"] * 15
    one, two = (neighbourhood_enrichment(at, labels, 0.3, 20, seed=5).z for _ in range(2))
    assert np.array_equal(one, two)
    assert np.isnan(neighbourhood_enrichment(at, ["a"] * 30, 0.3, 20).z).all()
