import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from tme_sim.numerics import pharmacodynamics as pd
from tme_sim.numerics.jit import set_threads, threads

H = 1.0 / 60.0
# LoVo and SN38 as in configs/libraries/sn38.yaml, death at the energy of a naive cell.
LOVO = np.array([4.0 * H, 4.1 * H, 0.2 * H, 0.029 * H, 0.1 * H, 0.092 * H])
S_MIN, G2M_MIN, DAY = 480.0, 300.0, 1440.0
G1_ONLY, S_ONLY, G2M_ONLY, ALL = (
    (True, False, False, False), (False, True, False, False), (False, False, True, False), (True,) * 4,
)  # fmt: skip


def survive(parameters=LOVO, *, dose=8.25, on=DAY, acts=S_ONLY, total=3 * DAY, s=S_MIN, g2m=G2M_MIN, dt=60.0):
    table = np.atleast_2d(parameters)
    out = np.empty(len(table))
    pd.survival(
        len(table),
        table,
        dose,
        on,
        total,
        8.0,
        1.5,
        2.0,
        np.full(len(table), s),
        np.full(len(table), g2m),
        np.array(acts),
        dt,
        out,
    )
    return out if parameters.ndim == 2 else out.item()


def single_cells(p, *, dose=8.25, acts=S_ONLY, n=6000, dt=4.0, seed=3):
    """Return mean survival and its standard error over single cells that cycle at random."""
    rng = np.random.default_rng(seed)
    length = np.array([1.0 / p[pd.ENTRY], S_MIN, G2M_MIN])
    stage = rng.choice(3, n, p=length / length.sum())
    left = np.where(stage == 0, rng.exponential(length[0], n), length[stage] * rng.random(n))
    held, damage, hazard, before = 0.0, np.zeros(n), np.zeros(n), np.zeros(n)
    acts = np.array(acts)
    for i in range(round(3 * DAY / dt)):
        goal = p[pd.IN] * dose / p[pd.OUT] if i * dt < DAY else 0.0
        later = goal + (held - goal) * np.exp(-p[pd.OUT] * dt)
        t = (0.5 * (held + later) / 8.0) ** 1.5
        held = later
        keep = np.exp(-p[pd.REPAIR] * dt)
        damage = damage * keep + p[pd.DAMAGE] * t / (1 + t) * (1 - keep) / p[pd.REPAIR] * acts[stage]
        response = damage**2 / (1 + damage**2)
        hazard += p[pd.DEATH] * dt * 0.5 * (before + response)
        before = response
        left -= dt
        while (over := np.flatnonzero(left <= 0.0)).size:
            stage[over] = (stage[over] + 1) % 3
            left[over] += np.where(
                stage[over] == 0, rng.exponential(length[0], len(over)), length[stage[over]]
            )
    survival = np.exp(-hazard)
    return survival.mean(), survival.std() / np.sqrt(n)


def many_points(p, dose, n=24):
    """Return the log-kill of a drug of S phase from n² paths of each starting stage, on a Gauss-Legendre grid.

    For cells so slow that the second G1 phase to come outlasts the drug.
    """
    nodes, weights = np.polynomial.legendre.leggauss(n)
    u, weight = 0.5 * (nodes + 1.0), 0.5 * weights
    steps = 72
    rate = np.empty(steps)
    used = pd._damage_rates(p, dose, DAY, 8.0, 1.5, 60.0, rate)
    mean, acts, total = 1.0 / p[pd.ENTRY], np.array(S_ONLY), 0.0
    soon = -np.expm1(-used * 60.0 / mean)
    g1 = [(-mean * np.log1p(-soon * x), soon * w) for x, w in zip(u, weight, strict=True)] + [
        (1e12, 1.0 - soon)
    ]
    lasts = (mean, S_MIN, G2M_MIN)
    for stage in range(3):
        left = g1 if stage == 0 else [(lasts[stage] * x, w) for x, w in zip(u, weight, strict=True)]
        for now, w_now in left:
            for first, w_first in g1:
                hazard = pd._hazard_of_path(
                    p, rate, used, 3 * DAY, 2.0, stage, now, first, mean, S_MIN, G2M_MIN, acts, 60.0
                )
                total += lasts[stage] * w_now * w_first * np.exp(-hazard)
    return -np.log(total / sum(lasts))


@pytest.mark.parametrize("dose", [3.0, 8.25, 30.0])
@pytest.mark.parametrize(
    "acts",
    [
        G1_ONLY,
        S_ONLY,
        G2M_ONLY,
        (True, True, False, False),
        (False, True, True, False),
        (True, False, True, True),
    ],
)
def test_survival_is_that_of_single_cells_within_four_per_cent_of_log_kill(acts, dose):
    mean, error = single_cells(LOVO, acts=acts, dose=dose)
    log_kill = -np.log(mean)
    assert -np.log(survive(acts=acts, dose=dose)) == pytest.approx(
        log_kill, abs=3 * error / mean + 0.04 * log_kill
    )


@pytest.mark.parametrize("entry", [0.03, 0.01, 0.003])
@pytest.mark.parametrize("acts", [S_ONLY, G2M_ONLY])
def test_survival_of_cells_that_hardly_cycle_is_that_of_single_cells(acts, entry):
    """Few of them leave G1 while the drug is there: points spread over all of G1 would miss most of these."""
    slow = LOVO.copy()
    slow[pd.ENTRY] = entry * H
    mean, error = single_cells(slow, acts=acts, n=30000, dt=10.0)
    log_kill = -np.log(mean)
    assert -np.log(survive(slow, acts=acts)) == pytest.approx(
        log_kill, abs=3 * error / mean + 0.04 * log_kill
    )


@settings(max_examples=60, deadline=None)
@given(
    entry=st.floats(-3.0, -1.7),
    efflux=st.floats(-0.3, 0.6),
    death=st.floats(-0.7, 0.1),
    dose=st.floats(0.5, 2.5),
)
def test_log_kill_of_slow_cells_is_within_four_per_cent_of_many_points(entry, efflux, death, dose):
    cell = LOVO.copy()
    cell[pd.ENTRY] = 10.0**entry * H
    cell[pd.OUT] *= 10.0**efflux
    cell[pd.DEATH] *= 10.0**death
    assert -np.log(survive(cell, dose=10.0**dose)) == pytest.approx(many_points(cell, 10.0**dose), rel=0.04)


def test_survival_of_a_cell_damaged_all_along_equals_a_fine_integration():
    assert survive(acts=ALL) == pytest.approx(survive(acts=ALL, dt=1.0), rel=0.02)
    mean, _ = single_cells(LOVO, acts=ALL, n=2, dt=0.5)
    assert survive(acts=ALL, dt=1.0) == pytest.approx(mean, rel=1e-3)


def test_survival_with_hourly_steps_is_within_one_per_cent_of_a_fine_one():
    for acts in (G1_ONLY, S_ONLY, G2M_ONLY, ALL):
        fine = -np.log(survive(acts=acts, dt=5.0))
        assert -np.log(survive(acts=acts)) == pytest.approx(fine, rel=0.01)


def test_no_drug_no_exposure_or_no_death_leaves_all_alive():
    assert survive(dose=0.0) == 1.0
    assert survive(on=0.0) == 1.0
    for rate in (pd.IN, pd.DAMAGE, pd.DEATH):
        without = LOVO.copy()
        without[rate] = 0.0
        assert survive(without) == 1.0


def test_drug_that_a_cell_never_loses_still_kills():
    keeps = LOVO.copy()
    keeps[pd.OUT] = 0.0
    assert survive(keeps) < survive()


def test_arrested_cell_survives_a_drug_of_s_phase():
    arrested = LOVO.copy()
    arrested[pd.ENTRY] = 0.0
    assert survive(arrested) == pytest.approx(1.0, abs=1e-5)
    assert survive(arrested, acts=G1_ONLY) == pytest.approx(survive(acts=ALL), rel=1e-3)


def test_cell_that_never_cycles_is_killed_only_by_what_acts_there():
    assert survive(s=0.0, g2m=0.0, acts=S_ONLY) == 1.0
    assert survive(s=0.0, g2m=0.0, acts=G1_ONLY) == 1.0
    assert survive(s=0.0, g2m=0.0, acts=(False, False, False, True)) == pytest.approx(
        survive(acts=ALL), rel=1e-12
    )


@settings(deadline=None, max_examples=40)
@given(
    factors=st.lists(st.floats(0.2, 5.0), min_size=6, max_size=6),
    dose=st.floats(0.1, 50.0),
    more=st.floats(1.05, 5.0),
)
def test_survival_lies_in_its_range_and_falls_with_dose(factors, dose, more):
    p = LOVO * np.array(factors)
    less, greater = survive(p, dose=dose), survive(p, dose=dose * more)
    assert 0.0 < greater <= less <= 1.0


@pytest.mark.parametrize(
    ("rate", "sign"), [(pd.IN, -1), (pd.OUT, 1), (pd.DAMAGE, -1), (pd.REPAIR, 1), (pd.DEATH, -1)]
)
def test_survival_moves_the_right_way_with_every_rate(rate, sign):
    more = LOVO.copy()
    more[rate] *= 1.5
    assert sign * (survive(more) - survive()) > 0.01


def test_killing_outlasts_the_exposure():
    at_24_h, at_72_h = survive(total=DAY), survive()
    assert at_72_h < 0.85 * at_24_h


def test_survival_is_the_same_bytes_in_any_company():
    table = np.tile(LOVO, (2500, 1)) * np.linspace(0.5, 2.0, 2500)[:, None]
    every = survive(table)
    assert np.array_equal(every[[0, 1200, 2499]], survive(table[[0, 1200, 2499]]))


def half_dose(
    parameters=LOVO, *, start=8.0, on=DAY, acts=S_ONLY, total=3 * DAY, hill=1.5, lethal=2.0, dt=60.0
):
    """Return the dose that half survive, between 1e-3 and 1e5 nM."""
    table = np.atleast_2d(parameters)
    n, out = len(table), np.empty(len(table))
    pd.half_survival_dose(
        n, table, np.full(n, start), 1e-3, 1e5, on, total, 8.0, hill, lethal,
        np.full(n, S_MIN), np.full(n, G2M_MIN), np.array(acts), dt, out,
    )  # fmt: skip
    return out if parameters.ndim == 2 else out.item()


@pytest.mark.parametrize(("on", "hill"), [(DAY, 1.5), (3 * DAY, 2.0)])
def test_half_survival_dose_of_a_drug_without_repair_is_that_of_the_closed_form(on, hill):
    # At rest q = k_in c/k_out, damage x = k_dam H(q) t while the drug is there and stays; hazard k x/(1 + x).
    p = np.array([20.0 * H, 20.0 * H, 0.1 * H, 0.0, 0.05 * H, 0.1 * H])

    def excess(rate):
        during = on - np.log1p(rate * on) / rate
        after = (3 * DAY - on) * rate * on / (1.0 + rate * on)
        return p[pd.DEATH] * (during + after) - np.log(2.0)

    response = brentq(excess, 1e-9, p[pd.DAMAGE]) / p[pd.DAMAGE]
    expected = 8.0 * (response / (1.0 - response)) ** (1.0 / hill) * p[pd.OUT] / p[pd.IN]
    assert half_dose(p, acts=ALL, on=on, hill=hill, lethal=1.0, dt=5.0) == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("acts", [S_ONLY, G2M_ONLY, ALL])
def test_half_survive_the_half_survival_dose(acts):
    spread = np.exp(np.random.default_rng(5).uniform(-1.0, 1.0, (40, 6)))
    found = half_dose(LOVO * spread, acts=acts)
    assert np.isfinite(found).sum() > 5
    for p, dose in zip(LOVO * spread, found, strict=True):
        if np.isinf(dose):
            assert survive(p, dose=1e5, acts=acts) > 0.5
        else:
            exact = brentq(
                lambda x, p=p: survive(p, dose=np.exp(x), acts=acts) - 0.5, np.log(1e-3), np.log(1e5)
            )
            assert dose == pytest.approx(np.exp(exact), rel=2e-3)


def test_half_survival_dose_does_not_depend_on_where_the_search_begins():
    doses = [half_dose(start=start) for start in (1e-3, 0.1, 5.0, 8.9, 9.0, 300.0, 1e5)]
    assert doses == pytest.approx([doses[0]] * len(doses), rel=2e-3)


def test_half_the_influx_doubles_the_half_survival_dose():
    less = LOVO.copy()
    less[pd.IN] *= 0.5
    assert half_dose(less, start=16.0) == pytest.approx(2.0 * half_dose(start=8.0), rel=1e-9)


def test_half_survival_dose_is_infinite_where_no_dose_kills_half():
    for rate, value in ((pd.ENTRY, 0.0), (pd.IN, 0.0), (pd.DEATH, 0.0), (pd.DAMAGE, 1e-6)):
        spared = LOVO.copy()
        spared[rate] = value
        assert half_dose(spared) == np.inf


def test_half_survival_dose_is_the_lowest_where_that_kills_half_already():
    doomed = LOVO.copy()
    doomed[pd.IN] *= 1e6
    assert half_dose(doomed) == pytest.approx(1e-3, rel=1e-12)


def test_half_survival_dose_is_the_same_bytes_on_any_number_of_threads():
    table = np.tile(LOVO, (2 * 8 * 1024 + 5, 1)) * np.linspace(0.5, 2.0, 2 * 8 * 1024 + 5)[:, None]
    found, before = [], threads()
    try:
        for count in (1, 2):
            set_threads(count)
            found.append(half_dose(table, acts=ALL))
    finally:
        set_threads(before)
    assert found[0].tobytes() == found[1].tobytes()
    assert np.array_equal(found[0][[3, 9000]], half_dose(table[[3, 9000]], acts=ALL))
