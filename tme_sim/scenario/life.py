"""Cells of a scenario: variables, base values, cycle, metabolism."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError, ValidationError

from tme_sim.scenario.block import (
    Block,
    Count,
    Duration,
    Flux,
    PositiveFlux,
    PressureRate,
    Provenance,
    Ratio,
    Share,
    Solubility,
    VariableName,
    default,
    reading,
)
from tme_sim.scenario.faults import Problems, problem, shown
from tme_sim.scenario.heredity import HereditySpec
from tme_sim.scenario.number import Sourced, number_schema, read_number


class VariableSpec(Provenance):
    """An intracellular variable in [0, 1] that relaxes to its target."""

    time: Duration = Field(description="Relaxation time.")


class Cycle(Block):
    """Timed stages of the cell cycle; G1 is left at the rate `cycle entry`."""

    S: Duration = default("8 h", "Length of S")
    G2M: Duration = default("5 h", "Length of G2 and M")


class PumpSpec(Provenance):
    """A variable that is a membrane pump driven by ATP."""

    atp: Flux = Field(description="ATP that the pump adds to the demand of a cell at a level of 1.")


class Metabolism(Provenance):
    """Energy metabolism of one cell of this type."""

    oxygen_max: PressureRate = Field(description="Maximal oxygen uptake of a cell that fills its site.")
    oxygen_solubility: Solubility = default("1.34 uM/mmHg", "Dissolved oxygen per pressure")
    glucose_max: Flux = Field(description="Maximal glucose uptake.")
    lactate_max: Flux = default("0 fmol/h", "Maximal lactate uptake")
    importer: VariableName | None = Field(
        None, description="Variable that scales lactate import (MCT1); default: none."
    )
    oxidiser: VariableName | None = Field(
        None, description="Variable that scales lactate oxidation (LDHB); default: none."
    )
    oxygen_per_lactate: Ratio = default("3", "Oxygen used to oxidise one lactate")
    atp_per_glucose: Ratio = default("2", "ATP of glycolysis")
    atp_per_oxygen: Ratio = default("5", "ATP per oxygen used")
    atp_demand: PositiveFlux = Field(description="ATP that the cell needs, its pumps apart; above 0.")
    pumps: dict[VariableName, PumpSpec] = Field(
        {}, description="Variables that are pumps driven by ATP, and what each costs; default: none."
    )


def _read_base(raw: Any, info: ValidationInfo) -> dict[str, Sourced]:
    if not isinstance(raw, Mapping):
        raise problem(f"got {shown(raw)}; expected behaviours and their values")
    behaviours = reading(info).vocabulary.behaviours
    problems, values = Problems(), {}
    for name, value in raw.items():
        word = behaviours.get(name)
        if word is None:
            problems.add(
                (name,), problem(f"{shown(name)} is no behaviour of this scenario", name, behaviours)
            )
            continue
        try:
            values[name] = read_number(value, word.scale, at_least=word.lowest, at_most=word.highest)
        except (PydanticCustomError, ValidationError) as error:
            problems.add((name,), error, value)
    problems.settle()
    return values


BaseValues = Annotated[
    dict[str, Sourced],
    PlainValidator(_read_base),
    PlainSerializer(lambda values: {name: value.plain() for name, value in values.items()}),
    WithJsonSchema({"type": "object", "additionalProperties": number_schema("")}),
]


class CellSpec(Provenance):
    """A type of cell."""

    base: BaseValues = Field(
        {}, description="Values of behaviours without rules; default: 0, 1 for `uptake POOL`."
    )
    start: dict[VariableName, Share] = Field(
        {}, description="Values of variables at the start; default: their base target."
    )
    cycle: Cycle | None = Field(None, description="Cell cycle; default: never divides.")
    push: Count = Field(
        5, description="Sites over which a dividing cell pushes others; 0: contact inhibition; default: 5."
    )
    clearance: Duration = default(
        "8 h", "Time until the remains of an apoptotic or drug-killed cell are gone"
    )
    necrotic_clearance: Duration = default("60 h", "Time until the remains of a necrotic cell are gone")
    metabolism: Metabolism | None = Field(None, description="Energy metabolism; default: none, energy is 1.")
    heredity: HereditySpec | None = Field(
        None, description="Heritable traits and clones; default: all cells of the type are alike."
    )

    @model_validator(mode="after")
    def _divides_only_with_cycle(self) -> Self:
        if self.cycle is None and self.base.get("cycle entry", 0.0) > 0:
            raise problem(
                "base has a cycle entry, but the cell type has no cycle; write cycle: {S: 8 h, G2M: 5 h}"
            )
        return self
