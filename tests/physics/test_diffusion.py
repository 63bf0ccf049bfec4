"""The solver against closed forms of diffusion, decay and boundaries."""

import numpy as np
import pytest

from tme_sim.numerics.boundary import FACES, boundary_terms
from tme_sim.numerics.conserve import conserve
from tme_sim.numerics.links import links_from_mobility
from tme_sim.numerics.multigrid import Multigrid


def cosine_error(n, axis):
    """Return the error of 3 u - u''/2 = source where u = cos(pi x) + 2 along one axis of length 1."""
    shape = tuple(n if a == axis else 3 for a in range(3))
    x = (np.arange(n) + 0.5) / n
    exact = np.cos(np.pi * x) + 2.0
    source = 3.0 * exact + 0.5 * np.pi**2 * np.cos(np.pi * x)
    along = [1, 1, 1, 1]
    along[axis] = n
    rhs = np.broadcast_to(source.reshape(along), (*shape, 1)).copy()
    u = np.zeros_like(rhs)
    Multigrid(shape, np.array([0.5 * n * n])).solve(np.full_like(rhs, 3.0), rhs, u, 1e-11)
    return np.abs(u - exact.reshape(along)).max()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_error_falls_with_the_square_of_spacing(axis):
    sizes = np.array([16, 31, 64, 127])
    errors = [cosine_error(n, axis) for n in sizes]
    order = -np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert 1.9 < order < 2.1


def fixed_value_error(n):
    """Return the error for u'' = u between u(0) = 1 and u(1) = 0: sinh(1-x)/sinh(1)."""
    shape, k = (1, 1, n), np.array([float(n * n)])
    diag, rhs = boundary_terms(shape, k, {"x_low": np.array([1.0]), "x_high": np.array([0.0])})
    u = np.zeros_like(rhs)
    Multigrid(shape, k).solve(diag + 1.0, rhs, u, 1e-12)
    x = (np.arange(n) + 0.5) / n
    return np.abs(u.ravel() - np.sinh(1.0 - x) / np.sinh(1.0)).max()


def test_error_beside_fixed_values_falls_with_the_square_of_spacing():
    sizes = np.array([16, 33, 64, 129])
    order = -np.polyfit(np.log(sizes), np.log([fixed_value_error(n) for n in sizes]), 1)[0]
    assert 1.8 < order < 2.2


@pytest.mark.parametrize("diffusion_per_step", [1e-3, 1e-1, 1e1, 1e3, 1e6])
@pytest.mark.parametrize("shape", [(1, 21, 16), (5, 6, 7)])
def test_uniform_field_with_fixed_edges_is_kept_from_a_perturbed_guess(shape, diffusion_per_step):
    k = np.array([diffusion_per_step])
    faces = FACES if shape[0] > 1 else FACES[:4]
    diag, rhs = boundary_terms(shape, k, {face: np.array([1.0]) for face in faces})
    u = 1.0 + 0.5 * np.random.default_rng(0).standard_normal((*shape, 1))
    Multigrid(shape, k).solve(diag + 1.0, rhs + 1.0, u, 1e-9)
    np.testing.assert_allclose(u, 1.0, rtol=0, atol=1e-8)


@pytest.mark.parametrize("dt_min", [0.01, 1.0, 100.0])
def test_cosine_mode_decays_at_the_rate_of_implicit_euler(dt_min):
    n, k, decay = 48, 40.0, 0.05
    mode = np.cos(np.pi * 3 * (np.arange(n) + 0.5) / n)
    rate = decay + 2.0 * k * (1.0 - np.cos(np.pi * 3 / n))
    u = np.broadcast_to(mode[:, None], (1, 5, n, 1)).copy()
    solver = Multigrid(u.shape[:3], np.array([k]))
    for _ in range(3):
        solver.solve(np.full_like(u, 1.0 / dt_min + decay), u / dt_min, u, 1e-12)
    expected = mode / (1.0 + dt_min * rate) ** 3
    np.testing.assert_allclose(u[0, 2, :, 0], expected, rtol=0, atol=1e-10 * np.abs(expected).max() + 1e-15)


@pytest.mark.parametrize("dt_min", [1e-3, 1.0, 1e3, 1e6])
def test_point_source_stays_positive_at_any_step(dt_min):
    shape = (1, 41, 41)
    rhs = np.zeros((*shape, 1))
    rhs[0, 20, 20] = 1.0
    diag = np.full_like(rhs, 1.0 / dt_min + 0.01)
    u = np.zeros_like(rhs)
    Multigrid(shape, np.array([5.0])).solve(diag, rhs, u)
    assert u.min() >= -1e-6 * u.max()
    conserve(diag, rhs, u)
    assert u.min() >= 0.0
    assert np.unravel_index(u.argmax(), u.shape)[1:3] == (20, 20)


def test_matter_is_kept_over_many_steps():
    shape, dt = (1, 37, 52), 6.0
    rng = np.random.default_rng(0)
    decay = np.array([0.0, 0.01, 0.3])
    u = rng.random((*shape, 3))
    solver = Multigrid(shape, np.array([0.075, 12.0, 90.0]))
    total, lost = u.sum((0, 1, 2)), np.zeros(3)
    source = np.where(rng.random((*shape, 3)) < 0.05, 1.0, 0.0)
    diag = np.broadcast_to(1.0 / dt + decay, u.shape).copy()
    for _ in range(50):
        rhs = u / dt + source
        solver.solve(diag, rhs, u, 1e-6)
        conserve(diag, rhs, u)
        total += dt * source.sum((0, 1, 2))
        lost += dt * decay * u.sum((0, 1, 2))
    np.testing.assert_allclose(u.sum((0, 1, 2)) + lost, total, rtol=1e-10)


def test_flux_out_through_fixed_edges_balances_the_source():
    shape, k = (1, 24, 31), np.array([25.0])
    edge, fixed = boundary_terms(shape, k, {"x_low": np.array([2.0]), "y_high": np.array([0.0])})
    source = np.random.default_rng(0).random((*shape, 1))
    diag, rhs = edge + 0.1, fixed + source
    u = np.zeros_like(rhs)
    Multigrid(shape, k).solve(diag, rhs, u)
    conserve(diag, rhs, u)
    out = (edge * u - fixed).sum()
    assert out + 0.1 * u.sum() == pytest.approx(source.sum(), rel=1e-10)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_slab_of_two_layers_has_two_slopes(axis):
    n, mobility = 30, np.repeat([1.0, 0.1], 15)
    index = "zyx".index(axis)
    shape = tuple(n if a == index else 2 for a in range(3))
    along = [1, 1, 1]
    along[index] = n
    field = np.broadcast_to(mobility.reshape(along), shape).copy()
    k = np.array([7.0])
    values = {f"{axis}_low": np.array([1.0]), f"{axis}_high": np.array([0.0])}
    diag, rhs = boundary_terms(shape, k, values, field)
    u = np.zeros_like(rhs)
    Multigrid(shape, k, links_from_mobility(field)).solve(diag, rhs, u, 1e-11)
    x = np.arange(n) + 0.5
    flux = 1.0 / (15.0 / 1.0 + 15.0 / 0.1)
    exact = np.where(x < 15.0, 1.0 - flux * x, flux * (30.0 - x) / 0.1)
    found = np.moveaxis(u[..., 0], index, 0)[:, 0, 0]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-8)
