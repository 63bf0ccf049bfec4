import numpy as np
import operator_twin as twin
import pytest
import scipy.sparse
import scipy.sparse.linalg

from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.links import Links
from tme_sim.numerics.multigrid import Multigrid


def made_tissue(shape, seed=0):
    """Vessels imposed at 40 mmHg, uptake of 450 to 900 mmHg/min elsewhere: well fed and anoxic sites."""
    rng = np.random.default_rng(seed)
    vessel = (rng.random(shape) < 0.02)[..., None]
    diag = np.where(vessel, 1e5, 0.0)
    uptake = np.where(vessel, 0.0, rng.uniform(450.0, 900.0, (*shape, 1)))
    return diag, diag * 40.0, uptake


def newton_in_scipy(shape, k, diag, rhs, uptake, km):
    a = twin.matrix(shape, k, diag, Links.uniform(shape))
    b, v = rhs.ravel(), uptake.ravel()
    u = np.zeros_like(b)
    for _ in range(60):
        jacobian = a + scipy.sparse.diags_array(v * km / (u + km) ** 2)
        step = scipy.sparse.linalg.spsolve(jacobian.tocsc(), b - a @ u - v * u / (u + km))
        u = u + step
        if np.abs(step).max() < 1e-13 * u.max():
            return u.reshape(*shape, 1)
    raise AssertionError("reference did not converge")


@pytest.mark.parametrize("shape", [(1, 41, 37), (5, 12, 13)])
@pytest.mark.parametrize("start", [0.0, 40.0, 1e4])
def test_solution_agrees_with_scipy_from_any_start(shape, start):
    diag, rhs, uptake = made_tissue(shape)
    u = np.full_like(rhs, start)
    Multigrid(shape, np.array([300.0])).solve_saturable(diag, rhs, uptake, np.array([1.0]), u, 1e-9)
    exact = newton_in_scipy(shape, 300.0, diag, rhs, uptake, 1.0)
    np.testing.assert_allclose(u, exact, rtol=0, atol=1e-8 * exact.max())
    assert (u >= 0.0).all()


def test_manufactured_solution_is_recovered():
    shape, k, km = (1, 30, 44), np.array([300.0, 20.0]), np.array([1.0, 5.0])
    rng = np.random.default_rng(1)
    made = rng.uniform(0.0, 50.0, (*shape, 2))
    diag = rng.uniform(0.1, 1.0, made.shape)
    uptake = rng.uniform(0.0, 100.0, made.shape)
    linear = twin.apply(k, diag, Links.uniform(shape), made)
    u = np.full_like(made, 10.0)
    Multigrid(shape, k).solve_saturable(diag, linear + uptake * made / (made + km), uptake, km, u, 1e-10)
    np.testing.assert_allclose(u, made, rtol=0, atol=1e-8)


def test_warm_start_after_small_change_takes_few_iterations():
    shape = (1, 100, 100)
    diag, rhs, uptake = made_tissue(shape)
    solver = Multigrid(shape, np.array([300.0]))
    u = np.full_like(rhs, 40.0)
    cold = solver.solve_saturable(diag, rhs, uptake, np.array([1.0]), u).iterations[0]
    uptake *= np.where(np.random.default_rng(2).random(uptake.shape) < 0.01, 1.3, 1.0)
    warm = solver.solve_saturable(diag, rhs, uptake, np.array([1.0]), u).iterations[0]
    assert cold <= 60
    assert warm <= 16


def test_no_saturable_uptake_equals_linear_solve():
    shape = (1, 20, 20)
    rng = np.random.default_rng(3)
    diag, rhs = rng.uniform(0.1, 1.0, (*shape, 2)), rng.random((*shape, 2))
    k = np.array([1.0, 100.0])
    linear, saturable = np.zeros_like(rhs), np.zeros_like(rhs)
    Multigrid(shape, k).solve(diag, rhs, linear, 1e-11)
    Multigrid(shape, k).solve_saturable(diag, rhs, np.zeros_like(rhs), np.ones(2), saturable, 1e-11)
    np.testing.assert_allclose(saturable, linear, rtol=0, atol=1e-10 * linear.max())


def test_no_source_gives_zero():
    shape = (1, 8, 8)
    diag, rhs, uptake = made_tissue(shape)
    u = np.full_like(rhs, 3.0)
    Multigrid(shape, np.array([300.0])).solve_saturable(diag, 0.0 * rhs, uptake, np.array([1.0]), u)
    assert (u == 0.0).all()


def test_half_saturation_must_be_positive():
    diag, rhs, uptake = made_tissue((1, 8, 8))
    with pytest.raises(ValueError, match="half_saturation"):
        Multigrid((1, 8, 8), np.array([1.0])).solve_saturable(diag, rhs, uptake, np.array([0.0]), rhs.copy())


def test_uptake_not_finite_is_refused():
    diag, rhs, uptake = made_tissue((1, 8, 8))
    uptake[0, 3, 3, 0] = np.nan
    with pytest.raises(SolveError, match="not finite"):
        Multigrid((1, 8, 8), np.array([1.0])).solve_saturable(diag, rhs, uptake, np.array([1.0]), rhs * 0 + 1)
