import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_matter import made_layout, made_matter

from tme_sim.numerics.compartments import BodySpec, Volume, body_of
from tme_sim.numerics.timetable import Timetable
from tme_sim.processes.dosing import CourseSpec, Curve, DoseSpec, Dosing, expected
from tme_sim.processes.switch import Switch

LAYOUT = made_layout(fields=("D", "E"), drugs=("D", "E"))
BODY = BodySpec(Volume(10.0, 0.05), absorption_per_min=0.02, bioavailability=0.4)
NOTHING = frozenset()


def dose(route, size, when=None, stop_when=None, decline=(1.0, math.inf), **table):
    table = {"times": 1.0} | table if "every_min" not in table else table
    return DoseSpec(
        route, size, Timetable(**table), Switch(f"{route} {size}", when=when, stop_when=stop_when), *decline
    )


def course(*doses, **more):
    return CourseSpec(
        **{"drug": "D", "field": 0, "unbound": 1.0, "doses": doses, "body": body_of(BODY), **more}
    )


def run(courses, minutes, *, dt_min=6.0, factors=None, washed=lambda t: NOTHING):
    """Return the tissue and the free plasma level of every step, (steps, fields)."""
    tissue, levels = made_matter(LAYOUT, (1, 1, 1), dt_min=dt_min), []
    for _ in range(round(minutes / dt_min)):
        tissue.plasma[:] = 0.0
        dosing = Dosing(list(courses))
        dosing.look(tissue)
        dosing.step(tissue, factors or {}, washed(tissue))
        levels.append(tissue.plasma.copy())
        tissue.clock.step += 1
    return tissue, np.array(levels)


def held(tissue, drug="D"):
    return tissue.timeline.bodies[drug].amounts.sum()


@given(
    dt_min=st.sampled_from([0.7, 6.0, 45.0]),
    every=st.sampled_from([10.0, 33.3, 720.0]),
    times=st.integers(1, 9),
    route=st.sampled_from(["bolus", "oral", "infusion"]),
    start=st.floats(0, 500),
    length=st.sampled_from([3.0, 9.9]),
)
@settings(max_examples=60, deadline=None)
def test_total_dose_given_is_what_the_schedule_declares(dt_min, every, times, route, start, length):
    table = {"start_min": start, "every_min": every, "times": times}
    table |= {"length_min": length} if route == "infusion" else {}
    tissue, _ = run([course(dose(route, 7.0, **table))], start + times * every + 50, dt_min=dt_min)
    body = tissue.timeline.bodies["D"]
    assert body.given_nmol == pytest.approx(7.0 * times, rel=1e-9)
    assert held(tissue) == pytest.approx(7.0 * times, rel=1e-9)


@pytest.mark.parametrize("dt_min", [1.0, 6.0, 60.0])
def test_mean_levels_add_up_to_the_exact_area_for_any_step(dt_min):
    tissue, levels = run([course(dose("bolus", 1000.0, start_min=7.3))], 30000, dt_min=dt_min)
    assert levels[:, 0].sum() * dt_min == pytest.approx(1000.0 / 0.05, rel=1e-9)
    assert tissue.timeline.bodies["D"].auc_nm_min == pytest.approx(1000.0 / 0.05, rel=1e-9)


def test_oral_area_is_bioavailability_times_dose_over_clearance():
    tissue, _ = run([course(dose("oral", 1000.0, every_min=720.0, times=4))], 30000, dt_min=30.0)
    assert tissue.timeline.bodies["D"].auc_nm_min == pytest.approx(4 * 0.4 * 1000.0 / 0.05, rel=1e-9)


def test_infusion_that_ends_within_a_step_gives_its_dose():
    tissue, levels = run([course(dose("infusion", 100.0, start_min=4.0, length_min=5.0))], 12.0)
    assert tissue.timeline.bodies["D"].given_nmol == pytest.approx(100.0, rel=1e-12)
    assert 0 < levels[0, 0] < levels[1, 0]


def test_schedules_superpose():
    first, second = dose("bolus", 10.0, every_min=100.0), dose("oral", 30.0, start_min=50.0)
    both, alone, other = (run([course(*part)], 3000)[1] for part in ((first, second), (first,), (second,)))
    assert both == pytest.approx(alone + other, rel=1e-10, abs=1e-12)


def test_two_drugs_do_not_mix():
    other = course(dose("bolus", 5.0), drug="E", field=1)
    both = run([course(dose("bolus", 10.0)), other], 60)[1]
    assert both[:, 0] == pytest.approx(2 * both[:, 1], rel=1e-12)


def test_vessels_carry_the_unbound_share():
    free = run([course(dose("bolus", 10.0), unbound=0.005)], 60)[1]
    total = run([course(dose("bolus", 10.0))], 60)[1]
    assert free == pytest.approx(0.005 * total, rel=1e-12)


def test_imposed_levels_wear_off_and_add_up():
    level = course(dose("level", 8.0, every_min=120.0, length_min=60.0), body=None, half_life_min=60.0)
    levels = run([level], 240)[1][:, 0]
    assert levels[[0, 9, 10]].tolist() == [8.0, 8.0, 8.0]
    assert levels[15] == pytest.approx(8.0 * 2**-0.5)
    assert levels[20] == pytest.approx(8.0 + 4.0)


def test_imposed_level_without_half_life_ends_at_once():
    levels = run([course(dose("level", 8.0, start_min=12.0, length_min=12.0), body=None)], 36)[1][:, 0]
    assert levels.tolist() == [0, 0, 8, 8, 0, 0]


def test_exposure_that_declines_counts_later_doses_for_less():
    """The fall of sorafenib's exposure on treatment (parameters DRUG-12 to DRUG-14)."""
    falling = dose("bolus", 100.0, decline=(0.55, 1000.0), every_min=500.0, times=4)
    tissue, _ = run([course(falling)], 2400)
    assert tissue.timeline.bodies["D"].given_nmol == pytest.approx(100 * (1 + 0.775 + 0.55 + 0.55))


def test_factor_reduces_what_is_given():
    tissue, _ = run([course(dose("bolus", 100.0, every_min=60.0, times=3))], 240, factors={"D": 0.5})
    assert tissue.timeline.bodies["D"].given_nmol == pytest.approx(150.0)


def test_washed_out_drug_is_gone_at_once_and_its_doses_are_withheld():
    def from_two_hours(tissue):
        return frozenset({"D"}) if tissue.clock.minutes >= 120 else NOTHING

    tissue, levels = run([course(dose("bolus", 100.0, every_min=60.0))], 300, washed=from_two_hours)
    body = tissue.timeline.bodies["D"]
    assert levels[19, 0] > 0
    assert not levels[20:].any()
    assert body.given_nmol == pytest.approx(200.0)
    assert held(tissue) == pytest.approx(200.0, rel=1e-12)


def test_measured_curve_is_followed_with_its_exact_area():
    times, values = np.array([10.0, 20.0, 50.0]), np.array([0.0, 40.0, 10.0])
    _, levels = run([course(body=None, curve=Curve(times, values), unbound=0.5)], 60)
    assert levels[:, 0].sum() * 6.0 == pytest.approx(0.5 * (200.0 + 750.0), rel=1e-12)
    assert levels[0, 0] == 0.0
    assert levels[9, 0] == 0.0
    assert levels[5, 0] == pytest.approx(0.5 * (40.0 - 13.0))  # mean of 30 to 36 min


def test_adaptive_schedule_follows_a_made_measure():
    """Off below 400, on above 1000, and between them as before: a dose each time it goes on, counted from there."""

    def size(tissue):
        return 700 - 600 * math.cos(2 * math.pi * tissue.clock.minutes / 1200)

    adaptive = dose(
        "bolus", 10.0, lambda t: size(t) > 1000, lambda t: size(t) < 400, every_min=60.0
    )  # fmt: skip
    tissue, _ = run([course(adaptive)], 2400)
    runs = tissue.timeline.runs["bolus 10.0"]
    on = 1200 / (2 * math.pi) * math.acos(-0.5)
    off = 1200 - 1200 / (2 * math.pi) * math.acos(0.5)
    assert [run[0] for run in runs] == pytest.approx([on, on + 1200], abs=6.0)
    assert [run[1] for run in runs] == pytest.approx([off, off + 1200], abs=6.0)
    each = sum(math.ceil((end - begin) / 60.0) for begin, end in runs)
    assert tissue.timeline.bodies["D"].given_nmol == pytest.approx(10.0 * each)


def test_schedule_that_waits_for_a_size_counts_from_there():
    waits = dose("bolus", 10.0, lambda t: t.clock.minutes >= 60, start_min=30.0)
    _, levels = run([course(waits)], 120)
    assert np.flatnonzero(levels[:, 0])[0] == 15


def test_expected_plasma_is_what_a_run_makes_of_it():
    given = course(dose("oral", 1000.0, start_min=60.0, every_min=720.0, times=4))
    tissue, levels = run([given], 2880)
    said = expected(given, 2880.0, 6.0)
    assert said.doses_min == (60.0, 780.0, 1500.0)
    assert said.area_nm_min == pytest.approx(tissue.timeline.bodies["D"].auc_nm_min, rel=1e-12)
    assert (said.peak_nm, said.end_nm) == (levels[:, 0].max(), levels[-1, 0])
    assert said.peak_min == 6.0 * levels[:, 0].argmax()
