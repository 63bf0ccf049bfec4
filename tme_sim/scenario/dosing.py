"""When a drug is given and how much: doses, how they repeat, and what starts and stops them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tme_sim.numerics.timetable import Timetable
from tme_sim.scenario.block import LEVEL, Block, Count, Duration, Instant, Share, default, reading
from tme_sim.scenario.condition import When
from tme_sim.scenario.faults import consequence, problem
from tme_sim.scenario.number import Quantity, Sourced, read_number
from tme_sim.scenario.units import Scale

_PER = re.compile(r"/\s*(m\^2|kg)\s*$")
PLACES = {"nmol/m^2": "surface", "nmol/kg": "weight"}


def amount_scale(raw: Any, info: ValidationInfo) -> Scale:
    """Return the scale of an amount as written: nmol, nmol/m^2 or nmol/kg, with the molar mass of the field."""
    text = raw.get("value") if isinstance(raw, Mapping) else getattr(raw, "written", raw)
    per = _PER.search(text) if isinstance(text, str) else None
    mass = reading(info).fields[-1].level.molar_mass_kda
    return Scale(f"nmol/{per[1]}" if per else "nmol", mass)


def read_amount(raw: Any, info: ValidationInfo) -> Sourced:
    """Read an amount, per body surface or weight where it says so."""
    return read_number(raw, amount_scale(raw, info), above=0)


class _Amount(Quantity):
    """An amount of drug."""

    def read(self, raw: object, info: ValidationInfo) -> Sourced:
        """Read one amount."""
        return read_amount(raw, info)


class _LevelOrAmount(Quantity):
    """A level for the route `level`, an amount for the others."""

    def read(self, raw: object, info: ValidationInfo) -> Sourced:
        """Read one dose."""
        if "route" not in info.data:
            raise consequence()
        return LEVEL.read(raw, info) if info.data["route"] == "level" else read_amount(raw, info)


Amount = Annotated[Sourced, _Amount(Scale("nmol"))]
LevelOrAmount = Annotated[Sourced, _LevelOrAmount(lambda info: Scale("nM"))]


class Cycle(Block):
    """Days on and days off."""

    given: Duration = Field(description="How long doses are given.")
    pause: Duration = Field(description="How long none is given then.")
    times: Count | None = Field(None, description="How many cycles; default: without end.")


class Decline(Block):
    """Exposure that falls on treatment: later doses count for less."""

    to: Share = Field(description="Share of a dose that counts at the end.")
    within: Duration = Field(description="Time from the first dose to there; straight in between.")


class Dose(Block):
    """Repeated doses: a level that is imposed, or an amount that the body distributes and clears."""

    route: Literal["level", "bolus", "infusion", "oral"] = Field(
        "level", description="level: the level in plasma itself; the others need kinetics; default: level."
    )
    dose: LevelOrAmount = Field(
        description="Level in plasma while given; or an amount, as 400 mg, 350 mg/m^2, 8 mg/kg."
    )
    start: Instant = default("0 d", "First time", alias="from")
    length: Duration | None = Field(
        None,
        alias="for",
        description="How long it is given each time, for level and infusion; default: none.",
    )
    every: Duration | None = Field(None, description="From one start to the next; default: given once.")
    times: Count | None = Field(
        None, description="How many times, in each cycle; default: once, or without end if `every` is given."
    )
    cycle: Cycle | None = Field(None, description="Days on and days off; default: no pause.")
    at_most: Amount | None = Field(None, description="Cap of one dose, such as 600 mg; default: none.")
    declines: Decline | None = Field(None, description="Exposure falls on treatment; default: it does not.")
    when: When | None = Field(
        None, description="Begins once this holds, and counts its times from there; default: no condition."
    )
    stop_when: When | None = Field(
        None, description="Ends once this holds; begins anew when `when` holds again; default: never."
    )

    @field_validator("at_most", mode="before")
    @classmethod
    def _is_amount(cls, raw: Any, info: ValidationInfo) -> Any:
        if raw is not None and info.data.get("route") == "level":
            raise problem("at_most caps an amount; the route level has none")
        return raw

    @model_validator(mode="after")
    def _repeats(self) -> Self:
        lasting = self.route in ("level", "infusion")
        if lasting != (self.length is not None):
            raise problem(f"route {self.route} {'needs a' if lasting else 'takes no'} for")
        if self.every is not None and self.length is not None and self.every < self.length:
            raise problem(f"every {self.every.written} is shorter than for {self.length.written}")
        if self.every is None and (self.times or 0) > 1:
            raise problem("times needs `every`")
        if self.stop_when is not None and self.when is None:
            raise problem("stop_when needs a `when`")
        return self

    @property
    def timetable(self) -> Timetable:
        """When it is given; with `when`, counted from the moment at which that holds."""
        once = 1.0 if self.every is None else math.inf
        return Timetable(
            start_min=float(self.start),
            length_min=float(self.length or 0.0),
            every_min=math.inf if self.every is None else float(self.every),
            times=once if self.times is None else float(self.times),
            given_min=math.inf if self.cycle is None else float(self.cycle.given),
            pause_min=0.0 if self.cycle is None else float(self.cycle.pause),
            cycles=math.inf if self.cycle is None or self.cycle.times is None else float(self.cycle.times),
        )
