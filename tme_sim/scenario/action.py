"""What is done to a tissue: drugs, interventions; and when a run is read or stopped."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema, model_validator

from tme_sim.scenario.block import (
    Block,
    CellName,
    Count,
    Distance,
    Duration,
    Every,
    FieldName,
    Flag,
    Instant,
    Level,
    Positive,
    PositiveLevel,
    PositivePressure,
    PositiveShare,
    Provenance,
    Rate,
    Ratio,
    Share,
    default,
    reading,
)
from tme_sim.scenario.faults import problem, shown
from tme_sim.scenario.units import Scale
from tme_sim.scenario.vocabulary import FieldScale, Vocabulary

_COMPARISON = re.compile(
    r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(<=|>=|==|!=|<|>)\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]{1,3})?)\s*([^\s0-9].*)?"
)


@dataclass(frozen=True)
class Condition:
    """A comparison of a measure with a number, or one of the words of `stop`.

    Attributes
    ----------
    text : str
        As written.
    measure : str
        Name of a measure, ``extinct`` or ``edge reached``.
    comparison : str
        ``<``, ``<=``, ``>``, ``>=``, ``==``, ``!=``; empty for a word.
    threshold : float
        In `unit`.
    unit : str
        As written, empty where none is.
    """

    text: str
    measure: str
    comparison: str = ""
    threshold: float = 0.0
    unit: str = ""

    def __str__(self) -> str:
        return self.text


def read_condition(raw: Any, words: tuple[str, ...] = ()) -> Condition:
    """Read ``tumour_cells > 500`` or one of ``words``."""
    if isinstance(raw, Condition):
        return raw
    if raw in words:
        return Condition(raw, raw)
    match = _COMPARISON.fullmatch(raw) if isinstance(raw, str) and len(raw) < 200 else None
    try:
        threshold = float(match[3]) if match else math.nan
    except ValueError:
        threshold = math.nan
    if match is None or not math.isfinite(threshold):
        also = f", or one of {', '.join(words)}" if words else ""
        raise problem(
            f'got {shown(raw)}; expected a comparison such as "tumour_cells > 500"{also}', raw, words
        )
    return Condition(" ".join(raw.split()), match[1], match[2], threshold, (match[4] or "").strip())


_TEXT = (PlainSerializer(str), WithJsonSchema({"type": "string"}))
When = Annotated[Condition, PlainValidator(read_condition), *_TEXT]
Stop = Annotated[
    Condition, PlainValidator(lambda raw: read_condition(raw, ("extinct", "edge reached"))), *_TEXT
]


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


class ResistanceSpec(Provenance):
    """How resistance and the hypoxic rim are measured."""

    normoxia: PositivePressure = default("40 mmHg", "Oxygen of the normoxic naive cell")
    rim_from_vessel: Distance = default("80 um", "Distance to the nearest vessel where the rim begins")
    threshold: PositiveShare = default(
        "0.5", "Share of the naive cell's log-kill below which a cell is resistant"
    )
    stain: PositivePressure = default("10 mmHg", "Oxygen of half-maximal virtual pimonidazole stain")
    every: Every = default("every 1 d", "How often it is measured")


class RecordSpec(Block):
    """What is kept of a run, and how often."""

    measures: Every = default("every 1 h", "Time series")
    snapshots: Every = default("every 1 d", "Whole states")
