"""A drug of a scenario: where it is, how it acts, when it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

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
from tme_sim.scenario.faults import Problems, problem
from tme_sim.scenario.kinetics import Kinetics, PlasmaCurve
from tme_sim.scenario.units import Scale
from tme_sim.scenario.vocabulary import FieldScale


class Unbound(Provenance):
    """Free share of a total level, per matrix: the model computes free drug everywhere."""

    plasma: PositiveShare = default("1", "Of totals in plasma: doses and measured curves")
    medium: PositiveShare = default("1", "Of totals in a culture medium with serum")
    tissue: PositiveShare = default("1", "Of what is between the cells of a tissue")

    MATRICES: ClassVar = ("plasma", "medium", "tissue")


class Reference(Block):
    """Exposure under which resistance is measured."""

    dose: PositiveLevel = Field(description="Level outside the cell.")
    total_in: Literal["plasma", "medium"] | None = Field(
        None, description="The dose is a total in this matrix; default: it is free drug."
    )
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
    half_max: PositiveLevel | None = Field(
        None, description="Drug held by the cell at half-maximal damage; default: it does none."
    )
    hill: Positive = default("1", "Hill power of the damage")
    lethal_hill: Positive = default("2", "Hill power of the death rate in the damage")
    unbound: Unbound = default(
        {}, "Free share of a total level: one number for plasma and medium, or one per matrix"
    )
    plasma_half_life: Duration | None = Field(
        None, description="Half-life in plasma after a dose of route level; default: gone at once."
    )
    kinetics: Kinetics | None = Field(
        None, description="Compartments of plasma, for doses in amounts; default: none."
    )
    plasma_curve: PlasmaCurve | None = Field(None, description="A measured curve; default: none.")
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

    @field_validator("unbound", mode="before")
    @classmethod
    def _one_share_for_both(cls, raw: Any) -> Any:
        """Let one number stand for plasma and medium; a matrix beside it has its own."""
        if isinstance(raw, Unbound) or (isinstance(raw, Mapping) and "value" not in raw):
            return raw
        own = {key: raw[key] for key in Unbound.MATRICES if key in raw} if isinstance(raw, Mapping) else {}
        one = {key: part for key, part in raw.items() if key not in own} if own else raw
        return {"plasma": one, "medium": one, **own}

    @field_validator("schedule", mode="wrap")
    @classmethod
    def _in_mass_of_what_is_given(cls, raw: Any, handler: Any, info: ValidationInfo) -> Any:
        kinetics = info.data.get("kinetics")
        if kinetics is None or kinetics.prodrug is None:
            return handler(raw)
        with reading(info).inside(FieldScale(Scale("nM", float(kinetics.prodrug.molar_mass)))):
            return handler(raw)

    @model_validator(mode="after")
    def _routes_are_there(self) -> Self:
        problems = Problems()
        for i, dose in enumerate(self.schedule):
            reason = self._misfit(dose)
            if reason:
                problems.add(("schedule", i, "route"), problem(reason))
        if self.reference is not None and self.half_max is None:
            problems.add(
                ("reference",), problem("a reference needs a half_max: without it the drug does nothing")
            )
        problems.settle()
        return self

    def _misfit(self, dose: Dose) -> str:
        kinetics = self.kinetics
        if dose.route == "level":
            prodrug = kinetics is not None and kinetics.prodrug is not None
            return "a prodrug has no level; expected bolus, infusion or oral" if prodrug else ""
        if kinetics is None:
            return f"{dose.route} needs kinetics, which are not declared"
        if dose.route == "oral" and kinetics.absorption is None:
            return "oral needs kinetics.absorption, which is not declared"
        return ""

    @property
    def is_given(self) -> bool:
        """Whether anything ever brings it into plasma."""
        return bool(self.schedule) or self.plasma_curve is not None

    @property
    def free_reference(self) -> float:
        """Reference dose as free drug, nM; 0 without one."""
        if self.reference is None:
            return 0.0
        share = (
            1.0 if self.reference.total_in is None else float(getattr(self.unbound, self.reference.total_in))
        )
        return float(self.reference.dose) * share
