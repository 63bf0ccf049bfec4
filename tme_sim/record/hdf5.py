"""Datasets, dimensions and attributes in the netCDF-4 habit, all checksummed and of fixed length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

_ROWS = 65536
_BARE_DIMENSION = "This is a netCDF dimension but not a netCDF variable."


def text_array(values: Sequence[str]) -> np.ndarray:
    """Return texts as fixed-length UTF-8 bytes, (n,)."""
    raw = [value.encode() for value in values]
    return np.array(raw, dtype=h5py.string_dtype("utf-8", max([1, *map(len, raw)])))


def set_attributes(target: Any, attributes: dict[str, Any]) -> None:
    """Write attributes; texts as fixed-length UTF-8."""
    for name, value in attributes.items():
        if isinstance(value, str):
            raw = value.encode()
            target.attrs.create(name, raw, dtype=h5py.string_dtype("utf-8", max(1, len(raw))))
        else:
            target.attrs.create(name, value)


def write(
    group: h5py.Group,
    name: str,
    values: np.ndarray,
    dims: Sequence[str],
    chunks: tuple[int, ...] | None = None,
    /,
    **attributes: Any,
) -> h5py.Dataset:
    """Write an array with checksums and attach the dimension scales named ``dims``, from this group or above.

    Parameters
    ----------
    chunks : tuple of int, optional
        Default: up to 65,536 rows, whole in the other dimensions.
    attributes
        ``units``, ``long_name`` and the like.
    """
    dataset = _create(group, name, values, chunks)
    set_attributes(dataset, attributes)
    for axis, dim in enumerate(dims):
        dataset.dims[axis].attach_scale(_scale(group, dim))
    return dataset


def write_empty(
    group: h5py.Group,
    name: str,
    shape: tuple[int, ...],
    dims: Sequence[str],
    chunks: tuple[int, ...],
    /,
    **attributes: Any,
) -> h5py.Dataset:
    """Make a float64 dataset of nan, to be filled piece by piece."""
    dataset = group.create_dataset(
        name,
        shape=shape,
        dtype="f8",
        fillvalue=np.nan,
        chunks=tuple(max(1, min(size, chunk)) for size, chunk in zip(shape, chunks, strict=True)),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
        fletcher32=True,
        track_times=False,
    )
    set_attributes(dataset, attributes)
    for axis, dim in enumerate(dims):
        dataset.dims[axis].attach_scale(_scale(group, dim))
    return dataset


def write_coordinate(group: h5py.Group, name: str, values: np.ndarray, **attributes: Any) -> None:
    """Write the values of a dimension and make it one."""
    dataset = _create(group, name, values, None)
    set_attributes(dataset, attributes)
    dataset.make_scale(name)


def write_dimension(group: h5py.Group, name: str, length: int) -> None:
    """Make a dimension without values."""
    _create(group, name, np.zeros(length, ">f4"), None).make_scale(f"{_BARE_DIMENSION}{length:10d}")


def _create(group: h5py.Group, name: str, values: np.ndarray, chunks: tuple[int, ...] | None) -> h5py.Dataset:
    shape = values.shape
    wanted = chunks or (_ROWS, *shape[1:])
    return group.create_dataset(
        name,
        data=values,
        chunks=tuple(max(1, min(size, chunk)) for size, chunk in zip(shape, wanted, strict=True)),
        maxshape=None if values.size else (None,) * len(shape),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
        fletcher32=True,
        track_times=False,
    )


def _scale(group: h5py.Group, dim: str) -> h5py.Dataset:
    here: Any = group
    while dim not in here:
        if here.name == "/":
            raise KeyError(f"{group.name}: no dimension {dim!r} here or above")
        here = here.parent
    return here[dim]
