"""Vesicles of a scenario: pools, their sizes and surfaces, and the cargo they carry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationInfo, WithJsonSchema, model_validator

from tme_sim.scenario.block import (
    CargoName,
    CellName,
    DrugName,
    Duration,
    FieldName,
    IntegrinName,
    Length,
    Positive,
    PositiveShare,
    Provenance,
    Rate,
    Ratio,
    Share,
    default,
    reading,
)
from tme_sim.scenario.faults import problem
from tme_sim.scenario.matter import Boundary
from tme_sim.scenario.units import Scale
from tme_sim.scenario.vocabulary import FieldScale

_BOLTZMANN_J_PER_K, _BODY_K, _WATER_PA_S = 1.380649e-23, 310.15, 0.6913e-3
# Diameter of each class, nm: usual, lowest, highest, and where they stand.
_CLASSES = {"exosome": (100, 30, 150, "parameters:EV-8"), "microvesicle": (300, 100, 1000, "parameters:EV-9")}
# Half-life of each kind of cargo in the recipient, h, alike.
_HALF_LIVES = {"protein": (24, 12, 48, "parameters:EV-30"), "miRNA": (36, 24, 48, "parameters:EV-29")}
_ONE_OR_MANY = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


def _preset(number: tuple[float, float, float, str], unit: str) -> dict[str, Any]:
    value, low, high, source = number
    return {"value": f"{value} {unit}", "range": [f"{low} {unit}", f"{high} {unit}"], "source": source}


class CargoSpec(Provenance):
    """A kind of molecule that vesicles carry, counted in units per vesicle."""

    kind: str = Field("protein", description="Kind of molecule, such as protein or miRNA; default: protein.")
    half_life: Duration = Field(
        description="Half-life inside the recipient; default: of its kind, 24 h for protein, 36 h for miRNA."
    )
    gain: Ratio = default("1", "Factor of the signal `arriving CARGO`")

    @model_validator(mode="before")
    @classmethod
    def _half_life_of_its_kind(cls, raw: Any) -> Any:
        kind = raw.get("kind", "protein") if isinstance(raw, Mapping) else None
        if isinstance(kind, str) and kind in _HALF_LIVES and "half_life" not in raw:
            return {**raw, "half_life": _preset(_HALF_LIVES[kind], "h")}
        return raw

    @property
    def decay_per_min(self) -> float:
        """Rate of decay, 1/min."""
        return math.log(2) / self.half_life


class IntegrinSpec(Provenance):
    """A molecule on the surface of vesicles that makes them dock on some cells more than on others."""

    docking: dict[CellName, Positive] = Field(
        description="Factor on the docking rate of vesicles that carry it, per cell type."
    )


class PoolSpec(Provenance):
    """A kind of vesicle, released by one type of cell."""

    donor: Annotated[CellName, WithJsonSchema(_ONE_OR_MANY)] = Field(
        description="Type of the cells that release it; of a list, one pool DONOR_NAME each."
    )
    size: Literal["exosome", "microvesicle"] | None = Field(
        None, description="Class, whose range holds the diameter; default: none."
    )
    diameter: Length = Field(
        description="Diameter, gives the diffusion coefficient in water; default: that of the class."
    )
    hindrance: PositiveShare = default("1", "Diffusion in tissue over diffusion in water")
    half_life: Duration = Field(description="Half-life of free vesicles.")
    cargo: dict[CargoName, Ratio] = Field(
        {}, description="Units of each cargo in one vesicle; default: none."
    )
    frees: dict[FieldName, Ratio] = Field(
        {}, description="Molecules of fields that one vesicle sets free when it falls apart; default: none."
    )
    exports: dict[DrugName, Ratio] = Field(
        {}, description="Level of drugs in the vesicle over that in its donor; default: it carries none."
    )
    integrins: tuple[IntegrinName, ...] = Field((), description="What its surface carries; default: none.")
    taken_up_by: dict[CellName, Rate] = Field(
        {},
        description="Rate at which free vesicles of a cell's site dock on it, per cell type; default: none.",
    )
    targets: tuple[CellName, ...] = Field(
        (),
        description="Cell types that it is meant for; what others take in is off target; default: not said.",
    )
    internalise: Rate = default("1 /h", "Rate from docked to internalised")
    detach: Rate = default("0 /h", "Rate from docked back to free")
    saturation: Positive = default("500", "Docked vesicles at which internalisation is half saturated")
    vessel: Rate = default("0 /h", "Rate of wash-out at vessel sites")
    recirculates: Share = default("0 %", "Share of the washed out that comes back through all vessels alike")
    boundary: Boundary = default({}, "Faces of the grid, vesicles per site")
    start: Ratio = default("0", "Free vesicles per site at the start, as conditioned medium brings them")

    @model_validator(mode="wrap")
    @classmethod
    def _counted_in_vesicles(
        cls, raw: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        if isinstance(raw, cls):
            return raw
        size = raw.get("size") if isinstance(raw, Mapping) else None
        if isinstance(size, str) and size in _CLASSES and "diameter" not in raw:
            raw = {**raw, "diameter": _preset(_CLASSES[size], "nm")}
        with reading(info).inside(FieldScale(Scale("1"))):
            return handler(raw)

    @model_validator(mode="after")
    def _is_of_its_class(self) -> Self:
        if self.size is not None:
            _, low, high, _ = _CLASSES[self.size]
            if not low <= round(1000 * self.diameter, 6) <= high:
                raise problem(
                    f"diameter {self.diameter.written}; expected {low} to {high} nm of a {self.size}"
                )
        return self

    @property
    def decay_per_min(self) -> float:
        """Rate of decay of free vesicles, 1/min."""
        return math.log(2) / self.half_life

    @property
    def volume_um3(self) -> float:
        """Volume of one vesicle, µm³."""
        return math.pi / 6.0 * self.diameter**3

    @property
    def diffusion_um2_per_min(self) -> float:
        """Diffusion coefficient in tissue, µm²/min.

        Stokes-Einstein, D = kT / (3 π η d), in water at 37 °C, times the hindrance.
        """
        water_m2_per_s = _BOLTZMANN_J_PER_K * _BODY_K / (3 * math.pi * _WATER_PA_S * self.diameter * 1e-6)
        return water_m2_per_s * 1e12 * 60 * self.hindrance
