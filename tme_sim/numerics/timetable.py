"""When something that repeats happens: single times, courses, cycles of days on and days off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# Times that differ by less than this share of the larger one are the same time: 3 * 0.1 h is 0.3 h.
_SAME = 1e-12


@dataclass(frozen=True)
class Timetable:
    """Pulses at ``start + cycle (given + pause) + k every``, as long as k < times and k every < given.

    Attributes
    ----------
    start_min : float
        First pulse.
    length_min : float
        Length of a pulse; 0 is an instant.
    every_min : float
        From one start to the next within a cycle; inf: one pulse per cycle.
    times : float
        Pulses per cycle at most; inf: without end.
    given_min, pause_min : float
        A cycle: pulses begin within ``given_min`` of its start, none during the pause; inf, 0: one cycle for ever.
    cycles : float
        How many cycles; inf: without end.
    """

    start_min: float = 0.0
    length_min: float = 0.0
    every_min: float = math.inf
    times: float = math.inf
    given_min: float = math.inf
    pause_min: float = 0.0
    cycles: float = math.inf

    @property
    def per_cycle(self) -> float:
        """Pulses in one cycle."""
        if math.isinf(self.every_min):
            return min(self.times, 1.0)
        if math.isinf(self.given_min):
            return self.times
        return min(self.times, float(math.ceil(self.given_min / self.every_min * (1.0 - _SAME))))

    def starts(self, begin_min: float, end_min: float) -> np.ndarray:
        """Return the starts of pulses in [begin, end), ascending, float64 (n,), minutes.

        ``end_min`` must be finite where the pulses are without end.
        """
        found: list[float] = []
        length = self.given_min + self.pause_min
        first = 0 if math.isinf(length) else max(0, math.floor((begin_min - self.start_min) / length))
        cycle = first
        while cycle < self.cycles:
            zero = self.start_min + (cycle * length if cycle else 0.0)
            if not _before(zero, end_min):
                break
            found += self._in_cycle(zero, begin_min, end_min)
            if math.isinf(length):
                break
            cycle += 1
        return np.array(found)

    def _in_cycle(self, zero: float, begin_min: float, end_min: float) -> list[float]:
        if math.isinf(self.every_min):
            return [zero] if self.per_cycle >= 1 and not _before(zero, begin_min) else []
        k = max(0, math.floor((begin_min - zero) / self.every_min))
        out = []
        while k < self.per_cycle and _before(at := zero + k * self.every_min, end_min):
            if not _before(at, begin_min):
                out.append(at)
            k += 1
        return out


def _before(a: float, b: float) -> bool:
    """Return whether a is earlier than b by more than rounding."""
    return a < b - _SAME * max(abs(a), abs(b)) if math.isfinite(b) else a < b
