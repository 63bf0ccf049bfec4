"""Cells of a scenario: variables, base values, cycle, metabolism."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError, ValidationError

from tme_sim.scenario.block import (
    Block,
    Concentration,
    Count,
    Duration,
    Flux,
    PositivePressure,
    PressureRate,
    Provenance,
    Ratio,
    Share,
    Solubility,
    VariableName,
    reading,
)
from tme_sim.scenario.faults import Problems, problem, shown
from tme_sim.scenario.number import Sourced, number_schema, read_number


class VariableSpec(Provenance):
    """An intracellular variable in [0, 1] that relaxes to its target."""

    time: Duration = Field(description="Relaxation time.")


class Cycle(Block):
    """Timed stages of the cell cycle; G1 is left at the rate `cycle entry`."""

    S: Duration = Field(Sourced(480.0, "min", "8 h"), description="Length of S; default: 8 h.")
    G2M: Duration = Field(Sourced(300.0, "min", "5 h"), description="Length of G2 and M; default: 5 h.")


class Metabolism(Provenance):
    """Energy metabolism of one cell of this type."""

    oxygen_max: PressureRate = Field(description="Maximal oxygen uptake of a cell that fills its site.")
    oxygen_half_saturation: PositivePressure = Field(
        Sourced(1.0, "mmHg", "1 mmHg"), description="Oxygen at half-maximal uptake; default: 1 mmHg."
    )
    oxygen_solubility: Solubility = Field(
        Sourced(1340.0, "nM/mmHg", "1.34 uM/mmHg"), description="Dissolved oxygen per pressure; default: 1.34 uM/mmHg."
    )
    glucose_max: Flux = Field(description="Maximal glucose uptake.")
    glucose_half_saturation: Concentration = Field(
        Sourced(5e4, "nM", "0.05 mM"), description="Glucose at half-maximal uptake; default: 0.05 mM."
    )
    lactate_max: Flux = Field(
        Sourced(0.0, "molecules/min", "0 fmol/h"), description="Maximal lactate uptake; default: none."
    )
    lactate_half_saturation: Concentration = Field(
        Sourced(4.5e6, "nM", "4.5 mM"), description="Lactate at half-maximal import (Km of MCT1); default: 4.5 mM."
    )
    importer: VariableName | None = Field(None, description="Variable that scales lactate import (MCT1); default: none.")
    oxidiser: VariableName | None = Field(
        None, description="Variable that scales lactate oxidation (LDHB); default: none."
    )
    oxygen_per_lactate: Ratio = Field(
        Sourced(3.0, written="3"), description="Oxygen used to oxidise one lactate; default: 3."
    )
    atp_per_glucose: Ratio = Field(Sourced(2.0, written="2"), description="ATP of glycolysis; default: 2.")
    atp_per_oxygen: Ratio = Field(Sourced(5.0, written="5"), description="ATP per oxygen used; default: 5.")
    atp_demand: Flux = Field(description="ATP that the cell needs.")


def _read_base(raw: Any, info: ValidationInfo) -> dict[str, Sourced]:
    if not isinstance(raw, Mapping):
        raise problem(f"got {shown(raw)}; expected behaviours and their values")
    behaviours = reading(info).vocabulary.behaviours
    problems, values = Problems(), {}
    for name, value in raw.items():
        word = behaviours.get(name)
        if word is None:
            problems.add((name,), problem(f"{shown(name)} is no behaviour of this scenario", name, behaviours))
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

    base: BaseValues = Field({}, description="Values of behaviours without rules; default: 0, 1 for `uptake POOL`.")
    start: dict[VariableName, Share] = Field(
        {}, description="Values of variables at the start; default: their base target."
    )
    cycle: Cycle | None = Field(None, description="Cell cycle; default: never divides.")
    push: Count = Field(5, description="Sites over which a dividing cell pushes others; 0: contact inhibition; default: 5.")
    clearance: Duration = Field(
        Sourced(480.0, "min", "8 h"),
        description="Time until the remains of an apoptotic or drug-killed cell are gone; default: 8 h.",
    )
    necrotic_clearance: Duration = Field(
        Sourced(3600.0, "min", "60 h"), description="Time until the remains of a necrotic cell are gone; default: 60 h."
    )
    metabolism: Metabolism | None = Field(None, description="Energy metabolism; default: none, energy is 1.")

    @model_validator(mode="after")
    def _divides_only_with_cycle(self) -> Self:
        if self.cycle is None and self.base.get("cycle entry", 0.0) > 0:
            raise problem("base has a cycle entry, but the cell type has no cycle; write cycle: {S: 8 h, G2M: 5 h}")
        return self
