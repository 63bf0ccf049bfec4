"""Conditions on measures, as written in stop rules and interventions: ``tumour_cells > 500``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tme_sim.measures.measure import Context, Measure
from tme_sim.state.tissue import Tissue

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_WORDS = {"extinct": "malignant_cells == 0", "edge reached": "tumour_edge_cells > 0"}
_FORM = re.compile(r"^\s*(\S+?)\s*(>=|<=|==|!=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*)?$")


class ConditionError(ValueError):
    """A condition cannot be read; says what is known."""


@dataclass(frozen=True)
class Condition:
    """``measure compare value``; calling it with a tissue says whether it holds. nan never does.

    Attributes
    ----------
    text : str
        As written.
    value : float
        In the unit of the measure.
    """

    text: str
    measure: Measure
    compare: str
    value: float

    def __call__(self, tissue: Tissue, context: Context | None = None) -> bool:
        """Return whether the condition holds now."""
        now = self.measure.of(tissue, context)
        return now == now and _COMPARE[self.compare](now, self.value)  # noqa: PLR0124 - nan is unequal to itself


def parse_condition(text: str, measures: Mapping[str, Measure]) -> Condition:
    """Read ``NAME > NUMBER [UNIT]``, ``extinct`` or ``edge reached``.

    A unit must be the measure's own; ``%`` is read as 1/100 for counts and shares.

    Raises
    ------
    ConditionError
        When the form, the name or the unit is wrong.
    """
    written = " ".join(text.split())
    match = _FORM.match(_WORDS.get(written, written))
    if match is None:
        raise ConditionError(
            f"{text!r}: expected MEASURE > NUMBER (or >=, <, <=, ==, !=), or one of: {', '.join(_WORDS)}"
        )
    name, compare, number, unit = match.groups()
    if name not in measures:
        raise ConditionError(f"{text!r}: no measure {name!r}{suggestion(name, measures)}")
    measure = measures[name]
    return Condition(written, measure, compare, float(number) * _factor(text, unit, measure))


def suggestion(name: str, measures: Mapping[str, Measure]) -> str:
    """Return the known names closest to a misspelt one, as the end of an error message."""
    close = get_close_matches(name, measures, n=3)
    if close:
        return f" (did you mean {' or '.join(close)}?)"
    return f"; known: {', '.join(sorted(measures))}"


def _factor(text: str, unit: str | None, measure: Measure) -> float:
    spelled = (unit or "").strip().replace("µ", "u").replace("μ", "u")
    if spelled in ("", measure.unit):
        return 1.0
    if spelled == "%" and measure.unit == "1":
        return 0.01
    raise ConditionError(f"{text!r}: unit {unit!r}; {measure.name} is in {measure.unit}")
