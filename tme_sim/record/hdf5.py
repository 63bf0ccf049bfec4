"""Datasets, dimensions and attributes in the netCDF-4 habit, all checksummed and of fixed length.

A run file holds many small datasets, so that HDF5 is called directly: h5py's comfort takes three times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import h5py
import numpy as np

_ROWS = 65536
_BARE_DIMENSION = "This is a netCDF dimension but not a netCDF variable."
_SCALES = np.dtype(h5py.vlen_dtype(h5py.ref_dtype))
_USE = np.dtype([("dataset", h5py.ref_dtype), ("dimension", np.uint32)], align=True)


def text_array(values: Sequence[str]) -> np.ndarray:
    """Return texts as fixed-length UTF-8 bytes, (n,)."""
    raw = [value.encode() for value in values]
    return np.array(raw, dtype=h5py.string_dtype("utf-8", max([1, *map(len, raw)])))


@contextmanager
def building(target: Any) -> Iterator[Branch]:
    """Yield the root of a new HDF5 file, which is written to ``target``, a file or a path, by the end of the block."""
    with h5py.File(target, "w", libver="latest") as file:
        root = Branch(file)
        yield root
        root.list_uses()


class Branch:
    """A group under construction, with the dimensions that its datasets and those below may name."""

    def __init__(self, group: h5py.Group, above: Branch | None = None):
        self.group, self.above = group, above
        self._scales: dict[str, _Scale] = {}
        self._below: list[Branch] = []

    def branch(self, name: str) -> Branch:
        """Return a new group in this one."""
        self._below.append(Branch(self.group.create_group(name, track_order=True), self))
        return self._below[-1]

    def describe(self, **attributes: Any) -> None:
        """Write attributes of the group; texts as fixed-length UTF-8."""
        _describe(self.group.id, attributes)

    def write(
        self,
        name: str,
        values: np.ndarray,
        dims: Sequence[str],
        chunks: tuple[int, ...] | None = None,
        /,
        **attributes: Any,
    ) -> None:
        """Write an array with checksums and attach the dimensions ``dims``, of this group or above.

        Parameters
        ----------
        chunks : tuple of int, optional
            Default: up to 65,536 rows, whole in the other dimensions.
        attributes
            ``units``, ``long_name`` and the like.
        """
        dataset = self._create(name, values, chunks)
        _describe(dataset, attributes)
        self._attach(dataset, dims)

    def write_empty(
        self,
        name: str,
        shape: tuple[int, ...],
        dims: Sequence[str],
        chunks: tuple[int, ...],
        /,
        **attributes: Any,
    ) -> None:
        """Make a float64 dataset of nan, to be filled by `write_rows`."""
        layout = _layout(_within(shape, chunks)).copy()
        layout.set_fill_value(np.array(np.nan))
        dataset = h5py.h5d.create(
            self.group.id,
            name.encode(),
            h5py.h5t.IEEE_F64LE,
            h5py.h5s.create_simple(shape),
            layout,
            _links(),
            _unbuffered(),
        )
        _describe(dataset, attributes)
        self._attach(dataset, dims)

    def write_rows(self, name: str, start: int, values: np.ndarray) -> None:
        """Write float64 rows of a dataset from row ``start``.

        It is opened for that alone: with hundreds of open datasets HDF5 takes a millisecond to close any file.
        """
        dataset = h5py.h5d.open(self.group.id, name.encode(), _unbuffered())
        there = dataset.get_space()
        there.select_hyperslab((start, *(0,) * (values.ndim - 1)), values.shape)
        rows = np.ascontiguousarray(values)
        dataset.write(h5py.h5s.create_simple(values.shape), there, rows, h5py.h5t.NATIVE_DOUBLE)

    def write_coordinate(self, name: str, values: np.ndarray, **attributes: Any) -> None:
        """Write the values of a dimension and make it one."""
        dataset = self._create(name, values, None)
        _describe(dataset, attributes)
        self._scales[name] = _Scale(dataset, name)

    def write_dimension(self, name: str, length: int) -> None:
        """Make a dimension without values."""
        dataset = self._create(name, np.zeros(length, ">f4"), None)
        self._scales[name] = _Scale(dataset, f"{_BARE_DIMENSION}{length:10d}")

    def list_uses(self) -> None:
        """Write on each dimension which datasets have it; once at the end, as the list is long."""
        for scale in self._scales.values():
            scale.list_uses()
        for branch in self._below:
            branch.list_uses()

    def _create(self, name: str, values: np.ndarray, chunks: tuple[int, ...] | None) -> Any:
        shape, kind = values.shape, _kind(values.dtype)
        space = h5py.h5s.create_simple(shape, None if values.size else (h5py.h5s.UNLIMITED,) * len(shape))
        layout = _layout(_within(shape, chunks or (_ROWS, *shape[1:])))
        dataset = h5py.h5d.create(self.group.id, name.encode(), kind, space, layout, _links())
        if values.size:
            dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(values), kind)
        return dataset

    def _attach(self, dataset: Any, dims: Sequence[str]) -> None:
        scales = [self._scale(dim) for dim in dims]
        references = np.empty(len(scales), _SCALES)
        own = h5py.h5r.create(dataset, b".", h5py.h5r.OBJECT)
        for axis, scale in enumerate(scales):
            references[axis] = scale.reference
            scale.uses.append((own, axis))
        _describe(dataset, {"DIMENSION_LIST": references})

    def _scale(self, dim: str) -> _Scale:
        if dim in self._scales:
            return self._scales[dim]
        if self.above is None:
            raise KeyError(f"no dimension {dim!r}")
        return self.above._scale(dim)


class _Scale:
    """A dimension, and the datasets and axes that have it."""

    def __init__(self, dataset: Any, title: str):
        self.dataset = dataset
        self.uses: list[tuple[Any, int]] = []
        self.reference = np.array([h5py.h5r.create(dataset, b".", h5py.h5r.OBJECT)], h5py.ref_dtype)
        h5py.h5ds.set_scale(dataset, title.encode())

    def list_uses(self) -> None:
        if self.uses:
            _describe(self.dataset, {"REFERENCE_LIST": np.array(self.uses, _USE)})


def _describe(target: Any, attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        if isinstance(value, str):
            raw = value.encode()
            kind = _text_kind(max(1, len(raw)))
            h5py.h5a.create(target, name.encode(), kind, h5py.h5s.create(h5py.h5s.SCALAR)).write(
                np.array(raw or b"\0"), kind
            )
        else:
            values = np.asarray(value)
            space = h5py.h5s.create_simple(values.shape) if values.shape else h5py.h5s.create(h5py.h5s.SCALAR)
            h5py.h5a.create(target, name.encode(), _kind(values.dtype), space).write(values)


@cache
def _text_kind(n_bytes: int) -> Any:
    return _kind(h5py.string_dtype("utf-8", n_bytes))


def _kind(dtype: np.dtype) -> Any:
    return h5py.h5t.py_create(dtype, logical=True)


@cache
def _layout(chunks: tuple[int, ...]) -> Any:
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_chunk(chunks)
    layout.set_fill_time(h5py.h5d.FILL_TIME_IFSET)
    layout.set_shuffle()
    layout.set_deflate(1)
    layout.set_fletcher32()
    layout.set_obj_track_times(False)
    return layout


@cache
def _links() -> Any:
    links = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    links.set_create_intermediate_group(True)
    links.set_char_encoding(h5py.h5t.CSET_UTF8)
    return links


@cache
def _unbuffered() -> Any:
    """Return access that keeps no chunk in memory: those of hundreds of open datasets would take a gigabyte."""
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(1, 0, 1.0)
    return access


def _within(shape: tuple[int, ...], chunks: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(max(1, min(size, chunk)) for size, chunk in zip(shape, chunks, strict=True))
