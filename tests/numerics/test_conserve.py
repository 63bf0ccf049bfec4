import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tme_sim.numerics.conserve import conserve
from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.multigrid import Multigrid


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), log_k=st.floats(-3.0, 5.0), tolerance=st.sampled_from([1e-2, 1e-4, 1e-6])
)
def test_balance_is_exact_after_a_rough_solve(seed, log_k, tolerance):
    shape = (1, 23, 18)
    rng = np.random.default_rng(seed)
    diag = rng.uniform(1 / 6, 3.0, (*shape, 2))
    rhs = np.where(rng.random(diag.shape) < 0.05, rng.random(diag.shape), 0.0)
    rhs[0, 0, 0] = 1.0
    u = np.zeros_like(rhs)
    Multigrid(shape, np.full(2, 10.0**log_k)).solve(diag, rhs, u, tolerance)
    conserve(diag, rhs, u)
    supplied, removed = rhs.sum((0, 1, 2)), (diag * u).sum((0, 1, 2))
    np.testing.assert_allclose(removed, supplied, rtol=1e-13)
    assert (u >= 0.0).all()


def test_negative_values_are_clipped():
    u = np.array([1.0, -0.5]).reshape(1, 1, 2, 1)
    ones = np.ones_like(u)
    factor = conserve(ones, ones, u)
    np.testing.assert_array_equal(u.ravel(), [2.0, 0.0])
    assert factor[0] == 2.0


def test_species_without_source_becomes_zero():
    u = np.full((1, 2, 2, 1), 1e-9)
    conserve(np.ones_like(u), np.zeros_like(u), u)
    assert (u == 0.0).all()


def test_source_without_value_raises():
    u = np.zeros((1, 2, 2, 2))
    rhs = np.zeros_like(u)
    rhs[..., 1] = 1.0
    with pytest.raises(SolveError, match="species 1"):
        conserve(np.ones_like(u), rhs, u)


def test_noncontiguous_solution_is_refused():
    u = np.zeros((1, 4, 4, 2))[..., ::-1]
    with pytest.raises(ValueError, match="C-contiguous"):
        conserve(np.ones_like(u), np.ones_like(u), u)
