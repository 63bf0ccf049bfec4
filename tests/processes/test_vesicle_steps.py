import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_matter import (
    made_context,
    made_layout,
    made_matter,
    pool_account,
    pool_spec,
    vesicles_of,
)  # fmt: skip
from scipy import stats

from tme_sim.numerics.binomial import binomial
from tme_sim.numerics.jit import set_threads
from tme_sim.processes.fate import release_contents
from tme_sim.state.codes import APOPTOSIS, REMOVED

LAYOUT = made_layout(pools=("exo", "mv"), cargo=("pERK",))
BEHAVIOURS = {"release exo": 1.0, "release mv": 0.3, "uptake exo": 1.0, "uptake mv": 1.0}
SPECS = (
    pool_spec(
        "exo", decay_per_min=0.004, washout_per_min=0.01, docking_per_min=(0.001, 0.02), internalise_per_min=0.03,
        saturation=20.0, cargo=(1.0,), boundary={"x_low": 0.0}, detach_per_min=0.02,
    ),
    pool_spec(
        "mv", donor=1, decay_per_min=0.01, docking_per_min=(0.02, 0.0), internalise_per_min=0.1, saturation=5.0,
        cargo=(3.0,), boundary={"y_high": 2.0},
    ),
)  # fmt: skip
CARGO_DECAY = (np.log(2) / 60.0,)


def life(tissue, step, rng):
    """Let some cells die, be cleared and be born, without any draw of the model."""
    cells = tissue.cells
    alive = np.sort(cells["id"][cells.alive()])
    rows = cells.rows_of(rng.choice(alive, 2, replace=False))
    cells["death"][rows] = APOPTOSIS
    release_contents(tissue, rows, np.zeros(0, np.int64))
    if step % 20 == 1:
        cells["death"][cells["death"] == APOPTOSIS] = REMOVED
        cells.remove(np.flatnonzero(cells["death"] == REMOVED))
    free = np.flatnonzero(cells.occupant < 0)
    if len(free) > 2:
        born = rng.choice(free, 2, replace=False)
        cells.append(born, type=born % 2, lineage=born.astype(np.uint64) + np.uint64(1000 * step))


def lived(steps=200, *, shuffle=False, threads=1):
    """Return a tissue that has lived with vesicles, births and deaths."""
    set_threads(threads)
    sites = np.arange(0, 144, 2)
    tissue = made_matter(LAYOUT, (1, 12, 12), sites, sites // 2 % 2)
    tissue.vessel[0, 5, 5] = 1.0
    process = vesicles_of(tissue, SPECS, BEHAVIOURS, cargo_decay=CARGO_DECAY, tolerance=1e-6)
    rng, order = np.random.default_rng(4), np.random.default_rng(5)
    for step in range(steps):
        if shuffle:
            tissue.cells.permute(order.permutation(tissue.cells.n))
        release = tissue.cells["type"] == 0
        behaviours = {**BEHAVIOURS, "release exo": 1.0 * release, "release mv": 0.3 * ~release}
        process.step(tissue, made_context(tissue, behaviours))
        tissue.check()
        if step % 2:
            life(tissue, step, rng)
        tissue.clock.step += 1
    set_threads(1)
    return tissue


@pytest.fixture(scope="module")
def tissue():
    return lived()


@pytest.mark.parametrize("pool", ["exo", "mv"])
def test_every_vesicle_is_somewhere_after_births_and_deaths(tissue, pool):
    column = LAYOUT.pools.index(pool)
    present = tissue.pool(pool).sum() + tissue.cells["docked"][:, column].sum()
    gone = [
        pool_account(tissue, pool, a) for a in ("internalised", "decayed", "left_vessel", "left_boundary")
    ]
    entered = pool_account(tissue, pool, "released") + pool_account(tissue, pool, "given")
    assert min(pool_account(tissue, "exo", a) for a in ("internalised", "left_vessel", "left_boundary")) > 1.0
    assert abs(present + sum(gone) - entered) < 1e-9 * entered


def test_only_whole_vesicles_are_taken_in(tissue):
    flux = tissue.ledger.flux
    assert np.array_equal(flux, np.floor(flux))
    assert flux.sum() > 100


def test_flux_matrix_adds_up_to_what_was_internalised(tissue):
    assert tissue.ledger.flux[0, 0].sum() == pool_account(tissue, "exo", "internalised")
    assert tissue.ledger.flux[0, 1].sum() == 0.0


def same_state(a, b):
    ids = [np.argsort(t.cells["id"]) for t in (a, b)]
    for name in ("id", "docked", "cargo"):
        assert a.cells[name][ids[0]].tobytes() == b.cells[name][ids[1]].tobytes(), name
    assert a.pools.tobytes() == b.pools.tobytes()
    assert a.ledger.pools.tobytes() == b.ledger.pools.tobytes()
    assert a.ledger.flux.tobytes() == b.ledger.flux.tobytes()


def test_row_order_changes_no_byte():
    same_state(lived(30), lived(30, shuffle=True))


@pytest.mark.parametrize("threads", [2, 4])
def test_thread_count_changes_no_byte(threads):
    same_state(lived(30), lived(30, threads=threads))


def one_site(behaviours=BEHAVIOURS, *, types=0, n=1, **spec):
    """Return n separate sites with a cell each, one pool without diffusion, and its process."""
    tissue = made_matter(made_layout(pools=("exo",), cargo=("pERK",)), (1, 1, n), np.arange(n), types)
    cargo = {"cargo": (1.0,), "diffusion_um2_min": 0.0}
    process = vesicles_of(
        tissue, [pool_spec("exo", **{**cargo, **spec})], behaviours, cargo_decay=CARGO_DECAY
    )
    return tissue, process


def test_pool_whose_release_is_blocked_releases_nothing():
    behaviours = {"release exo": 0.0, "uptake exo": 1.0}
    tissue, process = one_site(behaviours)
    process.step(tissue, made_context(tissue, behaviours))
    assert tissue.pools.sum() == 0.0
    assert tissue.ledger.pools.sum() == 0.0


def test_free_vesicles_of_a_site_settle_where_release_equals_decay():
    behaviours = {"release exo": 1.0, "uptake exo": 1.0}
    tissue, process = one_site(behaviours, decay_per_min=np.log(2) / 240.0)
    for _ in range(1300):
        process.step(tissue, made_context(tissue, behaviours))
    assert tissue.pools.item() == pytest.approx(240.0 / np.log(2), rel=1e-9)


def test_fixed_value_on_a_face_fills_the_tissue_with_vesicles():
    behaviours = {"uptake exo": 0.0}
    tissue, process = one_site(behaviours, n=4, diffusion_um2_min=300.0, boundary={"x_low": 7.0})
    for _ in range(400):
        process.step(tissue, made_context(tissue, behaviours))
    assert np.allclose(tissue.pools, 7.0, rtol=1e-6)
    entered = pool_account(tissue, "exo", "given") - pool_account(tissue, "exo", "left_boundary")
    assert entered == pytest.approx(tissue.pools.sum(), rel=1e-9)


def test_docking_prefers_the_type_of_higher_affinity_by_its_ratio():
    behaviours = {"uptake exo": 1.0}
    tissue, process = one_site(behaviours, n=2, types=[0, 1], docking_per_min=(1e-6, 5e-6))
    tissue.pools[:] = 1000.0
    process.step(tissue, made_context(tissue, behaviours))
    docked = tissue.cells["docked"][:, 0]
    assert docked[1] / docked[0] == pytest.approx(5.0, rel=1e-4)


def test_internalisation_is_half_as_fast_at_saturation():
    rate, n = 0.002, 4000
    tissue, process = one_site({"uptake exo": 1.0}, n=n, internalise_per_min=rate, saturation=400.0)
    tissue.cells["docked"][:, 0] = 400.0
    process.step(tissue, made_context(tissue, {"uptake exo": 1.0}))
    taken = 400.0 - tissue.cells["docked"][:, 0]
    p = 1.0 - np.exp(-rate / 2 * 6.0)
    assert taken.mean() == pytest.approx(400 * p, abs=4 * np.sqrt(400 * p * (1 - p) / n))


def test_docked_and_free_vesicles_settle_at_the_ratio_of_docking_to_detaching():
    behaviours = {"uptake exo": 1.0}
    tissue, process = one_site(behaviours, docking_per_min=(0.003, 0.0), detach_per_min=0.001)
    tissue.pools[:] = 100.0
    for _ in range(2000):
        process.step(tissue, made_context(tissue, behaviours))
    docked, free = tissue.cells["docked"].item(), tissue.pools.item()
    assert docked + free == pytest.approx(100.0, rel=1e-12)
    assert docked / free == pytest.approx(3.0, rel=0.02)


def test_part_of_a_docked_vesicle_is_never_taken_in():
    tissue, process = one_site({"uptake exo": 1.0}, internalise_per_min=1e6)
    tissue.cells["docked"][:] = 3.75
    process.step(tissue, made_context(tissue, {"uptake exo": 1.0}))
    assert tissue.cells["docked"].item() == pytest.approx(0.75)
    assert tissue.ledger.flux.sum() == 3.0


def test_cargo_held_falls_by_half_in_its_half_life():
    tissue, process = one_site({"uptake exo": 1.0})
    tissue.cells["cargo"][:] = 8.0
    for _ in range(10):
        process.step(tissue, made_context(tissue, {"uptake exo": 1.0}))
    assert tissue.cells["cargo"].item() == pytest.approx(4.0, rel=1e-12)


def test_every_vesicle_brings_its_units_of_cargo():
    tissue, process = one_site({"uptake exo": 1.0}, internalise_per_min=1e6, cargo=(2.5,))
    tissue.cells["docked"][:] = 4.0
    process.step(tissue, made_context(tissue, {"uptake exo": 1.0}))
    assert tissue.cells["cargo"].item() == pytest.approx(10.0)


def drawn(n, p, u):
    """Return the quantile at u of a binomial law, by its probability."""
    with np.errstate(divide="ignore"):
        return binomial(n, -np.log1p(-p), u)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 60),
    p=st.floats(1e-9, 1.0 - 1e-9),
    u=st.floats(1e-6, 1.0 - 1e-6),
)
def test_binomial_is_the_exact_quantile_while_the_rarer_outcome_is_rare(n, p, u):
    k = drawn(n, p, u)
    law = stats.binom(n, p)
    assert law.cdf(k) >= u - 1e-9
    assert k == 0 or law.cdf(k - 1) < u + 1e-9


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.5), (200, 0.01), (200, 0.3), (500, 0.9), (100, 0.99), (10**6, 1e-6), (10**6, 0.4)]
)
def test_binomial_has_its_mean_and_variance(n, p):
    u = (np.arange(20000) + 0.5) / 20000
    draws = np.array([drawn(n, p, x) for x in u], float)
    spread = np.sqrt(n * p * (1 - p))
    assert draws.mean() == pytest.approx(n * p, abs=0.01 * spread)
    assert draws.var() == pytest.approx(spread**2, rel=0.02, abs=0.1)


@pytest.mark.parametrize(("n", "p", "k"), [(0, 0.5, 0), (7, 0.0, 0), (7, 1.0, 7), (7, 1e-300, 0)])
def test_binomial_at_its_limits_is_certain(n, p, k):
    assert drawn(n, p, 0.999) == k


@pytest.mark.parametrize("u", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_binomial_is_continuous_where_the_normal_takes_over(u):
    below, above = drawn(400, 0.0999, u), drawn(400, 0.1001, u)
    assert abs(above - below) <= 1
    assert abs(above - stats.binom(400, 0.1001).ppf(u)) <= 1
