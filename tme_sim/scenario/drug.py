"""A drug of a scenario: where it is, how it acts, when it is given."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from tme_sim.scenario.block import (
    Block,
    Duration,
    FieldName,
    Positive,
    PositiveLevel,
    PositiveShare,
    Provenance,
    default,
    reading,
)
from tme_sim.scenario.dosing import Dose
from tme_sim.scenario.units import Scale
from tme_sim.scenario.vocabulary import FieldScale


class Reference(Block):
    """Exposure under which resistance is measured."""

    dose: PositiveLevel = Field(description="Level outside the cell.")
    length: Duration = Field(alias="for", description="How long.")
    follow: Duration = default("72 h", "Time from the start after which survivors are counted")


class DrugSpec(Provenance):
    """A drug: where it is, how it acts, when it is given."""

    field: FieldName = Field(description="Field of the free drug.")
    acts_in: tuple[Literal["G1", "S", "G2M", "none"], ...] = Field(
        ("G1", "S", "G2M", "none"),
        min_length=1,
        description="Stages in which it does damage (none: cells that never cycle); default: all.",
    )
    half_max: PositiveLevel = Field(description="Drug held by the cell at half-maximal damage.")
    hill: Positive = default("1", "Hill power of the damage")
    lethal_hill: Positive = default("2", "Hill power of the death rate in the damage")
    unbound: PositiveShare = default("1", "Share of a dose in plasma or medium that is free")
    plasma_half_life: Duration | None = Field(
        None, description="Half-life in plasma after a dose; default: gone at once."
    )
    reference: Reference | None = Field(
        None, description="Exposure that resistance is measured with; default: not measured."
    )
    schedule: tuple[Dose, ...] = Field((), description="Doses; default: never given.")

    @model_validator(mode="wrap")
    @classmethod
    def _in_unit_of_field(cls, raw: Any, handler: Any, info: ValidationInfo) -> Self:
        if isinstance(raw, cls):
            return raw
        name = raw.get("field") if isinstance(raw, dict) else None
        known = reading(info).vocabulary.fields
        level = known[name].level if isinstance(name, str) and name in known else Scale("nM")
        scale = level if level.internal == "nM" else Scale("nM")
        with reading(info).inside(FieldScale(scale)):
            return handler(raw)

    def level(self, minutes: float) -> float:
        """Return the free level in the vessels at a time, nM: the sum over the schedule."""
        total = 0.0
        for dose in self.schedule:
            since = dose.since_start(minutes)
            if since is None:
                continue
            if since < dose.length:
                total += dose.dose
            elif self.plasma_half_life is not None:
                total += dose.dose * 0.5 ** ((since - dose.length) / self.plasma_half_life)
        return total * self.unbound
