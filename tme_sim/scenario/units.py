"""The border of units: text such as ``2 h`` or ``1 ng/mL`` becomes a float in an internal unit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from tme_sim.scenario.faults import nearest, shown

if TYPE_CHECKING:
    from pint import UnitRegistry

_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*(.*)", re.ASCII | re.DOTALL)
_UNIT = re.compile(r"(?:1?/)?[A-Za-zµμ]+(?:\^-?\d)?(?:\s?[*/]\s?[A-Za-zµμ]+(?:\^-?\d)?)*")
_PREFIXES = """\
atto 1e-18 a; femto 1e-15 f; pico 1e-12 p; nano 1e-9 n; micro 1e-6 u µ μ; milli 1e-3 m; centi 1e-2 c; 
deci 1e-1 d; kilo 1e3 k"""
_DEFINITIONS = """\
meter = [length] = m; gram = [mass] = g; second = [time] = s; mole = [substance] = mol; mmHg = [pressure];
minute = 60 * second = min; hour = 3600 * second = h; day = 86400 * second = d; week = 604800 * second = wk;
liter = 1e-3 * meter ** 3 = L; molar = mole / liter = M; dalton = gram / mole = Da;
molecule = mole / 602214076000000000000000; pascal = mmHg / 133.322387415 = Pa;
vesicle = []; unit = []; cell = []; site = []"""
UNIT_WORDS = (
    "um", "mm", "nm", "s", "min", "h", "d", "week", "um^2/s", "um^2/min", "um/min", "um/h", "/s",
    "/min", "/h", "/d", "mmHg", "kPa", "mmHg/s", "nM", "uM", "mM", "pM", "ng/mL", "ug/mL", "pg/mL",
    "mg/L", "kDa", "g/mol", "molecules/s", "fmol/h", "amol/s", "vesicles", "vesicles/h", "units",
    "%", "nM*h", "L", "mL", "L/h", "mL/min", "mg", "ug", "mg/m^2", "mg/kg", "nmol", "umol", "kg", "m^2",
)  # fmt: skip
_EXAMPLES = {
    "1": "a plain number or %",
    "um": "a length such as 20 um",
    "min": "a time such as 2 h",
    "1/min": "a rate such as 0.1 /h",
    "um^2/min": "a diffusion coefficient such as 30 um^2/s",
    "um/min": "a speed such as 0.5 um/min",
    "mmHg": "a pressure such as 40 mmHg",
    "mmHg/min": "a rate of uptake such as 15 mmHg/s",
    "nM": "a concentration such as 8 nM",
    "nM/min": "a rate of uptake such as 2 mM/h",
    "nM*min": "an exposure such as 100 nM*h",
    "kDa": "a molar mass such as 21 kDa",
    "nM/mmHg": "a solubility such as 1.34 uM/mmHg",
    "molecules/min": "a rate such as 5 molecules/s or 3 fmol/h",
    "L": "a volume such as 200 L",
    "L/min": "a clearance such as 4 L/h",
    "nmol": "an amount such as 400 mg or 2 umol",
    "nmol/m^2": "an amount such as 350 mg/m^2",
    "nmol/kg": "an amount such as 8 mg/kg",
    "kg": "a body weight such as 70 kg",
    "m^2": "a body surface such as 1.8 m^2",
    "1/nM/min": "a rate of binding such as 0.06 /nM/h",
}


class UnitError(ValueError):
    """A quantity that cannot be read; ``suggestion`` holds the nearest unit."""

    def __init__(self, reason: str, suggestion: str | None = None):
        super().__init__(reason)
        self.suggestion = suggestion


@dataclass(frozen=True)
class Scale:
    """An internal unit, with the molar mass by which mass units convert to it.

    Attributes
    ----------
    internal : str
        Internal unit, ``1`` when dimensionless.
    molar_mass_kda : float or None
        Molar mass in kDa; None: mass units are refused.
    """

    internal: str
    molar_mass_kda: float | None = None

    @property
    def example(self) -> str:
        """What a writer may put here."""
        return _EXAMPLES.get(self.internal, f"a quantity in {self.internal}")


DIMENSIONLESS = Scale("1")


def to_internal(text: str, scale: Scale) -> float:
    """Convert a written quantity, correctly rounded: ``24 h``, ``1 d`` and ``1440 min`` are one float.

    Parameters
    ----------
    text : str
        A number, then a unit.
    scale : Scale
        The internal unit that is expected.

    Raises
    ------
    UnitError
        When the text is no quantity, its unit is unknown or of another dimension, or the value is not finite.
    """
    match = _QUANTITY.fullmatch(text.strip()) if len(text) <= 200 else None
    if match is None:
        raise UnitError(f"got {shown(text)}; expected {scale.example}")
    number, unit = match.groups()
    if unit not in ("", "1", "%") and _UNIT.fullmatch(unit) is None:
        raise UnitError(
            f"got {shown(text)}; cannot read the unit; expected {scale.example}", nearest(unit, UNIT_WORDS)
        )
    value = Fraction(Decimal(number)) * _factor(unit, scale, text)
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise UnitError(f"got {shown(text)}; expected a number that is finite in {scale.internal}")
    return result


def _factor(unit: str, scale: Scale, text: str) -> Fraction:
    if not unit or unit == "1":
        if scale.internal == "1":
            return Fraction(1)
        raise UnitError(f"got {shown(text)} without a unit; expected {scale.example}")
    if unit == "%":
        if scale.internal == "1":
            return Fraction(1, 100)
        raise UnitError(f"got {shown(text)}; expected {scale.example}")
    factor = _ratio(unit, scale.internal)
    if factor is not None:
        return factor
    per_mass = _ratio(f"{unit}/kDa", scale.internal)
    if per_mass is None:
        raise UnitError(f"got {shown(text)}; expected {scale.example}", _unit_hint(unit))
    if scale.molar_mass_kda is None:
        raise UnitError(f"got {shown(text)}: a mass unit needs a molar_mass, which is not declared here")
    return per_mass / Fraction(Decimal(repr(float(scale.molar_mass_kda))))


def _unit_hint(unit: str) -> str | None:
    return None if unit in UNIT_WORDS or _known(unit) else nearest(unit, UNIT_WORDS)


@cache
def _registry() -> UnitRegistry:
    from pint import UnitRegistry

    registry = UnitRegistry(None, non_int_type=Fraction)  # pyright: ignore[reportArgumentType] - Fraction works
    for line in _PREFIXES.split(";"):
        name, value, symbol, *more = line.split()
        registry.define(" = ".join([f"{name}-", value, f"{symbol}-", *(f"{other}-" for other in more)]))
    for line in _DEFINITIONS.split(";"):
        registry.define(line.strip())
    return registry


@cache
def _known(unit: str) -> bool:
    return _parsed(unit) is not None


@cache
def _parsed(unit: str) -> Any:
    from pint.errors import PintError

    text = unit.replace("^", "**")
    try:
        return _registry().parse_units(f"1{text}" if text.startswith("/") else text)
    except (PintError, ValueError, KeyError, AttributeError):
        return None


@cache
def _ratio(unit: str, internal: str) -> Fraction | None:
    """Return how many internal units one ``unit`` is, None when the dimensions differ."""
    written = _parsed(unit)
    wanted = _parsed("unit" if internal == "1" else internal.removeprefix("1"))
    registry = _registry()
    if (
        written is None
        or wanted is None
        or registry.get_dimensionality(written) != registry.get_dimensionality(wanted)
    ):
        return None
    return Fraction((Fraction(1) * written).to(wanted).magnitude)
