"""Walks through a scenario and tells of every written number where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tme_sim.scenario.block import Block
from tme_sim.scenario.number import Sourced
from tme_sim.scenario.scenario import Scenario

# Blocks whose numbers are claims about biology; the others set up an experiment.
_CLAIMS = ("variables", "cargo", "cells", "fields", "vesicles", "drugs", "rules")
# Parts of them that set up an experiment all the same.
_SETTINGS = ("schedule", "boundary", "start", "reference", "push")


@dataclass(frozen=True)
class NumberUse:
    """A number of a scenario: where it stands, its source and why; empty where not given."""

    where: str
    source: str
    why: str


def numbers_of(scenario: Scenario) -> tuple[NumberUse, ...]:
    """Return every number that a scenario writes as a claim; a source holds for all inside its block."""
    return tuple(
        number for name in _CLAIMS for number in _numbers(getattr(scenario, name), name, (None, None))
    )


def _numbers(part: object, where: str, given: tuple[str | None, str | None]) -> Iterator[NumberUse]:
    if isinstance(part, Sourced):
        source, why = _inherit(part.source, part.why, given)
        yield NumberUse(where, source or "", why or "")
    elif isinstance(part, Block):
        inside = _inherit(getattr(part, "source", None), getattr(part, "why", None), given)
        for name in type(part).model_fields:
            if name in part.model_fields_set and name not in _SETTINGS:
                yield from _numbers(getattr(part, name), f"{where}.{name}", inside)
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from _numbers(value, f"{where}.{name}", given)
    elif isinstance(part, Sequence) and not isinstance(part, str):
        for index, value in enumerate(part):
            yield from _numbers(value, f"{where}[{index}]", given)


def _inherit(
    source: str | None, why: str | None, given: tuple[str | None, str | None]
) -> tuple[str | None, str | None]:
    """Return what holds here: one's own source and reason, else those of the block around."""
    return source or given[0], why or given[1]
