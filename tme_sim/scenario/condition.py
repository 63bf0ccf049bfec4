"""Conditions as a scenario writes them: a comparison of a measure with a number."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from tme_sim.scenario.faults import problem, shown

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
