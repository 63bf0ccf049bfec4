"""Interventions of a scenario: which kinds there are, and what each needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, ValidationError, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from tme_sim.numerics.timetable import Timetable
from tme_sim.scenario.block import (
    LEVEL,
    CellName,
    Concentration,
    Count,
    DrugName,
    Duration,
    Flag,
    Instant,
    Length,
    Level,
    Positive,
    PositiveLevel,
    PositiveShare,
    Provenance,
    Rate,
    Ratio,
    Share,
    default,
    reading,
)
from tme_sim.scenario.condition import When
from tme_sim.scenario.faults import Problems, problem, shown
from tme_sim.scenario.number import Quantity, Sourced
from tme_sim.scenario.space import Centre
from tme_sim.scenario.units import Scale
from tme_sim.scenario.vocabulary import FieldScale, Vocabulary

Binding = Annotated[Sourced, Quantity(Scale("1/nM/min"), above=0)]


@dataclass(frozen=True)
class Kind:
    """What an intervention of one kind acts on and which keys it takes.

    Attributes
    ----------
    target : str
        Attribute of the vocabulary that holds the names it may act on; empty where it takes no target.
    needs, may : tuple of str
        Keys of its own that it must and that it can have.
    all_targets : bool
        Whether ``all`` is a target.
    """

    target: str
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    all_targets: bool = False


_AGAIN = ("every", "times")
KINDS = {
    "block_release": Kind("pools", ("factor",), ("cell",), all_targets=True),
    "block_uptake": Kind("pools", ("factor",), ("cell",), all_targets=True),
    "target_uptake": Kind("pools", ("by", "gain"), ("cell",)),
    "give_vesicles": Kind(
        "pools", ("amount",), ("loaded_with", "level", "at", "radius", "through", "length", *_AGAIN)
    ),
    "neutralise": Kind("fields", (), ("rate", "by", "binding", "affinity", "complex_half_life")),
    "set_supply": Kind("fields", ("level",)),
    "clamp": Kind("fields", ("level",)),
    "knock_down": Kind("variables", ("factor",), ("cell",)),
    "knock_out": Kind("variables", (), ("cell",)),
    "express": Kind("variables", ("to",), ("cell",)),
    "inhibit": Kind("variables", ("by", "half_max"), ("hill", "leaves", "cell")),
    "change_dose": Kind("drugs", ("factor",)),
    "wash_out": Kind("drugs"),
    "exchange_medium": Kind("", (), ("medium", "fraction", *_AGAIN)),
    "remove_cells": Kind("cell_types", ("rate",)),
    "deplete": Kind("cell_types", ("fraction",), _AGAIN),
    "transplant": Kind("cell_types", ("at",), ("radius", "fraction", *_AGAIN)),
}
# What `by` names, per kind.
_BY = {"inhibit": "fields", "neutralise": "drugs", "target_uptake": "variables"}


def _read_medium(raw: Any, info: ValidationInfo) -> dict[str, Sourced]:
    """Read levels, each in the unit of its field."""
    if not isinstance(raw, Mapping):
        raise problem(f"got {shown(raw)}; expected fields with their levels")
    known, problems, out = reading(info).vocabulary.fields, Problems(), {}
    for name, level in raw.items():
        if name not in known:
            problems.add((name,), problem(f"{shown(name)} is no field", name, known))
            continue
        try:
            with reading(info).inside(known[name]):
                out[name] = LEVEL.read(level, info)
        except (PydanticCustomError, ValidationError) as error:
            problems.add((name,), error, level)
    problems.settle()
    return out


Medium = Annotated[
    dict[str, Sourced],
    PlainValidator(_read_medium),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]


class Intervention(Provenance):
    """A change of the rules of the game for a time; what each kind does stands in docs/scenarios.md."""

    kind: Literal[
        "block_release",
        "block_uptake",
        "target_uptake",
        "give_vesicles",
        "neutralise",
        "set_supply",
        "clamp",
        "knock_down",
        "knock_out",
        "express",
        "inhibit",
        "change_dose",
        "wash_out",
        "exchange_medium",
        "remove_cells",
        "deplete",
        "transplant",
    ] = Field(description="What is done.")
    target: str | None = Field(
        None, description="What it is done to: a pool, field, variable, drug or type of cell; default: none."
    )
    factor: Share | None = Field(
        None, description="What is left of release, docking, target or dose; default: none."
    )
    to: Share | None = Field(None, description="Level that a variable is forced up to; default: none.")
    amount: Ratio | None = Field(None, description="Vesicles per site; default: none.")
    loaded_with: DrugName | None = Field(
        None, description="Drug in the vesicles, which the pool must export; default: none."
    )
    rate: Rate | None = Field(None, description="Rate of removal; default: none.")
    level: Level | None = Field(
        None, description="Level of a field, or nM of a drug inside vesicles; default: none."
    )
    fraction: PositiveShare | None = Field(
        None, description="Share of cells, of the medium or of free sites; default: all."
    )
    medium: Medium | None = Field(
        None, description="Levels in fresh medium, totals of a drug; default: what each field starts with."
    )
    by: str | None = Field(
        None, description="Inhibitor (a field), antibody (a drug) or bound variable; default: none."
    )
    half_max: PositiveLevel | None = Field(None, description="Inhibitor at half effect; default: none.")
    hill: Positive | None = Field(None, description="Its Hill power; default: 1.")
    leaves: Share | None = Field(None, description="What a saturating inhibitor leaves; default: 0.")
    gain: Ratio | None = Field(None, description="Added docking, times the variable; default: none.")
    binding: Binding | None = Field(None, description="Rate at which an antibody binds; default: none.")
    affinity: Concentration | None = Field(None, description="Its dissociation constant; default: none.")
    complex_half_life: Duration | None = Field(
        None, description="Half-life of what it has bound; default: none."
    )
    at: Centre | None = Field(None, description="Place: middle or [x, y(, z)]; default: everywhere.")
    radius: Length | None = Field(None, description="Radius around it; default: one site.")
    through: Literal["vessels"] | None = Field(None, description="vessels: let in by blood; default: no.")
    length: Duration | None = Field(None, alias="for", description="How long each time; default: at once.")
    cell: CellName | None = Field(None, description="Only in cells of this type; default: in all.")
    every: Duration | None = Field(None, description="Done again after this time; default: once.")
    times: Count | None = Field(None, description="How often; default: without end if `every` is given.")
    start: Instant = default("0 d", "First time", alias="from")
    until: Instant | None = Field(None, description="Last time; default: the end.")
    when: When | None = Field(
        None, description='Acts once this has held, such as "tumour_cells > 500"; default: no condition.'
    )
    stop_when: When | None = Field(
        None, description="Stops once this holds, until `when` holds again; default: never."
    )
    active: Flag = Field(True, description="false: left out until switched on; default: true.")

    @model_validator(mode="wrap")
    @classmethod
    def _in_unit_of_field(cls, raw: Any, handler: Any, info: ValidationInfo) -> Self:
        if isinstance(raw, cls):
            return raw
        known = reading(info).vocabulary.fields
        key = "by" if isinstance(raw, Mapping) and raw.get("kind") == "inhibit" else "target"
        name = raw.get(key) if isinstance(raw, Mapping) else None
        scale = known[name] if isinstance(name, str) and name in known else FieldScale(Scale("nM"))
        with reading(info).inside(scale):
            return handler(raw)

    @model_validator(mode="after")
    def _fits_kind(self, info: ValidationInfo) -> Self:
        kind, words = KINDS[self.kind], reading(info).vocabulary
        self._check_names(kind, words)
        if "length" in kind.may and (self.length is None) != (self.through is None):
            raise problem(f"{self.kind}: through vessels and for go together")
        for key in _OWN_KEYS:
            given = getattr(self, key) is not None
            word = type(self).model_fields[key].alias or key
            if given and key not in (*kind.needs, *kind.may):
                raise problem(f"{self.kind} takes no {word}")
            if not given and key in kind.needs:
                raise problem(f"{self.kind} needs a {word}")
        self._check_together()
        return self

    def _check_names(self, kind: Kind, words: Vocabulary) -> None:
        known = tuple(getattr(words, kind.target)) if kind.target else ()
        if not kind.target and self.target is not None:
            raise problem(f"{self.kind} takes no target")
        if kind.target and self.target is None:
            raise problem(f"{self.kind} needs a target")
        if kind.target and self.target not in known and not (kind.all_targets and self.target == "all"):
            noun = kind.target.replace("_", " ").removesuffix("s")
            raise problem(f"{self.kind}: target {shown(self.target)} is no {noun}", self.target, known)
        if self.by is not None and self.kind in _BY:
            known = tuple(getattr(words, _BY[self.kind]))
            if self.by not in known:
                noun = _BY[self.kind].removesuffix("s")
                raise problem(f"{self.kind}: by {shown(self.by)} is no {noun}", self.by, known)

    def _check_together(self) -> None:
        if self.until is not None and self.until <= self.start:
            raise problem(f"until {self.until.written} is not after from {self.start.written}")
        if self.stop_when is not None and self.when is None:
            raise problem("stop_when needs a `when`")
        if self.times is not None and self.every is None:
            raise problem("times needs `every`")
        if self.radius is not None and self.at is None:
            raise problem("radius needs `at`")
        if self.at is not None and self.through is not None:
            raise problem("expected either at or through")
        if self.kind == "give_vesicles" and (self.loaded_with is None) != (self.level is None):
            raise problem("give_vesicles: loaded_with and level go together")
        if self.kind == "neutralise":
            antibody = [self.by, self.binding, self.affinity, self.complex_half_life]
            given = [part is not None for part in antibody]
            if any(given) != all(given) or all(given) == (self.rate is not None):
                raise problem(
                    "neutralise needs a rate, or an antibody: by, binding, affinity and complex_half_life"
                )

    @property
    def timetable(self) -> Timetable:
        """When what is done at certain times is done, counted from when it goes on."""
        repeats = self.every is not None
        return Timetable(
            length_min=float(self.length or 0.0),
            every_min=float(self.every) if self.every is not None else float("inf"),
            times=float(self.times) if self.times is not None else float("inf") if repeats else 1.0,
        )


_OWN_KEYS = tuple(dict.fromkeys(key for kind in KINDS.values() for key in (*kind.needs, *kind.may)))
