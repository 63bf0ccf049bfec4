"""Numbers that remember their source: the pydantic types of every quantity in a scenario."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import PydanticCustomError, core_schema

from tme_sim.scenario.faults import Problems, problem, shown
from tme_sim.scenario.units import DIMENSIONLESS, Scale, UnitError, to_internal

_KEYS = ("value", "range", "source", "why")


class Sourced(float):
    """A float in its internal unit that keeps where it comes from.

    Attributes
    ----------
    unit : str
        Internal unit, ``1`` when dimensionless.
    written : str
        As the scenario writes it, with its own unit.
    range : tuple of Sourced or None
        Lowest and highest plausible value.
    source : str or None
        Key of the bibliography, ``parameters:ID`` or ``assumed``.
    why : str or None
        The reason for an assumed value.
    """

    __slots__ = ("range", "source", "unit", "why", "written")
    unit: str
    written: str
    range: tuple[Sourced, Sourced] | None
    source: str | None
    why: str | None

    def __new__(
        cls,
        value: float,
        unit: str = "1",
        written: str | None = None,
        range: tuple[Sourced, Sourced] | None = None,
        source: str | None = None,
        why: str | None = None,
    ) -> Sourced:
        """Make a number of a value in ``unit``."""
        self = super().__new__(cls, value)
        self.unit, self.range, self.source, self.why = unit, range, source, why
        self.written = written or f"{float(value)!r} {unit}".removesuffix(" 1").replace(".0 ", " ")
        return self

    def __getnewargs__(self) -> tuple:
        return (float(self), self.unit, self.written, self.range, self.source, self.why)

    def __repr__(self) -> str:
        return self.written

    __str__ = __repr__

    def plain(self) -> Any:
        """Return what a scenario holds: text, or a block where a range, source or reason is kept."""
        block = {"value": self.written}
        if self.range is not None:
            block["range"] = [end.written for end in self.range]  # pyright: ignore[reportArgumentType]
        if self.source is not None:
            block["source"] = self.source
        if self.why is not None:
            block["why"] = self.why
        return block if len(block) > 1 else self.written


def read_number(
    raw: object,
    scale: Scale,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Sourced:
    """Read a number, or a block ``{value, range, source, why}``, into its internal unit.

    Raises
    ------
    PydanticCustomError, ValidationError
        What is wrong, at its place below ``raw``.
    """
    limits = (above, at_least, at_most)
    if isinstance(raw, Sourced) and raw.unit == scale.internal:
        return raw
    if not isinstance(raw, Mapping):
        return _scalar(raw, scale, limits)
    problems = Problems()
    read: dict[str, Any] = {"range": None}
    for key in raw:
        if key not in _KEYS:
            problems.add(
                (key,), problem("unknown key of a number; expected value, range, source, why", key, _KEYS)
            )
    for key in ("source", "why"):
        read[key] = raw.get(key)
        if read[key] is not None and (not isinstance(read[key], str) or not read[key].strip()):
            problems.add((key,), problem(f"got {shown(read[key])}; expected text"))
    value = _noted(problems, ("value",), raw["value"], scale, limits) if "value" in raw else None
    if "range" in raw:
        read["range"] = _range(problems, raw["range"], scale, limits)
    if value is not None and read["range"] is not None and not read["range"][0] <= value <= read["range"][1]:
        problems.add(
            ("range",), problem(f"got {shown(raw['range'])}; expected a range around {value.written}")
        )
    problems.settle()
    if value is None:
        raise problem("a number written as a block needs a value")
    return Sourced(value, scale.internal, value.written, read["range"], read["source"], read["why"])


def _noted(problems: Problems, path: tuple, raw: object, scale: Scale, limits: tuple) -> Sourced | None:
    try:
        return _scalar(raw, scale, limits)
    except PydanticCustomError as error:
        problems.add(path, error, raw)
        return None


def _range(problems: Problems, raw: object, scale: Scale, limits: tuple) -> tuple[Sourced, Sourced] | None:
    if not isinstance(raw, list | tuple) or len(raw) != 2:
        problems.add(("range",), problem(f"got {shown(raw)}; expected [lowest, highest]"))
        return None
    low, high = (_noted(problems, ("range", i), end, scale, limits) for i, end in enumerate(raw))
    return (low, high) if low is not None and high is not None else None


def _scalar(raw: object, scale: Scale, limits: tuple[float | None, float | None, float | None]) -> Sourced:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise problem(f"got {shown(raw)}; expected {scale.example}")
    if isinstance(raw, str):
        try:
            value = to_internal(raw, scale)
        except UnitError as error:
            raise PydanticCustomError(
                "problem", "{reason}", {"reason": str(error), "suggestion": error.suggestion}
            ) from None
        written = " ".join(raw.split())
    else:
        if scale != DIMENSIONLESS:
            raise problem(f"got {shown(raw)} without a unit; expected {scale.example}")
        try:
            value = float(raw)
        except OverflowError:
            value = math.inf
        written = repr(raw) if isinstance(raw, int) else repr(float(raw))
    if not math.isfinite(value):
        raise problem(f"got {shown(raw)}; expected a finite number")
    above, at_least, at_most = limits
    for bound, holds, sign in (
        (above, above is None or value > above, ">"),
        (at_least, at_least is None or value >= at_least, ">="),
        (at_most, at_most is None or value <= at_most, "<="),
    ):
        if not holds:
            raise problem(f"got {shown(raw)}; expected {sign} {bound:g}")
    return Sourced(value, scale.internal, written)


_TEXT_SCHEMA = {"type": "string", "pattern": r"^\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*.*$"}


def number_schema(unit: str) -> dict[str, Any]:
    """Return the JSON schema of a number, plain or as a block; ``unit`` is empty if other keys decide it."""
    example = Scale(unit).example if unit else "a quantity in a unit that fits"
    scalar = {"anyOf": [_TEXT_SCHEMA, {"type": "number"}]} if unit in ("", "1") else _TEXT_SCHEMA
    block = {
        "type": "object",
        "properties": {
            "value": {**scalar, "description": "the number"},
            "range": {
                "type": "array",
                "items": scalar,
                "minItems": 2,
                "maxItems": 2,
                "description": "plausible values",
            },
            "source": {"type": "string", "description": "bibliography key, parameters:ID or assumed"},
            "why": {"type": "string", "description": "reason of an assumed value"},
        },
        "required": ["value"],
        "additionalProperties": False,
    }
    return {"anyOf": [scalar, block], "description": example}


@dataclass(frozen=True)
class Quantity:
    """Annotation that makes a pydantic field a `Sourced` number.

    Attributes
    ----------
    scale : Scale or callable
        Internal unit, or how to find it from the block that is being read.
    above, at_least, at_most : float or None
        Limits, in the internal unit.
    """

    scale: Scale | Callable[[ValidationInfo], Scale]
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    def read(self, raw: object, info: ValidationInfo) -> Sourced:
        """Read one value."""
        scale = self.scale if isinstance(self.scale, Scale) else self.scale(info)
        return read_number(raw, scale, above=self.above, at_least=self.at_least, at_most=self.at_most)

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(Sourced.plain)
        )

    def __get_pydantic_json_schema__(self, schema: object, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return number_schema(self.scale.internal if isinstance(self.scale, Scale) else "")
