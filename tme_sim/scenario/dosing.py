"""When a drug is given: doses and how they repeat."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field, model_validator

from tme_sim.scenario.block import Block, Count, Duration, Instant, Level, default
from tme_sim.scenario.faults import problem


class Dose(Block):
    """Repeated infusions: the level in the vessels while one runs."""

    dose: Level = Field(description="Level in the plasma or medium while given.")
    start: Instant = default("0 d", "First time", alias="from")
    length: Duration = Field(alias="for", description="How long it is given each time.")
    every: Duration | None = Field(None, description="From one start to the next; default: given once.")
    times: Count | None = Field(
        None, description="How many times; default: once, or without end if `every` is given."
    )

    @model_validator(mode="after")
    def _repeats(self) -> Self:
        if self.every is not None and self.every < self.length:
            raise problem(f"every {self.every.written} is shorter than for {self.length.written}")
        if self.every is None and (self.times or 0) > 1:
            raise problem("times needs `every`")
        return self

    def since_start(self, minutes: float) -> float | None:
        """Return the time since the latest start, min; None before the first."""
        since = minutes - self.start
        if since < 0:
            return None
        if self.every is None:
            return since
        given = math.floor(since / self.every)
        return since - min(given, (self.times or given + 1) - 1) * self.every
