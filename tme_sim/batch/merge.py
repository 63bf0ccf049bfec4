"""Merges the files of a batch into one, which can always be made again from them.

experiment/   (text)       settings, arms, refinement and reported measures as planned, JSON
design/       (run)        arm, replicate, seed, run_id, status, failure
parameters/   (run)        one dataset per swept key: numbers with their unit, else texts
timeseries/   (run, time)  one dataset per measure; nan after a run's end, and in runs without it
end/          (run)        the same at the end of the run, and when that was
provenance/   (run)        wall time and memory
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

import tme_sim
from tme_sim.batch.folder import DONE, Folder
from tme_sim.record.hdf5 import Branch, building, text_array
from tme_sim.record.identity import FORMAT_VERSION
from tme_sim.record.manifest import TOLD, Entry, number_of, told_of_plan
from tme_sim.record.seal import RunFileError, seal_file
from tme_sim.record.series import Series, read_names, read_series
from tme_sim.record.shard import Shard
from tme_sim.record.store import publish_built

_BLOCK_VALUES = 8_000_000
_MACHINE = {"wall_time_s": "s", "peak_memory_mb": "MB"}
_KEPT = ("units", "long_name")


class MergeError(ValueError):
    """There is nothing to merge."""


@dataclass(frozen=True)
class Merged:
    """What a merge did: the file, how many runs it holds, and what was passed over."""

    path: Path
    runs: int
    passed_over: tuple[str, ...]


@dataclass(frozen=True)
class _About:
    versions: set[str] = field(default_factory=set)
    measures: dict[str, dict[str, str]] = field(default_factory=dict)  # unit and meaning by name


@dataclass(frozen=True)
class _Finished:
    series: Series
    machine: tuple[float, ...]


def merge(folder: Folder) -> Merged:
    """Write ``results.h5`` of a batch from its finished runs, one row per planned run.

    Memory does not grow with the number of runs.

    Raises
    ------
    MergeError
        When no run is finished.
    OSError
        When it cannot be written; an earlier file stays.
    """
    manifest, entries, shards = folder.read_manifest(), folder.entries(), folder.shards()
    found = _about(entries, shards)
    if not found.versions:
        raise MergeError(f"{folder.path}: no finished run yet")
    passed_over: list[str] = []
    finished = np.zeros(len(entries), bool)

    def build(file: BinaryIO) -> None:
        with building(file) as out:
            _write_root(out, manifest, ", ".join(sorted(found.versions)))
            _write_series(out, entries, shards, manifest, found.measures, finished, passed_over)
            _write_design(out, folder, entries, finished)
            _write_parameters(out, entries)

    publish_built(folder.results, build, seal_file)
    return Merged(folder.results, int(finished.sum()), tuple(passed_over))


def _about(entries: Sequence[Entry], shards: Mapping[str, Shard]) -> _About:
    """Return what the finished runs hold, from one whole run of each arm and point."""
    found, seen = _About(), set()
    for entry in entries:
        variant = (entry.arm, *entry.point.items())
        if variant in seen or entry.run_id not in shards:
            continue
        with suppress(RunFileError, OSError, KeyError), shards[entry.run_id].open() as run:
            found.versions.add(_text(run.attrs["numerics_version"]))
            group: Any = run["timeseries"]
            for name in read_names(run):
                if name not in found.measures:
                    about = group[name].attrs
                    found.measures[name] = {key: _text(about[key]) for key in _KEPT if key in about}
            seen.add(variant)
    return found


def _write_root(out: Branch, manifest: dict[str, Any], version: str) -> None:
    out.describe(
        Conventions="CF-1.11",
        source=f"tme-sim {tme_sim.__version__}",
        kind="batch",
        format_version=FORMAT_VERSION,
        numerics_version=version,
        **{key: manifest[key] for key in TOLD},
    )
    experiment = out.branch("experiment")
    experiment.write_dimension("text", 1)
    plan = text_array([json.dumps(told_of_plan(manifest), ensure_ascii=False)])
    experiment.write(
        "json", plan, ("text",), None, long_name="Settings, arms, refinement and reported measures"
    )


def _write_series(
    out: Branch,
    entries: Sequence[Entry],
    shards: Mapping[str, Shard],
    manifest: dict[str, Any],
    about: Mapping[str, dict[str, str]],
    io_finished: np.ndarray,
    io_passed_over: list[str],
) -> None:
    """Fill series, end values and machine facts, block of runs by block of runs."""
    interval = manifest["interval_min"] or manifest["duration_min"]
    times = int(manifest["duration_min"] / interval + 1e-9) + 1
    rows = max(1, min(256, _BLOCK_VALUES // (times * len(about))))
    out.write_dimension("run", len(entries))
    shown, ends = out.branch("timeseries"), out.branch("end")
    shown.write_coordinate(
        "time", np.arange(times) * interval, units="min", long_name="Simulated time", axis="T"
    )
    for name, attributes in about.items():
        shown.write_empty(name, (len(entries), times), ("run", "time"), (rows, times), **attributes)
    place = {name: number for number, name in enumerate(about)}
    columns: dict[
        tuple[str, ...], np.ndarray
    ] = {}  # by the names of a run; those of no place go behind the last
    stored: dict[bytes, tuple[str, ...]] = {}
    end_values = np.full((len(about) + 1, len(entries)), np.nan)
    ended, machine = np.full(len(entries), np.nan), np.full((len(_MACHINE), len(entries)), np.nan)
    for start in range(0, len(entries), rows):
        block = np.full((rows, times, len(about) + 1), np.nan)
        for i, entry in enumerate(entries[start : start + rows]):
            found = _read(shards.get(entry.run_id), stored, io_passed_over)
            if found is None:
                continue
            at, series = start + i, found.series
            io_finished[at], ended[at], machine[:, at] = True, series.minutes[-1], found.machine
            if series.names not in columns:
                columns[series.names] = np.array([place.get(name, len(about)) for name in series.names])
            column, row = columns[series.names], ((series.minutes + 1e-6) / interval).astype(np.int64)
            block[i, row[:, None], column] = series.values
            end_values[column, at] = series.values[-1]
        block = block[: len(entries) - start]
        for number, name in enumerate(about):
            shown.write_rows(name, start, block[:, :, number])
    for (name, attributes), values in zip(about.items(), end_values[:-1], strict=True):
        ends.write(name, values, ("run",), None, **attributes)
    ends.write("ended", ended, ("run",), None, units="min", long_name="Simulated time at the end of the run")
    provenance = out.branch("provenance")
    for (name, unit), values in zip(_MACHINE.items(), machine, strict=True):
        provenance.write(name, values, ("run",), None, units=unit)


def _read(
    shard: Shard | None, io_stored: dict[bytes, tuple[str, ...]], io_passed_over: list[str]
) -> _Finished | None:
    """Return what is merged of a finished run; None for one that is not there or damaged, which is noted."""
    if shard is None:
        return None
    try:
        with shard.open() as run:
            facts = h5py.h5g.open(run.id, b"provenance")
            machine = tuple(_number(facts, name) for name in _MACHINE)
            return _Finished(read_series(run, io_stored), machine)
    except (RunFileError, OSError, KeyError) as error:
        io_passed_over.append(str(error))
        return None


def _write_design(out: Branch, folder: Folder, entries: Sequence[Entry], finished: np.ndarray) -> None:
    design = out.branch("design")
    status = [DONE if done else folder.state(e.run_id) for e, done in zip(entries, finished, strict=True)]
    texts = {
        "run_id": [e.run_id for e in entries],
        "arm": [e.arm for e in entries],
        "status": status,
        "failure": [
            "" if done else folder.failure(e.run_id) for e, done in zip(entries, finished, strict=True)
        ],
    }
    for name, values in texts.items():
        design.write(name, text_array(values), ("run",))
    design.write("replicate", np.array([e.replicate for e in entries], np.int64), ("run",))
    design.write("seed", np.array([e.seed for e in entries], np.uint64), ("run",))


def _write_parameters(out: Branch, entries: Sequence[Entry]) -> None:
    group = out.branch("parameters")
    for key in dict.fromkeys(key for entry in entries for key in entry.point):
        written = [entry.point.get(key, "") for entry in entries]
        numbers = [number for text in written if (number := number_of(text)) is not None]
        units = {unit for _, unit in numbers}
        if len(numbers) == len(written) and len(units) == 1:
            values = np.array([number for number, _ in numbers])
            group.write(key, values, ("run",), None, units=units.pop() or "1")
        else:
            group.write(key, text_array(written), ("run",))


def _number(target: Any, name: str) -> float:
    """Return an attribute, nan where there is none: the quick way, as there are thousands."""
    value = np.array(np.nan)
    if h5py.h5a.exists(target, name.encode()):
        h5py.h5a.open(target, name.encode()).read(value)
    return float(value)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
