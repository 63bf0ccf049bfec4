"""The numbers of a scenario that have a documented range, and how to draw from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from tme_sim.scenario.number import Sourced
from tme_sim.scenario.scenario import Scenario

LOG_ABOVE = 4.0


@dataclass(frozen=True)
class Parameter:
    """A number with a documented range, in its internal unit.

    Attributes
    ----------
    key : str
        Dotted key that an override sets.
    label : str
        What it is, for people.
    """

    key: str
    label: str
    unit: str
    low: float
    default: float
    high: float

    @property
    def logarithmic(self) -> bool:
        """Whether draws are even on a log scale: the range spans more than a factor of four and excludes 0."""
        return self.low > 0.0 and self.high / self.low > LOG_ABOVE

    def at(self, u: float) -> float:
        """Return the value at the share ``u`` of the range."""
        if self.logarithmic:
            return float(self.low * (self.high / self.low) ** u)
        return float(self.low + (self.high - self.low) * u)

    def text(self, value: float) -> str:
        """Return a value, kept inside the range, with its unit."""
        return f"{min(max(value, self.low), self.high)!r} {self.unit}".removesuffix(" 1")

    def overrides(self, value: float) -> tuple[str, ...]:
        """Return what sets the parameter; source and range stay as written."""
        return (f"{self.key}.value={self.text(value)}",)


def parameters_of(scenario: Scenario) -> list[Parameter]:
    """Return all numbers in force that have a documented range of some width."""
    found = {
        key: Parameter(key, label, number.unit, float(number.range[0]), float(number), float(number.range[1]))
        for key, label, number in _numbers(scenario, "", "", scenario)
        if number.range is not None and number.range[0] < number.range[1]
    }
    return list(found.values())


def _numbers(value: Any, key: str, label: str, scenario: Scenario) -> Iterator[tuple[str, str, Sourced]]:
    """Yield key, label and number of everything below ``value``, rules out of force left out."""
    if isinstance(value, Sourced):
        yield key, label or key, value
    elif key == "rules":
        for i, rule in enumerate(scenario.rules):
            if scenario.in_force(rule):
                words = f"{rule.cell}: {rule.signal} → {rule.behaviour}"
                for part in ("to", "half_max", "hill"):
                    yield f"rules.{i}.{part}", f"{words}, {part.replace('_', '-')}", getattr(rule, part)
    elif isinstance(value, BaseModel):
        parts = {info.alias or name: getattr(value, name) for name, info in type(value).model_fields.items()}
        yield from _numbers({**parts, **(value.__pydantic_extra__ or {})}, key, label, scenario)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _numbers(part, f"{key}.{name}".removeprefix("."), label, scenario)
    elif isinstance(value, tuple | list) and not isinstance(value, str):
        for i, part in enumerate(value):
            yield from _numbers(part, f"{key}.{i}", label, scenario)
