"""Reads the run files of a batch side by side, without merging them first."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from tme_sim.record.reader import verify
from tme_sim.record.seal import RunFileError

_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)")
_TOLD = ("experiment", "title", "scenario", "control", "plan_id", "report")


@dataclass(frozen=True)
class Manifest:
    """What ``batch.json`` says: the runs that were planned, and how they are recorded.

    Attributes
    ----------
    told : dict
        Experiment, title, scenario, control, plan_id, report.
    runs : list of dict
        ``arm``, ``point``, ``replicate``, ``seed`` and ``run_id`` of every run, in order.
    minutes : float64 (n_times,)
        Times of record that the runs share.
    """

    folder: Path
    told: dict[str, Any]
    runs: list[dict[str, Any]]
    minutes: np.ndarray

    @property
    def keys(self) -> list[str]:
        """Swept keys, in order."""
        return list(dict.fromkeys(key for run in self.runs for key in run["point"]))

    def file(self, run_id: str) -> Path:
        """Return where a finished run lies."""
        return self.folder / "runs" / f"{run_id}.h5"

    def finished(self) -> set[str]:
        """Return the ids of the runs that have a file."""
        return {run["run_id"] for run in self.runs if self.file(run["run_id"]).exists()}


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
    RunFileError
        When there is no batch, or its manifest is damaged.
    """
    path = folder / "batch.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        interval = raw["interval_min"] or raw["duration_min"]
        minutes = np.arange(int(raw["duration_min"] / interval + 1e-9) + 1) * interval
        return Manifest(folder, {key: raw[key] for key in _TOLD}, raw["runs"], minutes)
    except FileNotFoundError:
        raise RunFileError(f"{folder}: holds no batch") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFileError(f"{path}: cannot be read: {error}") from None


def read_shards(manifest: Manifest) -> Shards:
    """Return design, series and end values from the run files; damaged ones are named and left out."""
    out = _Reading(len(manifest.runs))
    for number, run in enumerate(manifest.runs):
        path = manifest.file(run["run_id"])
        if path.exists():
            out.add(number, path)
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
        self.files: list[Path | None] = [None] * n_runs
        self.status = ["missing"] * n_runs
        self.ends: list[dict[str, float]] = [{} for _ in range(n_runs)]
        self.about: dict[str, dict[str, str]] = {}
        self.attributes: dict[str, Any] = {}
        self.skipped: list[str] = []

    def add(self, number: int, path: Path) -> None:
        """Check a file and keep its end values."""
        self.status[number] = "damaged"
        try:
            verify(path)
            with h5py.File(path, "r", locking="best-effort") as file:
                group: Any = file["timeseries"]
                self.ends[number] = {name: float(group[name][-1]) for name in group}
                if not self.about:
                    self.about = {name: _about(group[name]) for name in group if name != "time"}
                    self.attributes = {key: _text(file.attrs[key]) for key in ("source", "numerics_version")}
        except (RunFileError, OSError, KeyError, ValueError) as error:
            self.skipped.append(str(error) if str(path) in str(error) else f"{path}: {error}")
        else:
            self.files[number], self.status[number] = path, "done"

    def of_all(self, name: str) -> np.ndarray:
        """Return the last value of a measure, float64 (n_runs,), nan where there is none."""
        return np.array([ends.get(name, np.nan) for ends in self.ends], float)


class _Column(BackendArray):
    """One measure of every run over time, read from the run files when it is used, float64 (n_runs, n_times)."""

    def __init__(self, files: tuple[Path | None, ...], name: str, minutes: np.ndarray):
        self.files, self.name, self.minutes = files, name, minutes
        self.shape, self.dtype = (len(files), len(minutes)), np.dtype(np.float64)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        chosen = np.atleast_1d(np.arange(len(self.files))[key[0]])
        values = np.full((len(chosen), len(self.minutes)), np.nan)
        for row, number in enumerate(chosen):
            path = self.files[number]
            if path is not None:
                values[row] = self._of_run(path)
        return (values[0] if isinstance(key[0], int | np.integer) else values)[..., key[1]]

    def _of_run(self, path: Path) -> np.ndarray:
        out = np.full(len(self.minutes), np.nan)
        with h5py.File(path, "r", locking="best-effort") as file:
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
    found = [_NUMBER.fullmatch(text.strip()) for text in written]
    numbers = [(float(match[1]), match[2]) for match in found if match is not None]
    units = {unit for _, unit in numbers}
    if len(numbers) == len(written) and len(units) == 1:
        return [number for number, _ in numbers], units.pop() or "1"
    return list(written), "1"


def _about(dataset: Any) -> dict[str, str]:
    return {key: _text(dataset.attrs[key]) for key in ("units", "long_name") if key in dataset.attrs}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
