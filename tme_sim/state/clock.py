"""Simulated time: whole steps of fixed length."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    """Counts steps; time is steps times step length, so that it never drifts.

    Attributes
    ----------
    dt_min : float
        Step, minutes.
    step : int
        Steps done.
    """

    dt_min: float
    step: int = 0

    @property
    def minutes(self) -> float:
        """Simulated time, minutes."""
        return self.step * self.dt_min

    @property
    def hours(self) -> float:
        """Simulated time, hours."""
        return self.minutes / 60.0

    @property
    def days(self) -> float:
        """Simulated time, days."""
        return self.minutes / 1440.0
