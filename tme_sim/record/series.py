"""Reads every time series of a run file at once: files with hundreds of measures are many small datasets otherwise."""

from __future__ import annotations

from dataclasses import dataclass
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


def read_series(run: h5py.File, io_known: dict[bytes, tuple[str, ...]] | None = None) -> Series:
    """Return the time series of an open run file, also of one without a table.

    Parameters
    ----------
    io_known : dict, optional
        Names by the bytes that they are stored as: the runs of a batch mostly have the same, unpacked once.

    Raises
    ------
    KeyError
        When they are missing.
    """
    names = read_names(run, io_known)
    if TABLE in run:
        group = h5py.h5g.open(run.id, TABLE.encode())
        return Series(names, _floats(group, "time"), _floats(group, "values"))
    group = h5py.h5g.open(run.id, b"timeseries")
    minutes = _floats(group, "time")
    columns = [_floats(group, name) for name in names]
    return Series(names, minutes, np.stack(columns, axis=1) if columns else np.empty((len(minutes), 0)))


def read_names(run: h5py.File, io_known: dict[bytes, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """Return the measures of an open run file, as `read_series` does."""
    if TABLE not in run:
        held: Any = run["timeseries"]
        return tuple(name for name in held if name != "time")
    known = {} if io_known is None else io_known
    dataset = h5py.h5d.open(run.id, f"{TABLE}/measure".encode())
    stored = dataset.read_direct_chunk((0,))[1] if dataset.get_num_chunks() == 1 else b""
    if not stored or stored not in known:
        raw: Any = np.empty(dataset.shape, dataset.dtype)
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, raw)
        known[stored] = tuple(np.char.decode(raw, "utf-8").tolist())
    return known[stored]


def _floats(group: Any, name: str) -> np.ndarray:
    """Read a float64 dataset the quick way: working its type out takes a third of the time."""
    dataset = h5py.h5d.open(group, name.encode())
    values = np.empty(dataset.shape, np.float64)
    dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, values, h5py.h5t.NATIVE_DOUBLE)
    return values
