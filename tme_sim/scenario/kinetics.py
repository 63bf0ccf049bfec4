"""What the body does with a drug: compartments of plasma, absorption, recycling, prodrug, or a measured curve."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from tme_sim.numerics.compartments import BodySpec, Volume, half_life_rate
from tme_sim.scenario.block import (
    Block,
    DataFile,
    Duration,
    Instant,
    MolarMass,
    PositiveShare,
    Provenance,
    default,
    reading,
)
from tme_sim.scenario.faults import Problems, problem, shown
from tme_sim.scenario.number import Quantity, Sourced
from tme_sim.scenario.units import Scale, UnitError, to_internal

Litres = Annotated[Sourced, Quantity(Scale("L"), above=0)]
Clearance = Annotated[Sourced, Quantity(Scale("L/min"), above=0)]
Weight = Annotated[Sourced, Quantity(Scale("kg"), above=0)]
Surface = Annotated[Sourced, Quantity(Scale("m^2"), above=0)]


class Patient(Provenance):
    """Whose doses per body weight or body surface are meant."""

    weight: Weight | None = Field(None, description="Body weight, for doses in mg/kg; default: none.")
    surface: Surface | None = Field(None, description="Body surface, for doses in mg/m^2; default: none.")


class Peripheral(Block):
    """A second compartment, in exchange with the central one."""

    volume: Litres = Field(description="Its volume of distribution.")
    flow: Clearance = Field(description="Clearance between the two compartments, the same both ways.")


class Absorption(Block):
    """From the gut into plasma."""

    half_life: Duration = Field(description="Half-life of the drug in the gut.")
    bioavailability: PositiveShare = default("1", "Share of an oral dose that reaches plasma")


class Recycling(Block):
    """Enterohepatic recycling: part of what is cleared comes back from bile."""

    share: PositiveShare = Field(
        description="Share of the clearance that goes into bile and is absorbed again."
    )
    delay: Duration = Field(description="Mean time from liver to bowel: when the second peak comes.")

    @field_validator("share")
    @classmethod
    def _leaves_the_body(cls, share: Sourced) -> Sourced:
        if share >= 1:
            raise problem(f"got {share.written}; expected less than 1, or the drug never leaves the body")
        return share


class Distribution(Provenance):
    """Plasma and what is in exchange with it."""

    volume: Litres = Field(description="Central volume of distribution.")
    clearance: Clearance | None = Field(
        None, description="Clearance from plasma; default: given by half_life."
    )
    half_life: Duration | None = Field(
        None,
        description="Half-life in plasma, in place of clearance where nothing is peripheral; default: none.",
    )
    peripheral: Peripheral | None = Field(None, description="Second compartment; default: none.")

    @model_validator(mode="after")
    def _is_cleared_one_way(self) -> Self:
        if (self.clearance is None) == (self.half_life is None):
            raise problem("expected either a clearance or a half_life")
        if self.half_life is not None and self.peripheral is not None:
            raise problem("a half_life says nothing about two compartments; expected a clearance")
        return self

    def numbers(self) -> Volume:
        """Return it in L and min."""
        volume = float(self.volume)
        cleared = (
            half_life_rate(float(self.half_life)) * volume if self.half_life else float(self.clearance or 0)
        )
        if self.peripheral is None:
            return Volume(volume, cleared)
        return Volume(volume, cleared, float(self.peripheral.volume), float(self.peripheral.flow))


class Prodrug(Distribution):
    """What is given, and turns into the drug."""

    molar_mass: MolarMass = Field(description="Molar mass of the prodrug: doses in mg are of it.")
    share: PositiveShare = Field(description="Share of its clearance that makes the drug, mole for mole.")


class Kinetics(Distribution):
    """One or two compartments, with what leads into them."""

    absorption: Absorption | None = Field(None, description="For oral doses; default: none.")
    recycling: Recycling | None = Field(None, description="Enterohepatic recycling; default: none.")
    prodrug: Prodrug | None = Field(
        None,
        description="Given in place of the drug, such as irinotecan for SN38; default: the drug itself is given.",
    )

    @model_validator(mode="after")
    def _bowel_absorbs(self) -> Self:
        if self.recycling is not None and self.absorption is None:
            raise problem("recycling needs an absorption: how fast the bowel takes the drug up again")
        return self

    def body(self) -> BodySpec:
        """Return it in nmol, L and min."""
        oral, bile = self.absorption, self.recycling
        return BodySpec(
            plasma=self.numbers(),
            absorption_per_min=0.0 if oral is None else half_life_rate(float(oral.half_life)),
            bioavailability=1.0 if oral is None else float(oral.bioavailability),
            recycled_share=0.0 if bile is None else float(bile.share),
            recycling_delay_min=0.0 if bile is None else float(bile.delay),
            prodrug=None if self.prodrug is None else self.prodrug.numbers(),
            converted_share=0.0 if self.prodrug is None else float(self.prodrug.share),
        )


class PlasmaCurve(Block):
    """A measured course of the total level in plasma, straight between its points."""

    file: DataFile = Field(description="CSV with the columns time and level.")
    time: str = Field("h", description="Unit of its times; default: h.")
    level: str = Field(description="Unit of its levels, such as ug/mL or nM.")
    start: Instant = default("0 d", "When its time 0 is", alias="from")

    @field_validator("time")
    @classmethod
    def _is_a_time(cls, unit: str) -> str:
        _factor(unit, Scale("min"))
        return unit

    @field_validator("level")
    @classmethod
    def _is_a_level(cls, unit: str, info: ValidationInfo) -> str:
        _factor(unit, reading(info).fields[-1].level)
        return unit

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        read_curve(self.file)
        return self

    def points(self, scale: Scale) -> tuple[np.ndarray, np.ndarray]:
        """Return times since the start of the run, minutes, and total levels in the unit of ``scale``."""
        time, level = read_curve(self.file)
        return float(self.start) + time * _factor(self.time, Scale("min")), level * _factor(self.level, scale)


def _factor(unit: str, scale: Scale) -> float:
    try:
        return to_internal(f"1 {unit}", scale)
    except UnitError as error:
        raise problem(str(error)) from None


def read_curve(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the times and levels of a CSV as they stand there.

    Raises
    ------
    ValidationError
        Every fault with file:line:column.
    """
    problems = Problems()
    times: list[float] = []
    levels: list[float] = []
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    rows = [(n, row) for n, row in enumerate(csv.reader(text.splitlines()), 1) if any(map(str.strip, row))]
    header = [name.strip() for name in rows[0][1]] if rows else []
    if header != ["time", "level"]:
        raise problem(f"{file.name}:1:1: got {shown(','.join(header))}; expected the header time,level")
    for line, row in rows[1:]:
        if len(row) != 2:
            problems.add((), problem(f"{file.name}:{line}:1: {len(row)} values; expected time,level"))
            continue
        columns = (1, len(row[0]) + 2)
        time, level = (
            _value(problems, f"{file.name}:{line}:{column}", cell)
            for column, cell in zip(columns, row, strict=True)
        )
        if times and time <= times[-1]:
            reason = f"time {row[0].strip()} after {times[-1]:g}; expected times that rise"
            problems.add((), problem(f"{file.name}:{line}:1: {reason}"))
        times.append(time)
        levels.append(level)
    problems.settle()
    if len(times) < 2:
        raise problem(f"{file.name}:{len(rows)}:1: {len(times)} points; expected two or more")
    return np.array(times), np.array(levels)


def _value(problems: Problems, where: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0.0):
        problems.add((), problem(f"{where}: got {shown(text)}; expected a number >= 0"))
    return value
