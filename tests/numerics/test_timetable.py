import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tme_sim.numerics.timetable import Timetable

DAY = 1440.0


def test_single_dose_is_given_once():
    assert Timetable(start_min=30.0).starts(0.0, 1e6).tolist() == [30.0]


def test_repeats_count_from_the_start():
    table = Timetable(start_min=60.0, every_min=120.0, times=3)
    assert table.starts(0.0, 1e6).tolist() == [60.0, 180.0, 300.0]
    assert table.starts(180.0, 300.0).tolist() == [180.0]


def test_twenty_one_days_on_seven_off():
    table = Timetable(every_min=0.5 * DAY, given_min=21 * DAY, pause_min=7 * DAY, cycles=2)
    starts = table.starts(0.0, math.inf) / DAY
    assert len(starts) == 2 * 42
    assert starts[41] == 20.5
    assert starts[42] == 28.0
    assert starts[-1] == 48.5


def test_weekly_three_of_four():
    table = Timetable(every_min=7 * DAY, times=3, given_min=21 * DAY, pause_min=7 * DAY)
    assert (table.starts(0.0, 60 * DAY) / DAY).tolist() == [0, 7, 14, 28, 35, 42, 56]


def test_one_pulse_per_cycle_without_every():
    table = Timetable(start_min=5.0, given_min=60.0, pause_min=40.0, cycles=3)
    assert table.starts(0.0, 1e3).tolist() == [5.0, 105.0, 205.0]


TABLES = st.builds(
    Timetable,
    start_min=st.integers(0, 3000).map(lambda k: k * 0.7),
    every_min=st.sampled_from([0.3, 6.0, 60.0, 720.0, math.inf]),
    times=st.sampled_from([1, 3, 40]),
    given_min=st.sampled_from([60.0, 100.0, 1440.0, math.inf]),
    pause_min=st.sampled_from([0.1, 10.0, 777.0]),
    cycles=st.sampled_from([1, 4]),
)


@given(table=TABLES, dt_min=st.sampled_from([0.1, 0.7, 6.0, 60.0]))
def test_steps_together_hold_every_pulse_exactly_once(table, dt_min):
    whole = table.starts(0.0, 1e9)
    n = min(int((whole[-1] + dt_min) / dt_min) + 2, 4000)
    stepped = [t for k in range(n) for t in table.starts(k * dt_min, (k + 1) * dt_min)]
    assert stepped == whole[whole < n * dt_min - 1e-6].tolist()


@given(table=TABLES)
def test_starts_ascend_and_are_as_many_as_declared(table):
    starts = table.starts(0.0, 1e9)
    assert (np.diff(starts) > 0).all()
    cycles = 1 if math.isinf(table.given_min) else table.cycles
    assert len(starts) == table.per_cycle * cycles


@pytest.mark.parametrize("k", range(1, 400))
def test_rounding_of_tenths_loses_no_dose(k):
    table = Timetable(every_min=0.1)
    assert len(table.starts((k - 1) * 0.1, k * 0.1)) == 1
