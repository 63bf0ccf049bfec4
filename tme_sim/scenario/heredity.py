"""What cells of a type inherit: traits, clones, switching between them, barcodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from tme_sim.scenario.block import (
    BehaviourName,
    Count,
    NewName,
    Positive,
    Provenance,
    Share,
    VariableName,
    default,
)
from tme_sim.scenario.checks import Finding
from tme_sim.scenario.faults import Path, nearest, problem, shown
from tme_sim.scenario.number import Quantity, Sourced
from tme_sim.scenario.units import DIMENSIONLESS

FITNESS = "fitness"


Value = Annotated[Sourced, Quantity(DIMENSIONLESS)]


class Spread(Provenance):
    """Distribution of a trait over founders."""

    kind: Literal["lognormal", "normal", "beta"] = Field(
        description="lognormal: median 1; normal: around the neutral value, truncated; beta: over low to high."
    )
    sigma: Positive | None = Field(
        None, description="Standard deviation, of the logarithm for lognormal; default: none."
    )
    a: Positive | None = Field(None, description="First shape of beta; default: none.")
    b: Positive | None = Field(None, description="Second shape of beta; default: none.")
    low: Value = default("0", "Lowest value, for normal and beta")
    high: Value = default("1", "Highest value, for normal and beta")

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        needed = ("a", "b") if self.kind == "beta" else ("sigma",)
        for name in ("sigma", "a", "b"):
            if (getattr(self, name) is not None) != (name in needed):
                raise problem(f"{self.kind} {'needs' if name in needed else 'takes no'} {name}")
        if self.low >= self.high:
            raise problem(f"low {self.low.written} is not below high {self.high.written}")
        return self


class TraitSpec(Provenance):
    """A heritable trait, which multiplies or shifts what base values and rules give."""

    multiplies: tuple[BehaviourName, ...] = Field(
        (), description="Behaviours that it multiplies; 1 is neutral; default: none."
    )
    shifts: tuple[VariableName, ...] = Field(
        (), description="Variables whose targets it is added to; 0 is neutral; default: none."
    )
    spread: Spread | None = Field(
        None, description="Distribution over founders; default: all alike but for their clone."
    )
    heritability: Share = default("1", "Correlation between daughter and mother; 1: inherited unchanged")

    @model_validator(mode="after")
    def _acts_one_way(self) -> Self:
        if bool(self.multiplies) == bool(self.shifts):
            raise problem("expected either `multiplies` or `shifts`")
        if self.shifts and self.spread is not None and self.spread.kind == "lognormal":
            raise problem("spread: lognormal fits a trait that multiplies; take normal or beta")
        return self

    @property
    def neutral(self) -> float:
        """Value without effect."""
        return 1.0 if self.multiplies else 0.0


class CloneSpec(Provenance):
    """A heritable state that founders start in or cells switch to."""

    share: Share | None = Field(
        None, description="Share of the founders; default: what the other clones leave."
    )
    traits: dict[str, Value] = Field({}, description="Values of traits; default: neutral.")
    fitness: Positive = default("1", "Factor on cycle entry: below 1 is a cost")


class Switch(Provenance):
    """A change of clone at division."""

    start: str = Field(alias="from", description="Clone of the dividing cell.")
    to: str = Field(description="Clone of the daughter, one of the two cells.")
    probability: Share = Field(description="Probability per division.")


class HereditySpec(Provenance):
    """What cells of a type inherit."""

    traits: dict[NewName, TraitSpec] = Field({}, description="Heritable traits by name; default: none.")
    clones: dict[NewName, CloneSpec] = Field({}, description="Heritable states by name; default: none.")
    switching: tuple[Switch, ...] = Field((), description="Changes of clone at division; default: none.")
    barcodes: Count = Field(
        0, description="Size of the library that founders draw a barcode from; default: 0, each its own."
    )

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, raw: Any) -> Any:
        return {} if raw is None else raw

    @property
    def costly(self) -> bool:
        """Whether a clone has a fitness of its own."""
        return any(clone.fitness != 1.0 for clone in self.clones.values())

    def shares(self) -> dict[str, float]:
        """Return the share of each clone among the founders."""
        rest = 1.0 - sum(clone.share or 0.0 for clone in self.clones.values())
        return {
            name: rest if clone.share is None else float(clone.share) for name, clone in self.clones.items()
        }


def heredity_findings(blocks: Mapping[str, HereditySpec]) -> Iterator[Finding]:
    """Yield what does not fit together in the heredity of the cell types, by name of the type."""
    owners: dict[str, str] = {}
    for kind, block in blocks.items():
        path: Path = ("cells", kind, "heredity")
        for group in ("traits", "clones"):
            for name in getattr(block, group):
                if name == FITNESS:
                    yield Finding(
                        (*path, group, name), f"{name} is built in; choose another name", at_key=True
                    )
                elif name in owners:
                    reason = f"{name} is inherited by {owners[name]} already; choose another name"
                    yield Finding((*path, group, name), reason, at_key=True)
                owners.setdefault(name, kind)
        yield from _of_clones(path, block)
        yield from _of_switching(path, block)


def _of_clones(path: Path, block: HereditySpec) -> Iterator[Finding]:
    for name, clone in block.clones.items():
        for trait, value in clone.traits.items():
            at = (*path, "clones", name, "traits", trait)
            if trait not in block.traits:
                yield Finding(at, f"{shown(trait)} is no trait", nearest(trait, block.traits), at_key=True)
            elif block.traits[trait].multiplies and value < 0.0:
                yield Finding(at, f"got {value.written}; expected >= 0")
    rest = [name for name, clone in block.clones.items() if clone.share is None]
    given = sum(clone.share for clone in block.clones.values() if clone.share is not None)
    if len(rest) > 1:
        reason = f"{' and '.join(rest)} have no share; expected at most one that takes the rest"
        yield Finding((*path, "clones"), reason)
    elif given > 1.0 + 1e-9 or (block.clones and not rest and given < 1.0 - 1e-9):
        yield Finding((*path, "clones"), f"shares add up to {100 * given:g} %; expected 100 %")


def _of_switching(path: Path, block: HereditySpec) -> Iterator[Finding]:
    leaving: dict[str, float] = {}
    for i, switch in enumerate(block.switching):
        for key, end in (("from", switch.start), ("to", switch.to)):
            if end not in block.clones:
                reason = f"{shown(end)} is no clone"
                yield Finding((*path, "switching", i, key), reason, nearest(end, block.clones))
        if switch.start == switch.to:
            yield Finding((*path, "switching", i), f"from and to are both {shown(switch.to)}")
        leaving[switch.start] = leaving.get(switch.start, 0.0) + switch.probability
        if leaving[switch.start] > 1.0 + 1e-9:
            reason = f"from {shown(switch.start)} the probabilities add up to {leaving[switch.start]:g}"
            yield Finding((*path, "switching", i, "probability"), f"{reason}; expected at most 1")
