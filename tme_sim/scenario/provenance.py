"""Every number of a scenario with its key and its source, own or inherited: for audits and for sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from tme_sim.scenario.block import Provenance
from tme_sim.scenario.number import Sourced
from tme_sim.scenario.resolved import keys_of
from tme_sim.scenario.scenario import Scenario


@dataclass(frozen=True)
class Cited:
    """One number.

    Attributes
    ----------
    key : str
        Dotted key that ``--set`` and sweeps use, such as ``rules.first.half_max``.
    number : Sourced
        In its internal unit; ``number.range`` holds the plausible values, if they are declared.
    source, why : str or None
        The number's own, else those of the innermost block that has one.
    given : bool
        False: the scenario does not state the number, it is a default.
    """

    key: str
    number: Sourced
    source: str | None
    why: str | None
    given: bool


def numbers_of(scenario: Scenario) -> Iterator[Cited]:
    """Yield every number with a unit or a source, in the order of the schema."""
    yield from _walk(scenario, "", None, None, True)


def _walk(value: Any, key: str, source: str | None, why: str | None, given: bool) -> Iterator[Cited]:
    if isinstance(value, Sourced):
        own = value.source is not None
        yield Cited(key, value, value.source if own else source, value.why if own else why, given)
    elif isinstance(value, BaseModel):
        if isinstance(value, Provenance) and value.source is not None:
            source, why = value.source, value.why
        names = {name: info.alias or name for name, info in type(value).model_fields.items()}
        stated = {names.get(name, name) for name in value.model_fields_set}
        for part, inner in keys_of(value).items():
            yield from _walk(inner, _joined(key, part), source, why, given and part in stated)
    elif isinstance(value, Mapping):
        for part, inner in value.items():
            yield from _walk(inner, _joined(key, str(part)), source, why, given)
    elif isinstance(value, tuple):
        for i, inner in enumerate(value):
            name = getattr(inner, "name", None)
            yield from _walk(
                inner, _joined(key, name if isinstance(name, str) else str(i)), source, why, given
            )


def _joined(key: str, part: str) -> str:
    return f"{key}.{part}" if key else part
