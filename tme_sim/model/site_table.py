"""CSV tables of positions, read to sites with every fault at once as file:line."""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tme_sim.state.grid import Grid

_SHOWN = 50
_COLUMNS = ("x_um", "y_um", "z_um", "type", "id")


class PlacementError(ValueError):
    """The tissue cannot be placed as asked; ``faults`` lists every reason, one line each."""

    def __init__(self, faults: Sequence[str]):
        self.faults = list(faults)
        more = [f"... and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        super().__init__("\n".join(self.faults[:_SHOWN] + more))


@dataclass(frozen=True)
class SiteTable:
    """Rows of a table, in file order.

    Attributes
    ----------
    site : int64 (n,)
        Flat site index.
    type : int16 (n,)
        Index into the cell types, -1 in a table without types.
    id : int64 (n,)
        Ids of the file, -1 where it has none.
    has_z : bool
        Whether the table has a column z_um.
    """

    site: np.ndarray
    type: np.ndarray
    id: np.ndarray
    has_z: bool


def read_sites(path: Path, grid: Grid, types: Sequence[str] | None, *, z_optional: bool = False) -> SiteTable:
    """Read a table with the header ``x_um,y_um[,z_um],type[,id]`` (no type where ``types`` is None).

    Parameters
    ----------
    path : Path
        CSV file, UTF-8.
    grid : Grid
        Positions must lie in it: 0 <= x_um < nx * spacing_um, and so on.
    types : sequence of str or None
        Known cell types.
    z_optional : bool
        Whether z_um may be missing in three dimensions too (the rows are then at z = 0).

    Returns
    -------
    SiteTable

    Raises
    ------
    PlacementError
        With all faults: missing or unknown columns, values that are no finite number, positions outside the
        grid, unknown types, two rows in one site, repeated ids.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PlacementError([f"{path}: {error}; expected a readable CSV file"]) from error
    reader = _Reader(path, grid, types, [name.strip() for name in rows[0]] if rows else [])
    reader.check_header(z_required=grid.shape[0] > 1 and not z_optional)
    for line, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            reader.read(line, [cell.strip() for cell in row])
    if reader.faults:
        raise PlacementError(reader.faults)
    return SiteTable(
        np.array(reader.site, np.int64),
        np.array(reader.type, np.int16),
        np.array(reader.id, np.int64),
        "z_um" in reader.header,
    )


class _Reader:
    def __init__(self, path: Path, grid: Grid, types: Sequence[str] | None, header: list[str]):
        self.path, self.grid, self.header = path, grid, header
        self.types = None if types is None else {name: k for k, name in enumerate(types)}
        self.faults: list[str] = []
        self.site: list[int] = []
        self.type: list[int] = []
        self.id: list[int] = []
        self._line_of_site: dict[int, int] = {}
        self._line_of_id: dict[int, int] = {}

    def check_header(self, *, z_required: bool) -> None:
        """Raise at once on a wrong header: nothing below it could be read."""
        needed = ["x_um", "y_um"] + ["z_um"] * z_required + ["type"] * (self.types is not None)
        allowed = [name for name in _COLUMNS if self.types is not None or name not in ("type", "id")]
        wrong = [f"column {name!r} is missing" for name in needed if name not in self.header]
        wrong += [
            f"unknown column {name!r}{_hint(name, allowed)}" for name in self.header if name not in allowed
        ]
        wrong += [f"column {name!r} repeated" for name in allowed if self.header.count(name) > 1]
        if wrong:
            raise PlacementError(
                [f"{self.path}:1: {what}; expected columns {', '.join(allowed)}" for what in wrong]
            )

    def read(self, line: int, row: list[str]) -> None:
        """Take one row, or note its faults."""
        if len(row) != len(self.header):
            self._fault(line, f"{len(row)} values; expected {len(self.header)}")
            return
        values = dict(zip(self.header, row, strict=True))
        nz, ny, nx = self.grid.shape
        z = self._index(line, values, "z_um", nz)
        y = self._index(line, values, "y_um", ny)
        x = self._index(line, values, "x_um", nx)
        kind = self._type(line, values)
        number = self._id(line, values)
        if z is None or y is None or x is None or kind is None or number is None:
            return
        site = (z * ny + y) * nx + x
        first = self._line_of_site.setdefault(site, line)
        if first != line:
            self._fault(
                line, f"same site as line {first}; expected one row per {self.grid.spacing_um:g} um site"
            )
            return
        self.site.append(site)
        self.type.append(kind)
        self.id.append(number)

    def _fault(self, line: int, what: str) -> None:
        self.faults.append(f"{self.path}:{line}: {what}")

    def _index(self, line: int, values: dict[str, str], name: str, n: int) -> int | None:
        if name not in values:
            return 0
        try:
            um = float(values[name])
        except ValueError:
            um = math.nan
        if not math.isfinite(um):
            self._fault(line, f"{name}: {values[name]!r}; expected a finite number")
            return None
        index = math.floor(um / self.grid.spacing_um)
        if not 0 <= index < n:
            self._fault(
                line, f"{name}: {um:g} is outside the grid; expected 0 to {n * self.grid.spacing_um:g}"
            )
            return None
        return index

    def _type(self, line: int, values: dict[str, str]) -> int | None:
        if self.types is None:
            return -1
        kind = self.types.get(values["type"])
        if kind is None:
            self._fault(line, f"unknown type {values['type']!r}{_hint(values['type'], list(self.types))}")
        return kind

    def _id(self, line: int, values: dict[str, str]) -> int | None:
        if "id" not in values:
            return -1
        try:
            number = int(values["id"])
        except ValueError:
            number = 0
        if not 1 <= number < 2**63:
            self._fault(line, f"id: {values['id']!r}; expected a whole number from 1")
            return None
        first = self._line_of_id.setdefault(number, line)
        if first != line:
            self._fault(line, f"id {number} is also on line {first}; expected each id once")
            return None
        return number


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else f" (known: {', '.join(known)})"
