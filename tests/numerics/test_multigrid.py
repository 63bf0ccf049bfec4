import pickle

import numpy as np
import operator_twin as twin
import pytest

from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.jit import set_threads
from tme_sim.numerics.levels import UNIT
from tme_sim.numerics.links import Links, links_from_mobility, links_with_wells
from tme_sim.numerics.multigrid import Multigrid

SHAPES = [
    (1, 64, 64),
    (1, 97, 89),
    (1, 1, 251),
    (1, 251, 251),
    (7, 11, 13),
    (3, 1, 127),
    (16, 16, 16),
    (1, 83, 1),
]
SMALL = [
    (1, 16, 16),
    (1, 17, 13),
    (5, 6, 7),
    (3, 1, 31),
    (1, 1, 9),
    (1, 9, 1),
    (9, 1, 1),
    (2, 2, 2),
    (1, 1, 1),
]
K = np.array([0.3, 50.0, 3000.0])


def made_system(shape, n_species, seed=0):
    rng = np.random.default_rng(seed)
    diag = rng.uniform(0.01, 1.0, (*shape, n_species))
    return diag, rng.random((*shape, n_species)), np.zeros((*shape, n_species))


@pytest.mark.parametrize("shape", SMALL)
def test_solution_agrees_with_sparse_lu(shape):
    diag, rhs, u = made_system(shape, 3)
    links = twin.random_links(shape, np.random.default_rng(1))
    Multigrid(shape, K, links).solve(diag, rhs, u, 1e-10)
    exact = twin.solve(shape, K, diag, rhs, links)
    np.testing.assert_allclose(u, exact, rtol=0, atol=2e-9 * exact.max())


def test_solution_satisfies_the_numpy_operator():
    shape = (3, 21, 34)
    diag, rhs, u = made_system(shape, 3)
    links = twin.random_links(shape, np.random.default_rng(2))
    Multigrid(shape, K, links).solve(diag, rhs, u, 1e-12)
    residual = np.abs(rhs - twin.apply(K, diag, links, u)).max((0, 1, 2))
    assert (residual <= 1e-11 * (diag.max() + 6 * 2 * K) * u.max()).all()


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
def test_error_is_within_tolerance_of_the_largest_value(tolerance):
    shape = (1, 40, 37)
    k = np.array([0.3, 1.0, 30.0, 3000.0, 1e5])
    diag, rhs, u = made_system(shape, 5)
    Multigrid(shape, k).solve(diag, rhs, u, tolerance)
    exact = twin.solve(shape, k, diag, rhs)
    assert (np.abs(u - exact).max((0, 1, 2)) <= tolerance * exact.max((0, 1, 2))).all()


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("shape", [(1, 40, 37), (9, 10, 11)])
def test_error_of_weakly_diffusing_species_is_within_tolerance(shape, tolerance):
    k = np.array([0.01, 0.1, 0.45, 1.0, 2.0])
    diag, rhs, u = made_system(shape, 5)
    diag += 1.0
    report = Multigrid(shape, k).solve(diag, rhs, u, tolerance)
    exact = twin.solve(shape, k, diag, rhs)
    error = np.abs(u - exact).max((0, 1, 2)) / exact.max((0, 1, 2))
    assert (error <= report.residual).all()
    assert (report.residual <= tolerance).all()


def test_error_is_within_tolerance_where_many_sites_are_cut_off():
    shape, rng = (1, 60, 60), np.random.default_rng(0)
    links = links_from_mobility((rng.random(shape) < 0.75).astype(float))
    diag, rhs, u = made_system(shape, 1)
    rhs *= 0.1
    diag[:] = 0.1
    Multigrid(shape, np.array([300.0]), links).solve(diag, rhs, u, 1e-6, max_iterations=300)
    exact = twin.solve(shape, [300.0], diag, rhs, links)
    assert np.abs(u - exact).max() <= 1e-6 * exact.max()


def ring_in(shape, conducts):
    """Return mobility with a ring (a shell in space) that conducts so much, and what lies inside of it."""
    at = np.indices(shape)
    inside, wall = np.ones(shape, bool), np.ones(shape, bool)
    for along, n in zip(at, shape, strict=True):
        if n > 1:
            inside &= (along > n // 4) & (along < n - 1 - n // 4)
            wall &= (along >= n // 4) & (along <= n - 1 - n // 4)
    return np.where(wall & ~inside, conducts, 1.0), inside


@pytest.mark.parametrize("shape", [(1, 20, 20), (6, 9, 9)])
@pytest.mark.parametrize("k", [300.0, 5000.0])
@pytest.mark.parametrize("conducts", [0.0, 1e-6, 1e-4])
def test_what_a_ring_cuts_off_finds_its_own_level(shape, k, conducts):
    rng = np.random.default_rng(13)
    mobility, inside = ring_in(shape, conducts)
    links = links_from_mobility(mobility)
    diag = np.where(inside, 1e-3, 0.1)[..., None]
    solver = Multigrid(shape, np.array([k]), links)
    for rhs in (rng.random((*shape, 1)), (rng.random((*shape, 1)) < 0.02) * 1.0 + inside[..., None] * 1e-4):
        exact = twin.solve(shape, [k], diag, rhs, links)
        for u in (np.zeros_like(rhs), np.ones_like(rhs)):
            report = solver.solve(diag, rhs, u, 1e-6)
            assert np.abs(u - exact).max() < 1e-6 * np.abs(exact).max()
            assert report.iterations.max() < 40


@pytest.mark.parametrize("k", [3e3, 3e4, 3e5])
def test_a_line_with_a_closed_link_has_two_levels(k):
    shape = (1, 1, 8)
    links = Links.uniform(shape)
    links.x[0, 0, 3] = 0.0
    diag = np.where(np.arange(8) < 4, 1.0, 1e-3).reshape(*shape, 1) * np.linspace(0.8, 1.2, 8)[:, None]
    rhs = np.random.default_rng(1).random((*shape, 1))
    u = np.zeros_like(rhs)
    Multigrid(shape, np.array([k]), links).solve(diag, rhs, u, 1e-6)
    for half in (slice(0, 4), slice(4, 8)):
        level = rhs[0, 0, half].sum() / diag[0, 0, half].sum()
        assert np.abs(u[0, 0, half] / level - 1.0).max() < 10.0 / k


@pytest.mark.parametrize("n", [13, 37, 250, 1025])
@pytest.mark.parametrize("k", [30.0, 3000.0, 3e5])
def test_lines_with_many_closed_links_converge(n, k):
    shape, rng = (1, 1, n), np.random.default_rng(n)
    links = twin.random_links(shape, rng, 0.1)
    diag, rhs = rng.uniform(0.001, 1.0, (*shape, 1)), rng.random((*shape, 1))
    u = np.zeros_like(rhs)
    Multigrid(shape, np.array([k]), links).solve(diag, rhs, u, 1e-6)
    exact = twin.solve(shape, [k], diag, rhs, links)
    assert np.abs(u - exact).max() < 2e-6 * np.abs(exact).max()


@pytest.mark.parametrize("shape", [(2, 2, 2), (1, 2, 2), (1, 1, 3)])
@pytest.mark.parametrize("k", [0.3, 3.0, 50.0])
def test_few_sites_are_solved_where_one_step_meets_the_solution(shape, k):
    """Single precision alone then cannot tell how well; the error is an estimate, here off by at most 1.1."""
    for seed in range(40):
        diag, rhs, u = made_system(shape, 1, seed)
        links = twin.random_links(shape, np.random.default_rng(seed))
        Multigrid(shape, np.array([k]), links).solve(diag, rhs, u, 1e-7)
        exact = twin.solve(shape, np.array([k]), diag, rhs, links)
        assert np.abs(u - exact).max() <= 1.1e-7 * exact.max(), seed


@pytest.mark.parametrize("shape", [(2, 3, 2), (1, 13, 17), (5, 7, 11)])
def test_strong_diffusion_hides_no_error_behind_local_residuals(shape):
    """A first guess far off leaves residuals of k, which hide what is common to all sites in single precision."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        k, tolerance = 10.0 ** rng.uniform(5.0, 7.0), 10.0 ** rng.uniform(-6.0, -4.0)
        _, rhs, _ = made_system(shape, 1)
        diag = (rng.random(rhs.shape) < 0.05).astype(float)
        diag.flat[0], u = 1.0, 100.0 * rng.random(rhs.shape)
        Multigrid(shape, np.array([k])).solve(diag, rhs, u, tolerance)
        exact = twin.solve(shape, np.array([k]), diag, rhs)
        assert np.abs(u - exact).max() <= tolerance * exact.max(), seed


def test_iterations_beyond_the_answer_do_not_lose_it():
    shape = (2, 3, 2)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        diag, rhs, u = made_system(shape, 1, seed)
        diag[diag < 0.5], k = 0.0, 10.0 ** rng.uniform(2.0, 6.0)
        links, u = twin.random_links(shape, rng, 0.0), 100.0 * rng.random(rhs.shape)
        Multigrid(shape, np.array([k]), links).solve(diag, rhs, u, 1e-8)
        exact = twin.solve(shape, np.array([k]), diag, rhs, links)
        assert np.abs(u - exact).max() <= 1e-7 * exact.max(), seed


def test_iterations_hardly_depend_on_shape():
    counts = []
    for shape in SHAPES:
        diag = np.full((*shape, 1), 0.1)
        rhs = np.random.default_rng(0).random((*shape, 1))
        u = np.zeros_like(rhs)
        counts.append(int(Multigrid(shape, np.array([300.0])).solve(diag, rhs, u, 1e-8).iterations[0]))
    assert max(counts) - min(counts) <= 2, dict(zip(SHAPES, counts, strict=True))


def test_plane_equals_one_layer_of_uniform_stack():
    diag, rhs, u = made_system((1, 19, 23), 3)
    stack = np.zeros((6, 19, 23, 3))
    Multigrid((1, 19, 23), K).solve(diag, rhs, u, 1e-11)
    spread = [np.ascontiguousarray(np.broadcast_to(a, stack.shape)) for a in (diag, rhs)]
    Multigrid((6, 19, 23), K).solve(*spread, stack, 1e-11)
    for layer in stack:
        np.testing.assert_allclose(layer, u[0], rtol=0, atol=1e-10 * u.max())


def test_axes_are_interchangeable():
    shape = (4, 9, 14)
    diag, rhs, u = made_system(shape, 1)
    links = twin.random_links(shape, np.random.default_rng(3))
    Multigrid(shape, K[1:2], links).solve(diag, rhs, u, 1e-11)
    turned = np.zeros((14, 9, 4, 1))
    turned_links = Links(*(face.transpose(2, 1, 0).copy() for face in (links.z, links.y, links.x)))
    Multigrid((14, 9, 4), K[1:2], turned_links).solve(
        diag.transpose(2, 1, 0, 3), rhs.transpose(2, 1, 0, 3), turned, 1e-11
    )
    np.testing.assert_allclose(turned.transpose(2, 1, 0, 3), u, rtol=0, atol=1e-10 * u.max())


@pytest.mark.parametrize("exchange", [1e1, 1e3, 1e5, 1e8])
@pytest.mark.parametrize("share", [0.001, 0.03])
def test_strong_point_vessels_converge(exchange, share):
    shape = (1, 128, 128)
    rng = np.random.default_rng(0)
    vessel = rng.random(shape) < share
    diag = np.where(vessel, exchange, np.where(rng.random(shape) < 0.8, 10.0, 0.0))[..., None]
    rhs = np.where(vessel, exchange * 40.0, 0.0)[..., None]
    links = links_with_wells(Links.uniform(shape), vessel, 1.13)
    u = np.zeros_like(rhs)
    report = Multigrid(shape, np.array([250.0]), links).solve(diag, rhs, u, 1e-6)
    exact = twin.solve(shape, [250.0], diag, rhs, links)
    assert report.iterations[0] <= 14
    assert np.abs(u - exact).max() <= 1e-6 * exact.max()


def lone_vessels(shape):
    vessel = np.zeros(shape, bool)
    vessel[::4, 1::4, 2::5] = True
    return vessel


@pytest.mark.parametrize("factor", [0.7, 1.13, 2.3])
@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 17, 13), (1, 75, 50), (5, 6, 7), (1, 1, 30), (6, 9, 40)])
def test_lone_vessels_with_wells_agree_with_sparse_lu(shape, factor):
    diag, rhs, u = made_system(shape, 3)
    vessel = lone_vessels(shape)
    diag[vessel] = 1e3
    links = links_with_wells(Links.uniform(shape), vessel, factor)
    solver = Multigrid(shape, K, links)
    assert solver._levels.table[0, UNIT] == (factor < 2.0 or not vessel.any())
    before = rhs.copy()
    solver.solve(diag, rhs, u, 1e-10)
    exact = twin.solve(shape, K, diag, rhs, links)
    np.testing.assert_allclose(u, exact, rtol=0, atol=2e-9 * exact.max())
    assert np.array_equal(rhs, before)


@pytest.mark.parametrize("factor", [0.5, 1.13, 2.3, 10.0])
@pytest.mark.parametrize("k", [90.0, 1e4])
def test_wells_hardly_cost_iterations_whatever_their_factor(factor, k):
    shape = (1, 80, 81)
    diag, rhs, u = made_system(shape, 1)
    vessel = np.zeros(shape, bool)
    vessel[0, 1::4, 2::5] = True
    diag[...], u[...] = 1.0, 40.0 * np.random.default_rng(1).random(u.shape)
    diag[vessel] = 5.0
    rhs[vessel] += 200.0
    links = links_with_wells(Links.uniform(shape), vessel, factor)
    report = Multigrid(shape, np.array([k]), links).solve(diag, rhs, u)
    assert report.iterations[0] <= 17


@pytest.mark.parametrize("factor", [1.13, 2.3, 30.0])
@pytest.mark.parametrize("k", [0.3, 250.0])
@pytest.mark.parametrize("exchange", [1e3, 1e8])
def test_error_is_within_tolerance_whatever_the_factor_of_wells(factor, k, exchange):
    shape = (1, 60, 61)
    diag, rhs, u = made_system(shape, 1)
    vessel = np.zeros(shape, bool)
    vessel[0, 3::6, 3::6] = True
    diag[vessel], rhs[...] = exchange, 0.0
    rhs[vessel] = 40.0 * exchange
    links = links_with_wells(Links.uniform(shape), vessel, factor)
    report = Multigrid(shape, np.array([k]), links).solve(diag, rhs, u, 1e-6)
    exact = twin.solve(shape, [k], diag, rhs, links)
    assert np.abs(u - exact).max() <= 1e-6 * exact.max()
    assert report.residual[0] <= 1e-6


def test_vessels_that_touch_are_solved_with_their_links():
    shape = (1, 20, 23)
    diag, rhs, u = made_system(shape, 3)
    vessel = np.zeros(shape, bool)
    vessel[0, 5, 3:9] = True
    links = links_with_wells(Links.uniform(shape), vessel, 1.13)
    solver = Multigrid(shape, K, links)
    assert solver._levels.table[0, UNIT] == 0
    solver.solve(diag, rhs, u, 1e-10)
    exact = twin.solve(shape, K, diag, rhs, links)
    np.testing.assert_allclose(u, exact, rtol=0, atol=2e-9 * exact.max())


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e25])
def test_solution_follows_the_scale_of_its_sources(scale):
    diag, rhs, u = made_system((1, 40, 37), 3)
    Multigrid((1, 40, 37), K).solve(diag, rhs, u, 1e-10)
    scaled = np.zeros_like(u)
    Multigrid((1, 40, 37), K).solve(diag, rhs * scale, scaled, 1e-10)
    np.testing.assert_allclose(scaled / scale, u, rtol=0, atol=1e-9 * u.max())


@pytest.mark.parametrize("k", [3e3, 1e5, 1e6])
def test_strong_diffusion_needs_no_more_digits_than_double_precision_has(k):
    shape = (1, 60, 61)
    diag, rhs, u = made_system(shape, 1)
    report = Multigrid(shape, np.array([k])).solve(diag, rhs, u, 1e-9)
    exact = twin.solve(shape, [k], diag, rhs)
    assert np.abs(u - exact).max() <= 1e-8 * exact.max()
    assert report.iterations[0] <= 15


def test_warm_start_at_the_solution_takes_one_iteration():
    diag, rhs, u = made_system((1, 50, 50), 3)
    solver = Multigrid((1, 50, 50), K)
    solver.solve(diag, rhs, u, 1e-9)
    before = u.copy()
    assert (solver.solve(diag, rhs, u, 1e-6).iterations == 1).all()
    np.testing.assert_allclose(u, before, rtol=0, atol=1e-8)


@pytest.mark.parametrize("n_species", [1, 5, 19])
def test_same_bytes_for_every_thread_count(n_species):
    shape = (3, 30, 41)
    diag, rhs, start = made_system(shape, n_species)
    solver = Multigrid(shape, np.geomspace(0.1, 1000.0, n_species))
    found = []
    try:
        for threads in (1, 2, 4):
            set_threads(threads)
            u = start.copy()
            report = solver.solve(diag, rhs, u)
            found.append((u.tobytes(), report.iterations.tobytes(), report.residual.tobytes()))
    finally:
        set_threads(1)
    assert found[0] == found[1] == found[2]


def test_species_do_not_influence_each_other():
    shape = (1, 20, 21)
    diag, rhs, u = made_system(shape, 11)
    k = np.geomspace(0.1, 1000.0, 11)
    Multigrid(shape, k).solve(diag, rhs, u)
    alone = np.zeros((*shape, 1))
    Multigrid(shape, k[9:10]).solve(diag[..., 9:10], rhs[..., 9:10], alone)
    assert alone[..., 0].tobytes() == u[..., 9].tobytes()


def test_second_solve_forgets_the_first():
    diag, rhs, u = made_system((1, 31, 17), 3)
    solver = Multigrid((1, 31, 17), K)
    again = u.copy()
    solver.solve(diag, rhs, u)
    solver.solve(diag[..., ::-1] * 3.0, rhs * 7.0, np.ones_like(u))
    solver.solve(diag, rhs, again)
    assert again.tobytes() == u.tobytes()


def test_set_links_replaces_links():
    shape = (1, 12, 9)
    diag, rhs, u = made_system(shape, 3)
    links = twin.random_links(shape, np.random.default_rng(5))
    solver = Multigrid(shape, K)
    solver.set_links(links)
    solver.solve(diag, rhs, u)
    fresh = np.zeros_like(u)
    Multigrid(shape, K, links).solve(diag, rhs, fresh)
    assert fresh.tobytes() == u.tobytes()


def test_solver_that_shares_links_follows_them():
    shape, rng = (1, 12, 14), np.random.default_rng(3)
    first, second = Multigrid(shape, K), Multigrid(shape, K)
    second.share_links(first)
    first.set_links(twin.random_links(shape, rng))
    found = []
    for solver in (first, second):
        diag, rhs, u = made_system(shape, 3)
        solver.solve(diag, rhs, u)
        found.append(u.tobytes())
    assert found[0] == found[1]
    with pytest.raises(ValueError, match="lattice"):
        Multigrid((1, 3, 3), K).share_links(first)


def test_zero_source_gives_exact_zero():
    diag, rhs, u = made_system((1, 12, 13), 2)
    u += 5.0
    rhs[..., 0] = 0.0
    report = Multigrid((1, 12, 13), K[:2]).solve(diag, rhs, u)
    assert (u[..., 0] == 0.0).all()
    assert report.residual[0] == 0.0
    assert np.isfinite(u).all()


def test_no_diffusion_gives_ratio_of_source_and_sink():
    diag, rhs, u = made_system((2, 7, 5), 1)
    Multigrid((2, 7, 5), np.array([0.0])).solve(diag, rhs, u)
    np.testing.assert_allclose(u, rhs / diag, rtol=1e-14)


def test_sites_cut_off_without_sink_stay_zero():
    shape = (1, 8, 8)
    diag, rhs, u = made_system(shape, 1)
    links = Links.uniform(shape)
    links.x[:, 3, :] = 0.0
    links.y[:, 2:4, :] = 0.0
    diag[:, 3] = 0.0
    rhs[:, 3] = 0.0
    Multigrid(shape, K[:1], links).solve(diag, rhs, u)
    assert (u[:, 3] == 0.0).all()
    assert (u[:, 4] > 0.0).all()


@pytest.mark.parametrize("where", ["diag", "rhs", "u"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_input_that_is_not_finite_names_the_species(where, bad):
    diag, rhs, u = made_system((1, 9, 9), 3)
    {"diag": diag, "rhs": rhs, "u": u}[where][0, 4, 4, 1] = bad
    with pytest.raises(SolveError, match="species 1: .* not finite") as raised:
        Multigrid((1, 9, 9), K).solve(diag, rhs, u)
    assert raised.value.species == 1


def test_negative_sink_is_refused():
    diag, rhs, u = made_system((1, 9, 9), 3)
    diag[0, 0, 0, 2] = -0.1
    with pytest.raises(SolveError, match="species 2: .*negative"):
        Multigrid((1, 9, 9), K).solve(diag, rhs, u)


def test_source_without_any_sink_is_singular():
    _, rhs, u = made_system((1, 9, 9), 1)
    with pytest.raises(SolveError, match="species 0: singular"):
        Multigrid((1, 9, 9), K[:1]).solve(np.zeros_like(rhs), rhs, u)


def test_too_few_iterations_raise_with_residual_and_count():
    diag, rhs, u = made_system((1, 60, 60), 3)
    with pytest.raises(SolveError, match="not converged") as raised:
        Multigrid((1, 60, 60), K).solve(diag, rhs, u, 1e-8, max_iterations=3)
    assert raised.value.iterations == 3
    assert 1e-8 < raised.value.residual < 1.0
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


@pytest.mark.parametrize("name", ["diag", "rhs", "io_u"])
def test_array_of_wrong_shape_is_named(name):
    diag, rhs, u = made_system((1, 9, 9), 3)
    arrays = {"diag": diag, "rhs": rhs, "io_u": u}
    arrays[name] = arrays[name][:, :, :8]
    with pytest.raises(ValueError, match=name):
        Multigrid((1, 9, 9), K).solve(**arrays)


def test_array_that_cannot_be_changed_in_place_is_refused():
    diag, rhs, u = made_system((1, 9, 9), 3)
    with pytest.raises(ValueError, match="C-contiguous"):
        Multigrid((1, 9, 9), K).solve(diag, rhs, np.asfortranarray(u))


def test_pickle_drops_work_arrays_and_gives_the_same_answer():
    diag, rhs, u = made_system((1, 90, 90), 3)
    solver = Multigrid((1, 90, 90), K)
    again = u.copy()
    small = len(pickle.dumps(solver))
    solver.solve(diag, rhs, u)
    data = pickle.dumps(solver)
    assert len(data) == small
    pickle.loads(data).solve(diag, rhs, again)
    assert again.tobytes() == u.tobytes()
