"""Reads the run files of a batch side by side, without merging them first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from tme_sim.record.manifest import TOLD, number_of, told_of_plan
from tme_sim.record.manifest import read_manifest as read_facts
from tme_sim.record.seal import RunFileError
from tme_sim.record.shard import Shard, shards_in


@dataclass(frozen=True)
class Manifest:
    """What ``batch.json`` says: the runs that were planned, and how they are recorded.

    Attributes
    ----------
    told : dict
        Experiment, title, scenario, control, plan_id, and what `told_of_plan` gives.
    runs : list of dict
        ``arm``, ``point``, ``replicate``, ``seed`` and ``run_id`` of every run, in order.
    minutes : float64 (n_times,)
        Times of record that the runs share.
    shards : dict of str to Shard
        Where finished runs lie, by run id.
    """

    folder: Path
    told: dict[str, Any]
    runs: list[dict[str, Any]]
    minutes: np.ndarray
    shards: dict[str, Shard]

    @property
    def keys(self) -> list[str]:
        """Swept keys, in order."""
        return list(dict.fromkeys(key for run in self.runs for key in run["point"]))

    def finished(self) -> set[str]:
        """Return the ids of the planned runs that have a file."""
        return {run["run_id"] for run in self.runs} & self.shards.keys()


@dataclass
class Shards:
    """The run files of a batch, read side by side."""

    design: pd.DataFrame
    timeseries: xr.Dataset
    ends: xr.Dataset
    attributes: dict[str, Any]
    skipped: list[str] = field(default_factory=list)


def read_manifest(folder: Path) -> Manifest:
    """Return what a folder of a batch was planned to hold.

    Raises
    ------
    FolderError
        When there is no batch, or its manifest is damaged or of another format.
    """
    raw = read_facts(folder / "batch.json")
    interval = raw["interval_min"] or raw["duration_min"]
    minutes = np.arange(int(raw["duration_min"] / interval + 1e-9) + 1) * interval
    told = {key: raw[key] for key in TOLD} | told_of_plan(raw)
    return Manifest(folder, told, raw["runs"], minutes, shards_in(folder))


def read_shards(manifest: Manifest) -> Shards:
    """Return design, series and end values from the run files; damaged ones are named and left out."""
    out = _Reading(len(manifest.runs))
    for number, run in enumerate(manifest.runs):
        if run["run_id"] in manifest.shards:
            out.add(number, manifest.shards[run["run_id"]])
    files = tuple(out.files)
    coords = {"time": ("time", manifest.minutes, {"units": "min", "long_name": "Simulated time"})}
    series = {
        name: xr.Variable(
            ("run", "time"), indexing.LazilyIndexedArray(_Column(files, name, manifest.minutes)), about
        )
        for name, about in out.about.items()
    }
    ends = {name: ("run", out.of_all(name), about) for name, about in out.about.items()}
    ended = ("run", out.of_all("time"), {"units": "min", "long_name": "Simulated time at the end of the run"})
    return Shards(
        _design(manifest, out.status),
        xr.Dataset(series, coords=coords),
        xr.Dataset({**ends, "ended": ended}),
        out.attributes,
        out.skipped,
    )


class _Reading:
    """What a first pass over the run files finds."""

    def __init__(self, n_runs: int):
        self.files: list[Shard | None] = [None] * n_runs
        self.status = ["missing"] * n_runs
        self.ends: list[dict[str, float]] = [{} for _ in range(n_runs)]
        self.about: dict[str, dict[str, str]] = {}
        self.attributes: dict[str, Any] = {}
        self.skipped: list[str] = []

    def add(self, number: int, shard: Shard) -> None:
        """Check a file and keep its end values."""
        self.status[number] = "damaged"
        try:
            with shard.open() as file:
                group: Any = file["timeseries"]
                self.ends[number] = {name: float(group[name][-1]) for name in group}
                if not self.about:
                    self.about = {name: _about(group[name]) for name in group if name != "time"}
                    self.attributes = {key: _text(file.attrs[key]) for key in ("source", "numerics_version")}
        except (RunFileError, OSError, KeyError, ValueError) as error:
            self.skipped.append(str(error) if str(shard.path) in str(error) else f"{shard}: {error}")
        else:
            self.files[number], self.status[number] = shard, "done"

    def of_all(self, name: str) -> np.ndarray:
        """Return the last value of a measure, float64 (n_runs,), nan where there is none."""
        return np.array([ends.get(name, np.nan) for ends in self.ends], float)


class _Column(BackendArray):
    """One measure of every run over time, read from the run files when it is used, float64 (n_runs, n_times)."""

    def __init__(self, files: tuple[Shard | None, ...], name: str, minutes: np.ndarray):
        self.files, self.name, self.minutes = files, name, minutes
        self.shape, self.dtype = (len(files), len(minutes)), np.dtype(np.float64)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        chosen = np.atleast_1d(np.arange(len(self.files))[key[0]])
        values = np.full((len(chosen), len(self.minutes)), np.nan)
        for row, number in enumerate(chosen):
            shard = self.files[number]
            if shard is not None:
                values[row] = self._of_run(shard)
        return (values[0] if isinstance(key[0], int | np.integer) else values)[..., key[1]]

    def _of_run(self, shard: Shard) -> np.ndarray:
        out = np.full(len(self.minutes), np.nan)
        with shard.open(check=False) as file:
            group: Any = file["timeseries"]
            if self.name in group:
                interval = self.minutes[1] if len(self.minutes) > 1 else 1.0
                out[((group["time"][()] + 1e-6) / interval).astype(np.int64)] = group[self.name][()]
        return out


def _design(manifest: Manifest, status: Sequence[str]) -> pd.DataFrame:
    columns = ("arm", "replicate", "seed", "run_id")
    table = pd.DataFrame([{name: run[name] for name in columns} for run in manifest.runs])
    table["seed"] = np.array([run["seed"] for run in manifest.runs], np.uint64)
    table["status"] = status
    table["failure"] = ""
    units = {}
    for key in manifest.keys:
        table[key], units[key] = _parameter([run["point"].get(key, "") for run in manifest.runs])
    table.index.name = "run"
    table.attrs["units"] = units
    return table


def _parameter(written: Sequence[str]) -> tuple[Any, str]:
    """Return the values of a swept key: numbers with their unit where all are that, else the texts."""
    numbers = [number for text in written if (number := number_of(text)) is not None]
    units = {unit for _, unit in numbers}
    if len(numbers) == len(written) and len(units) == 1:
        return [number for number, _ in numbers], units.pop() or "1"
    return list(written), "1"


def _about(dataset: Any) -> dict[str, str]:
    return {key: _text(dataset.attrs[key]) for key in ("units", "long_name") if key in dataset.attrs}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
