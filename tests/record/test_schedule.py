import pytest
from hypothesis import given
from hypothesis import strategies as st

from tme_sim.record.schedule import Every, ScheduleError, parse_schedule
from tme_sim.state.clock import Clock


def steps(text, dt_min, last):
    schedule = parse_schedule(text)
    return [step for step in range(last + 1) if schedule(Clock(dt_min, step))]


def test_every_hour_in_steps_of_six_minutes_is_every_tenth_step():
    assert steps("every 1 h", 6.0, 35) == [0, 10, 20, 30]


def test_every_between_steps_acts_at_the_next_step():
    assert steps("every 10 min", 4.0, 12) == [0, 3, 5, 8, 10]


def test_every_shorter_than_a_step_acts_at_each_step():
    assert steps("every 1 min", 6.0, 4) == [0, 1, 2, 3, 4]


def test_at_acts_once_per_time():
    assert steps("at 1 h, 0 min, 1.05 h", 6.0, 30) == [0, 10, 11]


def test_never_never_acts():
    assert steps("never", 6.0, 100) == []


@given(dt=st.sampled_from([0.1, 0.3, 1.0, 6.0, 7.0]), multiple=st.integers(1, 50))
def test_every_whole_number_of_steps_acts_evenly(dt, multiple):
    schedule = parse_schedule(f"every {dt * multiple:.10f} min")
    found = [step for step in range(20 * multiple + 1) if schedule(Clock(dt, step))]
    assert found == [multiple * i for i in range(21)]


@pytest.mark.parametrize(
    "text", ["", "hourly", "every", "every 1", "every 1 parsec", "every -1 h", "every 0 h", "at"]
)
def test_wrong_words_are_refused(text):
    with pytest.raises(ScheduleError):
        parse_schedule(text)


def test_interval_of_zero_is_the_start_alone():
    assert [Every(0.0)(Clock(6.0, step)) for step in range(3)] == [True, False, False]
