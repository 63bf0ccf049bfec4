"""Dissolved fields of a scenario, and what happens at the faces of its grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationInfo, field_validator, model_validator

from tme_sim.scenario.block import (
    LEVEL,
    Block,
    Concentration,
    Diffusion,
    Duration,
    FieldName,
    Flag,
    Level,
    MolarMass,
    PositiveLevel,
    Provenance,
    Rate,
    Uptake,
    default,
    reading,
)
from tme_sim.scenario.faults import nearest, problem, shown
from tme_sim.scenario.number import Sourced
from tme_sim.scenario.units import Scale, UnitError, to_internal
from tme_sim.scenario.vocabulary import field_scale

_UNITS = ("mmHg", "nM", "uM", "mM", "pM", "ng/mL", "ug/mL", "pg/mL", "mg/L")
FACES = ("x_low", "x_high", "y_low", "y_high", "z_low", "z_high")


class Boundary(Block):
    """What happens at each face: no flux, or a fixed value."""

    x_low: Literal["no_flux"] | Level = Field(
        "no_flux", description="no_flux, or a fixed value; default: no_flux."
    )
    x_high: Literal["no_flux"] | Level = Field(
        "no_flux", description="no_flux, or a fixed value; default: no_flux."
    )
    y_low: Literal["no_flux"] | Level = Field(
        "no_flux", description="no_flux, or a fixed value; default: no_flux."
    )
    y_high: Literal["no_flux"] | Level = Field(
        "no_flux", description="no_flux, or a fixed value; default: no_flux."
    )
    z_low: Literal["no_flux"] | Level = Field(
        "no_flux", description="no_flux, or a fixed value; default: no_flux."
    )
    z_high: Literal["no_flux"] | Level = Field(
        "no_flux", description="no_flux, or a fixed value; default: no_flux."
    )

    @field_validator(*FACES, mode="wrap")
    @classmethod
    def _word_or_value(cls, raw: Any, handler: Any, info: ValidationInfo) -> Any:
        if raw == "no_flux":
            return raw
        return LEVEL.read(raw, info)

    @property
    def fixed(self) -> dict[str, float]:
        """The faces with a fixed value, and the value."""
        return {face: float(value) for face in FACES if (value := getattr(self, face)) != "no_flux"}


class VesselExchange(Block):
    """How a field or drug enters at vessel sites."""

    value: Level | None = Field(
        None, description="Level in the vessels; default: 0, or what a drug's schedule says."
    )
    exchange: Rate | None = Field(
        None, description="Rate of exchange with the tissue; default: the level is imposed."
    )


class Digestion(Provenance):
    """How fast another field breaks this one down."""

    rate: Rate = Field(description="Rate of decay at saturating enzyme.")
    half_max: Concentration = Field(description="Enzyme at half that rate.")


class FieldSpec(Provenance):
    """A dissolved substance; numbers inside in mmHg or nM."""

    unit: str = Field(
        description="Unit that values are declared in: mmHg, or a concentration such as nM or ng/mL."
    )
    molar_mass: MolarMass | None = Field(
        None, description="Molar mass, required by mass units; default: none."
    )
    diffusion: Diffusion = Field(description="Diffusion coefficient in the tissue.")
    solve: Literal["transient", "steady"] = Field(
        "transient", description="steady: quasi-steady in every step; default: transient."
    )
    half_life: Duration | None = Field(None, description="Half-life of decay; default: none decays.")
    half_saturation: PositiveLevel | None = Field(
        None, description="Level of half-maximal uptake; default: uptake is first order."
    )
    interstitial: Flag = Field(
        False, description="Dissolved in the interstitial fluid alone; default: in the whole site."
    )
    vessel: VesselExchange | None = Field(None, description="Exchange with vessels; default: none.")
    background_uptake: Uptake | None = Field(
        None, description="Uptake at sites without a cell; default: none."
    )
    start: Level = Field(description="Level at the start; default: that of the vessels, else 0.")
    boundary: Boundary = default({}, "Faces of the grid")
    digested_by: dict[FieldName, Digestion] = Field(
        {}, description="Fields that break it down where they are; default: none."
    )
    hinders_vesicles: PositiveLevel | None = Field(
        None, description="Level at which it halves the diffusion of vesicles; default: it does not hinder."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _in_own_unit(cls, raw: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if isinstance(raw, cls):
            return raw
        scale = field_scale(raw)
        if isinstance(raw, Mapping) and "start" not in raw:
            vessel = raw.get("vessel")
            level = vessel.get("value") if isinstance(vessel, Mapping) else None
            raw = {**raw, "start": _bare(level) if level is not None else Sourced(0.0, scale.level.internal)}
        with reading(info).inside(scale):
            return handler(raw)

    @field_validator("unit", mode="after")
    @classmethod
    def _is_level(cls, unit: str) -> str:
        for internal in ("mmHg", "nM"):
            try:
                to_internal(f"1 {unit}", Scale(internal, 1.0))
            except UnitError:
                continue
            return unit
        reason = f"got {shown(unit)}; expected mmHg or a concentration such as nM, mM or ng/mL"
        raise problem(reason, nearest(unit, _UNITS), _UNITS)

    @model_validator(mode="after")
    def _mass_unit_has_molar_mass(self) -> Self:
        if self.molar_mass is None and self.internal_unit == "nM":
            try:
                to_internal(f"1 {self.unit}", Scale("nM"))
            except UnitError:
                raise problem(f"unit {self.unit} is a mass per volume: molar_mass is missing") from None
        return self

    @property
    def internal_unit(self) -> str:
        """``mmHg`` or ``nM``."""
        return self.start.unit

    @property
    def decay_per_min(self) -> float:
        """Rate of decay, 1/min."""
        return math.log(2) / self.half_life if self.half_life is not None else 0.0

    @property
    def shown_per_internal(self) -> float:
        """Factor from internal values to the declared unit."""
        return 1.0 / to_internal(f"1 {self.unit}", Scale(self.internal_unit, self.molar_mass))


def _bare(level: Any) -> Any:
    return level.get("value", level) if isinstance(level, Mapping) else level
