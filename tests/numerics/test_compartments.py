import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from tme_sim.numerics.compartments import BodySpec, Volume, body_of

ONE = BodySpec(Volume(10.0, 0.05), absorption_per_min=0.02, bioavailability=0.4)
TWO = BodySpec(Volume(10.0, 0.05, 40.0, 0.2), absorption_per_min=0.02)
RECYCLED = BodySpec(Volume(10.0, 0.1), absorption_per_min=0.02, recycled_share=0.6, recycling_delay_min=480.0)
PRODRUG = BodySpec(Volume(5.0, 0.1), prodrug=Volume(20.0, 0.3, 30.0, 0.1), converted_share=0.05)
ALL = BodySpec(
    Volume(5.0, 0.1, 7.0, 0.3), 0.01, 0.5, recycled_share=0.3, recycling_delay_min=300.0,
    prodrug=Volume(20.0, 0.3, 30.0, 0.1), converted_share=0.2,
)  # fmt: skip
SPECS = [ONE, TWO, RECYCLED, PRODRUG, ALL]


def start(body, amount, name="plasma"):
    amounts = np.zeros(len(body.names))
    amounts[body.index(name)] = amount
    return amounts


def course(body, amounts, minutes, steps, entering=None):
    """Return amounts at the end, the whole integral and the levels on the way."""
    entering = np.zeros(len(body.names)) if entering is None else entering
    area, levels = np.zeros(len(body.names)), []
    for _ in range(steps):
        amounts, part = body.advance(amounts, entering, minutes / steps)
        area += part
        levels.append(body.concentration(amounts))
    return amounts, area, np.array(levels)


@pytest.mark.parametrize("spec", SPECS)
def test_columns_of_rates_add_up_to_zero(spec):
    assert np.abs(body_of(spec).rates.sum(axis=0)).max() < 1e-15


def test_bolus_falls_as_one_exponential():
    body = body_of(ONE)
    _, _, levels = course(body, start(body, 1000.0), 600.0, 10)
    assert levels == pytest.approx(100.0 * np.exp(-0.005 * np.arange(60, 601, 60)), rel=1e-12)


def test_infusion_rises_to_its_plateau():
    body = body_of(ONE)
    amounts, _, _ = course(body, start(body, 0.0), 400.0, 1, start(body, 5.0))
    assert body.concentration(amounts) == pytest.approx(5.0 / 0.05 * (1 - np.exp(-2.0)), rel=1e-12)


def test_oral_dose_follows_bateman():
    body = body_of(ONE)
    t = np.arange(30, 901, 30.0)
    _, _, levels = course(body, start(body, 1000.0, "gut"), 900.0, 30)
    ka, k = 0.02, 0.005
    assert levels == pytest.approx(100.0 * ka / (ka - k) * (np.exp(-k * t) - np.exp(-ka * t)), rel=1e-11)


def test_two_compartments_follow_their_closed_form():
    body, t = body_of(TWO), np.arange(60, 2401, 60.0)
    k10, k12, k21 = 0.005, 0.02, 0.005
    total = k10 + k12 + k21
    alpha, beta = (0.5 * (total + sign * np.sqrt(total**2 - 4 * k10 * k21)) for sign in (1, -1))
    exact = 100 * ((alpha - k21) * np.exp(-alpha * t) - (beta - k21) * np.exp(-beta * t)) / (alpha - beta)
    _, _, levels = course(body, start(body, 1000.0), 2400.0, 40)
    assert levels == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("spec", SPECS)
def test_any_body_agrees_with_an_integrator(spec):
    body = body_of(spec)
    first, flow = np.arange(1.0, len(body.names) + 1), np.linspace(0.0, 0.3, len(body.names))
    found = solve_ivp(
        lambda t, x: body.rates @ x + flow, (0, 720), first, rtol=1e-11, atol=1e-11, method="LSODA"
    ).y[:, -1]
    assert course(body, first, 720.0, 7, flow)[0] == pytest.approx(found, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("spec", SPECS)
def test_length_of_steps_does_not_matter(spec):
    body = body_of(spec)
    first = np.arange(1.0, len(body.names) + 1)
    one, many = (course(body, first, 1440.0, n, first * 0.01) for n in (1, 240))
    assert one[0] == pytest.approx(many[0], rel=1e-11)
    assert one[1] == pytest.approx(many[1], rel=1e-11)


@given(a=st.floats(0, 1e6), b=st.floats(0, 1e6), flow=st.floats(0, 1e3), spec=st.sampled_from(SPECS))
@settings(max_examples=40, deadline=None)
def test_doses_superpose(a, b, flow, spec):
    body = body_of(spec)
    gut, vein = start(body, a, "gut"), start(body, b, body.names[body.vein])
    zero, rate = start(body, 0.0), start(body, flow)
    together = course(body, gut + vein, 300.0, 3, rate)[0]
    apart = sum(course(body, x, 300.0, 3, r)[0] for x, r in ((gut, zero), (vein, zero), (zero, rate)))
    assert together == pytest.approx(apart, rel=1e-11, abs=1e-12)


@given(amount=st.floats(1e-3, 1e9), minutes=st.floats(0.1, 1e4), spec=st.sampled_from(SPECS))
@settings(max_examples=40, deadline=None)
def test_nothing_is_lost_and_nothing_negative(amount, minutes, spec):
    body = body_of(spec)
    end, area, _ = course(body, start(body, amount, "gut"), minutes, 5)
    assert end.sum() == pytest.approx(amount, rel=1e-12)
    assert end.min() >= 0.0
    assert area.min() >= 0.0


def test_area_under_the_curve_is_dose_over_clearance():
    body = body_of(ONE)
    _, area, _ = course(body, start(body, 0.4 * 1000.0, "gut"), 1e4, 3)
    assert body.concentration(area) == pytest.approx(0.4 * 1000.0 / 0.05, rel=1e-9)


def test_recycling_adds_its_share_to_the_area_again_and_again():
    body = body_of(RECYCLED)
    _, area, _ = course(body, start(body, 1000.0), 1e5, 3)
    assert body.concentration(area) == pytest.approx(1000.0 / (0.1 * (1 - 0.6)), rel=1e-9)


def test_recycling_makes_a_second_peak_and_a_longer_tail():
    """S3-R27."""
    body, plain = body_of(RECYCLED), body_of(BodySpec(Volume(10.0, 0.1), absorption_per_min=0.02))
    _, _, levels = course(body, start(body, 1000.0, "gut"), 2880.0, 480)
    _, _, without = course(plain, start(plain, 1000.0, "gut"), 2880.0, 480)
    peaks = np.flatnonzero((levels[1:-1] > levels[:-2]) & (levels[1:-1] > levels[2:])) + 1
    assert len(peaks) >= 2
    assert 300 < peaks[1] * 6 < 900
    assert (np.diff(without)[np.argmax(without) :] < 0).all()
    assert levels[-1] > 100 * without[-1]


def test_prodrug_makes_its_share_of_drug():
    body = body_of(PRODRUG)
    _, area, _ = course(body, start(body, 1000.0, "prodrug plasma"), 1e5, 3)
    assert body.concentration(area) == pytest.approx(0.05 * 1000.0 / 0.1, rel=1e-9)


def test_accumulation_reaches_the_closed_form_of_the_steady_trough():
    """A bolus every T: the trough tends to C0 q/(1 - q), q = exp(-k T)."""
    body, amounts = body_of(ONE), np.zeros(6)
    for _ in range(60):
        amounts[body.vein] += 1000.0
        amounts, _ = body.advance(amounts, np.zeros(6), 120.0)
    q = np.exp(-0.005 * 120.0)
    assert body.concentration(amounts) == pytest.approx(100.0 * q / (1 - q), rel=1e-10)
