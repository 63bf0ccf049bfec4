"""Interventions of a scenario: which kinds there are, and what each needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from tme_sim.scenario.block import (
    CellName,
    Flag,
    Instant,
    Level,
    Provenance,
    Rate,
    Ratio,
    Share,
    default,
    reading,
)
from tme_sim.scenario.condition import When
from tme_sim.scenario.faults import problem, shown
from tme_sim.scenario.units import Scale
from tme_sim.scenario.vocabulary import FieldScale, Vocabulary


@dataclass(frozen=True)
class Kind:
    """What an intervention of one kind acts on (an attribute of the vocabulary) and which number it needs."""

    target: str
    number: str


KINDS = {
    "block_release": Kind("pools", "factor"),
    "block_uptake": Kind("pools", "factor"),
    "give_vesicles": Kind("pools", "amount"),
    "neutralise": Kind("fields", "rate"),
    "set_supply": Kind("fields", "level"),
    "knock_down": Kind("variables", "factor"),
    "remove_cells": Kind("cell_types", "rate"),
}
_NUMBERS = ("factor", "amount", "rate", "level")


class Intervention(Provenance):
    """A change of the rules of the game for a time.

    block_release and block_uptake multiply the release or docking of a pool by `factor`; give_vesicles adds
    `amount` vesicles per site once; neutralise removes a field at `rate`; set_supply sets a field's level in
    the vessels; knock_down multiplies the target of a variable by `factor`; remove_cells removes cells of a
    type at `rate`.
    """

    kind: Literal[
        "block_release",
        "block_uptake",
        "give_vesicles",
        "neutralise",
        "set_supply",
        "knock_down",
        "remove_cells",
    ] = Field(description="What is done.")
    target: str = Field(description="Pool, field, variable or cell type that it is done to.")
    factor: Share | None = Field(
        None, description="What is left, for block_release, block_uptake and knock_down; default: none."
    )
    amount: Ratio | None = Field(None, description="Vesicles per site, for give_vesicles; default: none.")
    rate: Rate | None = Field(
        None, description="Rate of removal, for neutralise and remove_cells; default: none."
    )
    level: Level | None = Field(None, description="Level in the vessels, for set_supply; default: none.")
    cell: CellName | None = Field(None, description="Only in cells of this type; default: in all.")
    start: Instant = default("0 d", "First time", alias="from")
    until: Instant | None = Field(None, description="Last time; default: the end.")
    when: When | None = Field(
        None, description='Acts once this has held, such as "tumour_cells > 500"; default: no condition.'
    )
    active: Flag = Field(True, description="false: left out until switched on; default: true.")

    @model_validator(mode="wrap")
    @classmethod
    def _in_unit_of_target(cls, raw: Any, handler: Any, info: ValidationInfo) -> Self:
        if isinstance(raw, cls):
            return raw
        name = raw.get("target") if isinstance(raw, dict) else None
        known = reading(info).vocabulary.fields
        scale = known[name] if isinstance(name, str) and name in known else FieldScale(Scale("nM"))
        with reading(info).inside(scale):
            return handler(raw)

    @model_validator(mode="after")
    def _fits_kind(self, info: ValidationInfo) -> Self:
        kind = KINDS[self.kind]
        known = targets(reading(info).vocabulary, kind)
        if self.target not in known:
            noun = kind.target.replace("_", " ").removesuffix("s")
            raise problem(f"{self.kind}: target {shown(self.target)} is no {noun}", self.target, known)
        for number in _NUMBERS:
            given = getattr(self, number) is not None
            if given != (number == kind.number):
                raise problem(f"{self.kind} {'takes no' if given else 'needs a'} {number}")
        if self.until is not None and self.until <= self.start:
            raise problem(f"until {self.until.written} is not after from {self.start.written}")
        return self


def targets(words: Vocabulary, kind: Kind) -> tuple[str, ...]:
    """Return the names that an intervention of a kind may act on."""
    return tuple(getattr(words, kind.target))
