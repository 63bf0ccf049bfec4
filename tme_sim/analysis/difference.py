"""What differs between two runs, or two batches: settings, versions, results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tme_sim.record.batch_reader import Batch
from tme_sim.record.compare import differences
from tme_sim.record.reader import Run
from tme_sim.record.seal import RunFileError

_VERSIONS = ("source", "numerics_version", "format_version")
_OF_SETTINGS = ("/@", "/scenario/", "/timeseries/", "/table/")  # told as settings, versions and results


@dataclass(frozen=True)
class Change:
    """One setting or version; None where a side does not have it."""

    name: str
    left: Any
    right: Any


@dataclass(frozen=True)
class ResultChange:
    """One measure.

    Attributes
    ----------
    left, right : float
        At the end of each run; means over the runs that both batches have.
    first_min : float
        Time of the first difference, min; nan where no common time differs.
    largest : float
        Largest difference at a common time, in the unit of the measure.
    """

    name: str
    unit: str
    left: float
    right: float
    first_min: float
    largest: float


@dataclass(frozen=True)
class Difference:
    """Everything that differs; ``other`` names what else is not byte-equal, one line each."""

    settings: tuple[Change, ...]
    versions: tuple[Change, ...]
    results: tuple[ResultChange, ...]
    other: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.settings or self.versions or self.results or self.other)


def between_runs(left: Run, right: Run) -> Difference:
    """Return what differs between two runs; facts about the machine do not count."""
    settings = [
        *_changes(_flat(json.loads(left.scenario_json)), _flat(json.loads(right.scenario_json))),
        *_changes({"seed": left.seed}, {"seed": right.seed}),
    ]
    versions = _changes(*({name: run.attributes.get(name) for name in _VERSIONS} for run in (left, right)))
    a, b = left.timeseries, right.timeseries
    units = {**b.attrs["units"], **a.attrs["units"]}
    minutes = (a.index.to_numpy(float), b.index.to_numpy(float))
    results = []
    for name in dict.fromkeys([*a.columns, *b.columns]):
        series = [
            frame[name].to_numpy(float) if name in frame else np.full(len(frame), np.nan) for frame in (a, b)
        ]
        if not np.array_equal(*minutes) or not np.array_equal(*series, equal_nan=True):
            change = _result(str(name), units[name], minutes, series)
            if np.isfinite(change.first_min) or not np.array_equal(
                [change.left], [change.right], equal_nan=True
            ):
                results.append(change)
    dull = _OF_SETTINGS
    other = [line for line in differences(left.path, right.path) if not line.startswith(dull)]
    return Difference(_unique(settings), tuple(versions), tuple(results), tuple(other))


def between_batches(left: Batch, right: Batch) -> Difference:
    """Return what differs between two batches; runs are matched by arm, swept keys and replicate."""
    told = ("experiment", "title", "scenario", "control")
    settings = _changes(*({name: batch.attributes.get(name) for name in told} for batch in (left, right)))
    both_told = left.changes is not None and right.changes is not None
    settings += _changes(*(_levels(batch, both_told=both_told) for batch in (left, right)))
    versions = _changes(
        *({name: batch.attributes.get(name) for name in _VERSIONS[:2]} for batch in (left, right))
    )
    numbers = [_by_place(batch) for batch in (left, right)]
    both = [place for place in numbers[0] if place in numbers[1]]
    other = [
        f"{place}: only in {batch.path}"
        for batch, own in zip((left, right), numbers, strict=True)
        for place in own
        if place not in both
    ]
    rows = [[own[place] for place in both] for own in numbers]
    settings += _of_first(left, right, rows)
    results = []
    for name in dict.fromkeys((*left.measures, *right.measures)) if both else ():
        ends = [
            batch.ends[name].to_numpy()[at] if name in batch.ends else np.full(len(at), np.nan)
            for batch, at in zip((left, right), rows, strict=True)
        ]
        if not np.array_equal(*ends, equal_nan=True):
            unit = {**right.units, **left.units}[name]
            apart = np.abs(ends[0] - ends[1])
            largest = float(np.nanmax(apart)) if np.isfinite(apart).any() else float("nan")
            before, after = (float(np.nanmean(e)) if np.isfinite(e).any() else float("nan") for e in ends)
            results.append(ResultChange(name, unit, before, after, float("nan"), largest))
    return Difference(tuple(settings), tuple(versions), tuple(results), tuple(other))


def _result(
    name: str, unit: str, minutes: tuple[np.ndarray, np.ndarray], series: Sequence[np.ndarray]
) -> ResultChange:
    """Compare one measure at the times that both have."""
    common, at_left, at_right = np.intersect1d(*minutes, return_indices=True)
    x, y = series[0][at_left], series[1][at_right]
    apart = (x != y) & ~(np.isnan(x) & np.isnan(y))
    first = float(common[np.flatnonzero(apart)[0]]) if apart.any() else float("nan")
    gaps = np.abs(x - y)[apart]
    largest = float(np.nanmax(gaps)) if np.isfinite(gaps).any() else float("nan")
    return ResultChange(name, unit, float(series[0][-1]), float(series[1][-1]), first, largest)


def _changes(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Change]:
    names = dict.fromkeys((*left, *right))
    return [
        Change(name, left.get(name), right.get(name)) for name in names if left.get(name) != right.get(name)
    ]


def _unique(changes: Sequence[Change]) -> tuple[Change, ...]:
    return tuple({change.name: change for change in changes}.values())


def _flat(value: Any, where: str = "") -> dict[str, Any]:
    """Return a scenario as values by dotted key, lists by number."""
    if isinstance(value, dict) and value:
        items = value.items()
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        items = enumerate(value)
    else:
        return {where: value}
    out: dict[str, Any] = {}
    for key, item in items:
        out |= _flat(item, f"{where}.{key}" if where else str(key))
    return out


def _of_first(left: Batch, right: Batch, rows: Sequence[Sequence[int]]) -> list[Change]:
    """Return in which settings the first run that both have differs; nothing where run files are not at hand."""
    if not rows[0]:
        return []
    try:
        with left.open_run(rows[0][0]) as one, right.open_run(rows[1][0]) as other:
            return _changes(*(_flat(json.loads(run.scenario_json)) for run in (one, other)))
    except (RunFileError, OSError):
        return []


def _levels(batch: Batch, *, both_told: bool) -> dict[str, Any]:
    """Return the arms, the values of every swept key, and where both batches tell it what the arms change."""
    values = {key: list(dict.fromkeys(batch.design[key].tolist())) for key in batch.keys}
    levels = {"arms": list(batch.arms), "replicates": batch.design["replicate"].nunique(), **values}
    changed = {f"arms.{arm}": settings for arm, settings in (batch.changes or {}).items()}
    return {**levels, **(changed if both_told else {})}


def _by_place(batch: Batch) -> dict[str, int]:
    """Return the row of every finished run by its place in the experiment."""
    table = batch.finished
    places = {}
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        point = ", ".join(f"{key} {row[key]}" for key in batch.keys)
        places[", ".join(filter(None, [row["arm"], point, f"replicate {row['replicate']}"]))] = int(number)
    return places
