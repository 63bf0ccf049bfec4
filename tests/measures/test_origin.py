import numpy as np
import pytest
from scipy.stats import binom

from tme_sim.measures.origin import (
    INDUCED_STABLE,
    INDUCED_TRANSIENT,
    PROTECTED_BEFORE,
    SELECTED,
    UNDECIDED,
    Fluctuation,
    Sisters,
    fluctuation,
    mutants,
    mutation_rate,
    origin,
    sister_pairs,
    sisters,
)
from tme_sim.state.codes import LOST, PROTECTED, SENSITIVE, STABLE, TRANSIENT


def grown(clones, generations, rate, rng):
    """Return mutants per clone: synchronous doublings, one of the two daughters mutates with a probability."""
    found = np.zeros(clones, np.int64)
    for generation in range(generations):
        wild = 2**generation - found
        found = 2 * found + rng.binomial(wild, rate)
    return found


def test_inherited_mutants_fluctuate_and_independent_cells_do_not():
    rng, n = np.random.default_rng(1), np.full(60, 1024)
    inherited = fluctuation(grown(60, 10, 0.002, rng), n)
    independent = fluctuation(rng.binomial(n, 0.01), n)
    assert inherited.dispersion > 5.0
    assert inherited.p_value < 1e-6
    assert independent.dispersion == pytest.approx(1.0, abs=0.5)
    assert independent.p_value > 0.01


def test_dispersion_of_equal_clones_is_variance_over_mean():
    k, n = np.array([3, 0, 12, 1, 0, 2]), np.full(6, 10**6)
    found = fluctuation(k, n)
    assert found.dispersion == pytest.approx(found.variance / found.mean, rel=1e-4)


def test_unequal_clones_do_not_pass_for_fluctuation():
    rng = np.random.default_rng(2)
    n = rng.integers(20, 2000, 80)
    k = rng.binomial(n, 0.3)
    assert np.var(k) / np.mean(k) > 50.0
    assert fluctuation(k, n).p_value > 0.01


def test_independent_cells_are_called_fluctuating_as_often_as_promised():
    rng = np.random.default_rng(3)
    called = sum(fluctuation(rng.binomial(200, 0.1, 30), np.full(30, 200)).p_value < 0.05 for _ in range(400))
    assert called <= binom.ppf(0.9999, 400, 0.05)


@pytest.mark.parametrize(("k", "n"), [([1], [9]), ([1, 5], [9, 4]), ([0, 0], [0, 3])])
def test_impossible_counts_are_refused(k, n):
    with pytest.raises(ValueError, match="at least two clones"):
        fluctuation(np.array(k), np.array(n))


def test_mutants_add_up_and_start_as_poisson():
    p = mutants(1.5, 4000)
    assert p.sum() == pytest.approx(1.0, abs=1e-3)
    assert p[0] == pytest.approx(np.exp(-1.5))
    assert p[1] == pytest.approx(1.5 / 2 * p[0])


def test_mutation_rate_is_recovered():
    k = grown(200, 10, 0.002, np.random.default_rng(4))
    assert mutation_rate(k, np.full(200, 1024)) == pytest.approx(0.002, rel=0.25)
    assert mutation_rate(np.zeros(9, int), np.full(9, 100)) == 0.0


def test_sisters_that_share_a_property_correlate():
    rng = np.random.default_rng(5)
    shared, own = rng.normal(size=(3, 2000)), rng.normal(size=(2, 2000))
    same = sisters(shared[0] + own[0], shared[0] + own[1])
    assert same.correlation == pytest.approx(0.5, abs=0.06)
    assert same.p_value < 1e-6
    assert sisters(own[0], own[1]).p_value > 0.001
    assert np.isnan(sisters(np.ones(9), np.ones(9)).correlation)


def test_sister_pairs_are_a_mother_and_her_last_daughter():
    # 1 bore 3, then 4; 2 bore 5, which has divided since into 5 and 6.
    ids, parent = np.array([1, 2, 3, 4, 5, 6]), np.array([-1, -1, 1, 1, 2, 5])
    generation = np.array([2, 1, 1, 2, 2, 2])
    assert sister_pairs(ids, parent, generation).tolist() == [[0, 3], [4, 5]]


YES, NO = Fluctuation(1.0, 9.0, 9.0, 1e-9), Fluctuation(1.0, 1.0, 1.0, 0.5)
ALIKE, ALONE = Sisters(0.8, 1e-9, 50), Sisters(0.0, 0.5, 50)


@pytest.mark.parametrize(
    ("counted", "paired", "code", "verdict"),
    [
        (YES, ALIKE, None, SELECTED),
        (NO, ALONE, [STABLE, STABLE, TRANSIENT, SENSITIVE], INDUCED_STABLE),
        (NO, ALONE, [TRANSIENT, SENSITIVE], INDUCED_TRANSIENT),
        (NO, ALONE, [PROTECTED, PROTECTED, STABLE, TRANSIENT, SENSITIVE], PROTECTED_BEFORE),
        (NO, ALONE, [PROTECTED, STABLE], UNDECIDED),
        (NO, ALONE, [SENSITIVE, LOST], UNDECIDED),
        (NO, ALONE, None, UNDECIDED),
        (YES, ALONE, [STABLE], UNDECIDED),
        (NO, ALONE, [], UNDECIDED),
    ],
)
def test_verdict_needs_both_tests_and_the_washout(counted, paired, code, verdict):
    assert origin(counted, paired, None if code is None else np.array(code)) == verdict
