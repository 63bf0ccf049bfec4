"""Turns the axes of an experiment into points: settings by key."""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tme_sim.batch.experiment import Sweep
from tme_sim.record.manifest import REPLICATES
from tme_sim.scenario.ranges import Parameter, parameters_of
from tme_sim.scenario.scenario import Scenario

_MOST_BYTES = 2**24  # of a table
MOST_POINTS = 10_000  # each is a scenario of its own, read and checked before the first run
Point = Mapping[str, str]
_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


class SweepError(ValueError):
    """An axis cannot be turned into points."""


def points_of(
    sweeps: Sequence[Sweep], scenario: Scenario, folder: Path, most: int = MOST_POINTS
) -> list[Point]:
    """Return the crossed points of all axes; one empty point without axes.

    Parameters
    ----------
    most : int
        More points are refused before any is made.

    Raises
    ------
    SweepError
        When a number, a unit or a table is wrong, two axes set the same key, or there are too many points.
    """
    _refuse_more(math.prod(_length(sweep) for sweep in sweeps), most)
    axes = [_axis(sweep, scenario, folder) for sweep in sweeps]
    _refuse_more(math.prod(map(len, axes)), most)
    for axis in axes:
        _refuse_twins(axis)
    keys = [set(axis[0]) for axis in axes]
    for one, other in itertools.combinations(keys, 2):
        if one & other:
            raise SweepError(f"two axes set {sorted(one & other)[0]}")
    return [{k: v for part in parts for k, v in part.items()} for parts in itertools.product(*axes)]


def converging(keys: Mapping[str, Sequence[str]]) -> list[Point]:
    """Return the base point, then every refinement of one key with the others at their first value.

    The number of replicates makes no points: fewer are the first of all.
    """
    settings = {key: values for key, values in keys.items() if key != REPLICATES}
    base = {key: values[0] for key, values in settings.items()}
    refined = [{**base, key: value} for key, values in settings.items() for value in values[1:]]
    return [base, *refined] if base else [{}]


def _refuse_more(number: int, most: int) -> None:
    if number > most:
        raise SweepError(f"{number:,} points; expected no more than {most:,} in an experiment")


def _refuse_twins(axis: Sequence[Point]) -> None:
    """Refuse a point that an axis has twice: the same runs would count twice in every mean."""
    seen = set()
    for point in axis:
        if (told := tuple(point.items())) in seen:
            raise SweepError(f"{', '.join(f'{key}={value}' for key, value in told)}: given twice")
        seen.add(told)


def _length(sweep: Sweep) -> int:
    """Return how many points an axis has; a table's are counted when it is read."""
    return len(sweep.values or ()) or sweep.points or sweep.draws or 1


def _axis(sweep: Sweep, scenario: Scenario, folder: Path) -> list[Point]:
    if sweep.table is not None:
        return _table(folder / sweep.table)
    if sweep.draws is not None:
        return _drawn(sweep, scenario)
    key = str(sweep.key)
    if sweep.values is not None:
        return [{key: value} for value in sweep.values]
    return [
        {key: text} for text in _spaced(str(sweep.start), str(sweep.to), int(sweep.points or 1), sweep.scale)
    ]


def _spaced(first: str, last: str, points: int, scale: str) -> list[str]:
    """Return ``points`` values with unit from first to last."""
    low, high, unit = _ends(first, last)
    if scale == "log":
        if low <= 0.0 or high <= 0.0:
            raise SweepError(f"from {first} to {last}: a log scale needs values above 0")
        values = np.geomspace(low, high, points)
    else:
        values = np.linspace(low, high, points)
    return [f"{float(value)!r} {unit}".strip() for value in values]


def _ends(first: str, last: str) -> tuple[float, float, str]:
    matches = [_QUANTITY.fullmatch(text) for text in (first, last)]
    if matches[0] is None or matches[1] is None:
        raise SweepError(f"from {first} to {last}: expected numbers with a unit, such as 1 nM")
    (low, unit), (high, other) = (match.groups() for match in matches if match)
    if unit != other:
        raise SweepError(f"from {first} to {last}: expected the same unit on both")
    return float(low), float(high), unit


def _drawn(sweep: Sweep, scenario: Scenario) -> list[Point]:
    draws = int(sweep.draws or 0)
    if sweep.assumed:
        parameters = parameters_of(scenario)
        if not parameters:
            raise SweepError("assumed: the scenario has no number with a range")
        return [
            dict(
                override.split("=", 1)
                for p, u in zip(parameters, row, strict=True)
                for override in p.overrides(p.at(u))
            )
            for row in _shares(sweep, len(parameters), draws)
        ]
    ends = [(key, *_ends(*pair)) for key, pair in (sweep.ranges or {}).items()]
    for key, low, high, _ in ends:
        if not low < high:
            raise SweepError(f"ranges: {key}: {low:g} to {high:g}; expected the lower end first")
    parameters = [Parameter(key, key, unit or "1", low, low, high) for key, low, high, unit in ends]
    return [
        {p.key: p.text(_at(p, u, sweep.scale)) for p, u in zip(parameters, row, strict=True)}
        for row in _shares(sweep, len(parameters), draws)
    ]


def _at(parameter: Parameter, u: float, scale: str) -> float:
    if scale == "log" and not parameter.logarithmic:
        if parameter.low <= 0.0:
            raise SweepError(f"ranges: {parameter.key}: a log scale needs values above 0")
        return float(parameter.low * (parameter.high / parameter.low) ** u)
    if scale == "log":
        return parameter.at(u)
    return float(parameter.low + (parameter.high - parameter.low) * u)


def _shares(sweep: Sweep, dimensions: int, draws: int) -> np.ndarray:
    """Return points of the unit cube, float64 (draws, dimensions)."""
    from scipy.stats import qmc  # 0.3 s, which runs and most experiments do without

    rng = np.random.default_rng(sweep.seed)
    if sweep.method == "sobol":
        if draws & (draws - 1):
            below = 1 << (draws.bit_length() - 1)
            raise SweepError(
                f"draws: {draws}; expected a power of two for a Sobol sequence, such as {below} or {2 * below}"
            )
        return qmc.Sobol(dimensions, rng=rng).random(draws)
    return qmc.LatinHypercube(dimensions, rng=rng).random(draws)


def _table(path: Path) -> list[Point]:
    if path.exists() and not path.is_file():
        raise SweepError(f"table {path.name}: is no file")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SweepError(f"table {path.name}: larger than {_MOST_BYTES // 2**20} MiB")
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets put a mark at the start
            rows = [[text.strip() for text in row] for row in csv.reader(file)]
    except OSError as error:
        raise SweepError(f"table {path.name}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise SweepError(f"table {path.name}: cannot be read: {error}") from None
    while rows and not any(rows[-1]):  # empty lines at the end
        rows.pop()
    if len(rows) < 2 or not all(rows[0]) or len(set(rows[0])) != len(rows[0]):
        raise SweepError(f"table {path.name}: expected a line of different keys, then a line per point")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]) or not all(row):
            raise SweepError(
                f"{path.name}:{number}: {len(row)} values; expected one for each of {len(rows[0])} keys"
            )
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
