"""Schedules: callables that say at a step whether to act."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tme_sim.state.clock import Clock

Schedule = Callable[[Clock], bool]

_MINUTES = {
    "s": 1.0 / 60.0,
    "min": 1.0,
    "h": 60.0,
    "d": 1440.0,
    "day": 1440.0,
    "days": 1440.0,
    "week": 10080.0,
}
_DURATION = re.compile(r"^\s*(\d+\.?\d*|\.\d+)\s*([a-z]+)\s*$")
_SLACK = 1e-9  # share of a step: times that are whole steps but for rounding count as whole


class ScheduleError(ValueError):
    """A schedule cannot be read."""


@dataclass(frozen=True)
class Every:
    """Yes at the start and at the first step at or after each multiple of an interval.

    Parameters
    ----------
    interval_min : float
        Minutes; 0 or less: at the start alone.
    """

    interval_min: float

    def __call__(self, clock: Clock) -> bool:
        """Return whether the step just done reached a further multiple."""
        return clock.step == 0 or self._multiples(clock, clock.step) > self._multiples(clock, clock.step - 1)

    def _multiples(self, clock: Clock, step: int) -> int:
        if self.interval_min <= 0.0:
            return 0
        return int((step + _SLACK) * clock.dt_min / self.interval_min + _SLACK)


@dataclass(frozen=True)
class At:
    """Yes at the first step at or after each of some times.

    Parameters
    ----------
    times_min : tuple of float
        Minutes, >= 0; empty: never.
    """

    times_min: tuple[float, ...]

    def __call__(self, clock: Clock) -> bool:
        """Return whether the step just done reached one of the times."""
        now, before = clock.minutes, (clock.step - 1) * clock.dt_min
        slack = _SLACK * clock.dt_min
        return any(before + slack < time <= now + slack for time in self.times_min)


def parse_schedule(text: str) -> Every | At:
    """Read ``every 1 h``, ``at 2 d``, ``at 0 h, 12 h, 3 d`` or ``never``.

    Raises
    ------
    ScheduleError
        When the words, a number or a unit are wrong.
    """
    word, _, rest = text.strip().partition(" ")
    if word == "every":
        interval_min = _minutes(rest, text)
        if interval_min <= 0.0:
            raise ScheduleError(f"{text!r}: expected an interval > 0")
        return Every(interval_min)
    if word == "at" and rest.strip():
        return At(tuple(sorted(_minutes(part, text) for part in rest.split(","))))
    if text.strip() == "never":
        return At(())
    raise ScheduleError(f"{text!r}: expected 'every 1 h', 'at 0 h, 3 d' or 'never'")


def wall_time_s(text: str) -> float:
    """Read a wall time such as ``5min``, seconds; infinite for ``never``.

    Raises
    ------
    ScheduleError
        When it cannot be read.
    """
    if text.strip() == "never":
        return float("inf")
    minutes = _minutes(text, text)
    if minutes <= 0.0:
        raise ScheduleError(f"{text!r}: expected a time > 0")
    return minutes * 60.0


def _minutes(duration: str, text: str) -> float:
    match = _DURATION.match(duration)
    if match is None or match[2] not in _MINUTES:
        raise ScheduleError(f"{text!r}: {duration.strip()!r}; expected a number with s, min, h, d or week")
    return float(match[1]) * _MINUTES[match[2]]
