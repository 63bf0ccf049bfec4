"""Reads every time series of a run file at once: files with hundreds of measures are many small datasets otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import h5py
import numpy as np

TABLE = "table"


@dataclass(frozen=True)
class Series:
    """All time series of a run.

    Attributes
    ----------
    names : tuple of str
        Measures.
    minutes : float64 (n_times,)
    values : float64 (n_times, n_measures)
    """

    names: tuple[str, ...]
    minutes: np.ndarray
    values: np.ndarray


def read_series(run: h5py.File) -> Series:
    """Return the time series of an open run file, also of one without a table.

    Raises
    ------
    KeyError
        When they are missing.
    """
    if TABLE in run:
        group = h5py.h5g.open(run.id, TABLE.encode())
        names = h5py.h5d.open(group, b"measure")
        raw = np.empty(names.shape, names.dtype)
        names.read(h5py.h5s.ALL, h5py.h5s.ALL, raw)
        return Series(_texts(raw.tobytes(), raw.itemsize), _floats(group, "time"), _floats(group, "values"))
    held: Any = run["timeseries"]
    group = h5py.h5g.open(run.id, b"timeseries")
    names = tuple(name for name in held if name != "time")
    minutes = _floats(group, "time")
    columns = [_floats(group, name) for name in names]
    return Series(names, minutes, np.stack(columns, axis=1) if columns else np.empty((len(minutes), 0)))


@lru_cache(maxsize=16)
def _texts(raw: bytes, length: int) -> tuple[str, ...]:
    """Return texts of fixed length; the runs of a batch mostly have the same."""
    return tuple(np.char.decode(np.frombuffer(raw, f"S{length}"), "utf-8").tolist())


def _floats(group: Any, name: str) -> np.ndarray:
    """Read a float64 dataset the quick way: working its type out takes a third of the time."""
    dataset = h5py.h5d.open(group, name.encode())
    values = np.empty(dataset.shape, np.float64)
    dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, values, h5py.h5t.NATIVE_DOUBLE)
    return values
