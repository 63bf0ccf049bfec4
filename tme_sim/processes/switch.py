"""What is on and when: between two times, and where asked, while a measure says so."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tme_sim.state.tissue import Tissue

Condition = Callable[[Tissue], bool]


@dataclass(frozen=True)
class Switch:
    """On from ``start_min`` until just before ``until_min``; with conditions, from one to the other.

    Without ``stop_when``, what ``when`` has started stays on. With it, ``when`` can start it again: with
    ``tumour_cells > 1000`` and ``tumour_cells < 500`` the state between them is the one before (hysteresis).

    Attributes
    ----------
    key : str
        Under which the tissue's timeline remembers when it was on.
    """

    key: str
    start_min: float = 0.0
    until_min: float = math.inf
    when: Condition | None = None
    stop_when: Condition | None = None

    def is_on(self, tissue: Tissue) -> bool:
        """Return whether it is on now; a condition that changes that is remembered."""
        now = tissue.clock.minutes
        if not self.start_min <= now < self.until_min:
            return False
        if self.when is None:
            return True
        runs = tissue.timeline.runs.setdefault(self.key, [])
        stops = self.stop_when is not None and self.stop_when(tissue) if self._runs(runs, now) else False
        if stops:
            runs[-1][1] = now
        elif not self._runs(runs, now) and self.when(tissue):
            runs.append([now, math.inf])
        return self._runs(runs, now)

    def was_on(self, tissue: Tissue) -> bool:
        """Return whether it was on in the last step, which has made the present state; asks no condition."""
        began = (tissue.clock.step - 1) * tissue.clock.dt_min
        runs = self.runs(tissue)
        return self.start_min <= began < self.until_min and any(on <= began < off for on, off in runs)

    def runs(self, tissue: Tissue) -> list[tuple[float, float]]:
        """Return when it has been on so far, as (on, off)."""
        if self.when is None:
            return [(self.start_min, self.until_min)]
        return [(on, off) for on, off in tissue.timeline.runs.get(self.key, ())]

    @staticmethod
    def _runs(runs: list[list[float]], now: float) -> bool:
        return bool(runs) and now < runs[-1][1]
