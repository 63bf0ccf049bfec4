"""Cells as one array per attribute, at most one cell per site."""

from __future__ import annotations

import numpy as np

from tme_sim.state.codes import ALIVE, EMPTY
from tme_sim.state.layout import Layout

_SCALARS: dict[str, type] = {
    "id": np.int64,  # given once, never reused
    "parent": np.int64,  # id of the mother, -1 for a founder
    "founder": np.int64,  # id of the founder of the clone
    "lineage": np.uint64,  # key of the cell's random numbers
    "births": np.int32,  # daughters so far
    "generation": np.int32,  # divisions since the founder
    "type": np.int16,  # index into layout.cell_types
    "site": np.int64,  # flat lattice index
    "born_min": np.float64,
    "stage": np.int8,  # codes.G1, S, G2M or NO_CYCLE
    "stage_left_min": np.float64,  # time left in S or G2M
    "death": np.int8,  # codes.ALIVE or the cause
    "died_min": np.float64,
    "clone": np.int16,  # codes.NO_CLONE or 1 + index into layout.clones
    "barcode": np.int64,  # mark of the founder, inherited unchanged
}


class Cells:
    """Columns of cells; row order carries no meaning.

    ``cells["site"]`` is a live view of the first ``n`` rows. Matrix columns: ``variables`` (n, n_variables),
    ``cargo`` (units held), ``docked`` (vesicles, per pool), ``load`` (drug in docked vesicles, nM times site
    volumes), ``drug`` (nM times site volumes held), ``damage`` (dimensionless, per drug), ``exposure`` (nM·min,
    time integral of drug held), ``traits`` (heritable, as expressed) and ``scores`` (their standard normal
    deviates). In memory a matrix lies column after column: processes go through one column at a time.
    ``occupant`` maps every site to its row, -1 where empty; living cells and the remains of dead ones
    both hold a site.

    Attributes
    ----------
    epoch : int
        Raised whenever rows move, appear or vanish; cached row numbers are valid for one epoch.
    """

    def __init__(self, layout: Layout, n_sites: int, capacity: int = 1024):
        self.layout = layout
        self.n = 0
        self.next_id = 1
        self.epoch = 0
        self.occupant = np.full(n_sites, EMPTY, np.int32)
        widths = {
            "variables": len(layout.variables),
            "cargo": len(layout.cargo),
            "docked": len(layout.pools),
            "load": len(layout.loads),
            "drug": len(layout.drugs),
            "damage": len(layout.drugs),
            "exposure": len(layout.drugs),
            "traits": len(layout.traits),
            "scores": len(layout.traits),
        }
        self._columns: dict[str, np.ndarray] = {
            **{name: np.zeros(capacity, dtype) for name, dtype in _SCALARS.items()},
            **{name: np.zeros((width, capacity)).T for name, width in widths.items()},
        }
        self._row_of_id: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name][: self.n]

    def whole(self, name: str) -> np.ndarray:
        """Return the memory of a matrix column, float64 (width, >= n), C-contiguous: one row per variable, say.

        Kernels take it so that they are compiled once; what lies beyond the first n of a row has no meaning.
        """
        return self._columns[name].T

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(self._columns)

    def column(self, name: str) -> np.ndarray | None:
        """Return the (n,) values of a scalar column, or of one variable, cargo, drug, pool or trait by its own name.

        A name held by several groups is looked up as variable first, then cargo, drug, pool (docked), trait.
        """
        if name in _SCALARS:
            return self[name]
        for group, names in (*self.named_groups(), ("traits", self.layout.traits)):
            if name in names:
                return self[group][:, names.index(name)]
        return None

    def named_groups(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return (matrix column, names of its columns), in look-up order."""
        lay = self.layout
        return (
            ("variables", lay.variables),
            ("cargo", lay.cargo),
            ("drug", lay.drugs),
            ("docked", lay.pools),
        )

    def append(self, site: np.ndarray, **values: np.ndarray | float) -> np.ndarray:
        """Add cells at free, distinct sites; return their rows.

        Ids are given in ascending site order, so that they do not depend on the order of the rows.
        """
        k = len(site)
        self._reserve(k)
        rows = np.arange(self.n, self.n + k)
        for name, column in self._columns.items():
            column[rows] = values.get(name, 0)
        self.n += k
        self["site"][rows] = site
        order = np.argsort(site, kind="stable")
        self["id"][rows[order]] = np.arange(self.next_id, self.next_id + k)
        self.next_id += k
        self.occupant[site] = rows
        self.epoch += 1
        return rows

    def remove(self, rows: np.ndarray) -> None:
        """Take rows out and free their sites; the last rows fill the holes."""
        rows = np.asarray(rows, np.int64)
        if len(rows) == 0:
            return
        self.occupant[self["site"][rows]] = EMPTY
        keep = np.ones(self.n, bool)
        keep[rows] = False
        left = self.n - len(rows)
        holes = np.flatnonzero(~keep[:left])
        movers = left + np.flatnonzero(keep[left:])
        for column in self._columns.values():
            column[holes] = column[movers]
        self.n = left
        self.occupant[self["site"][holes]] = holes
        self.epoch += 1

    def move(self, rows: np.ndarray, sites: np.ndarray) -> None:
        """Move cells to sites that are free once all movers have left theirs."""
        self.occupant[self["site"][rows]] = EMPTY
        self["site"][rows] = sites
        self.occupant[sites] = rows
        self.epoch += 1

    def permute(self, order: np.ndarray) -> None:
        """Reorder rows; no result may depend on it."""
        for column in self._columns.values():
            for line in np.atleast_2d(column.T):  # one stretch of memory each
                line[: self.n] = line[order]
        self.occupant[self["site"]] = np.arange(self.n, dtype=np.int32)
        self.epoch += 1

    def sort_by_site(self) -> None:
        """Make neighbours in space neighbours in memory."""
        order = self.occupant[self.occupant >= 0]
        if np.any(np.diff(order) != 1):
            self.permute(order)

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """Return the row of every id, -1 where no such cell is left."""
        if self._row_of_id is None or self._row_of_id[0] != self.epoch:
            row_of_id = np.full(self.next_id, -1)
            row_of_id[self["id"]] = np.arange(self.n)
            self._row_of_id = (self.epoch, row_of_id)
        known = (ids >= 0) & (ids < self.next_id)
        return np.where(known, self._row_of_id[1][np.where(known, ids, 0)], -1)

    def rows_in_site_order(self) -> np.ndarray:
        """Return all rows ordered by site: the order in which sums over cells run."""
        return self.occupant[self.occupant >= 0]

    def alive(self) -> np.ndarray:
        """Return a bool mask (n,) of living cells."""
        return self["death"] == ALIVE

    def of_type(self, name: str, *, alive_only: bool = True) -> np.ndarray:
        """Return a bool mask (n,) of cells of a type."""
        mask = self["type"] == self.layout.cell_types.index(name)
        return mask & self.alive() if alive_only else mask

    def _reserve(self, extra: int) -> None:
        capacity = len(self._columns["id"])
        if self.n + extra <= capacity:
            return
        new = max(2 * capacity, self.n + extra)
        for name, column in self._columns.items():
            grown = np.zeros((*column.shape[:0:-1], new), column.dtype).T
            grown[: self.n] = column[: self.n]
            self._columns[name] = grown

    def __getstate__(self) -> dict:
        state = self.__dict__.copy()
        state["_columns"] = {name: column[: self.n].copy(order="F") for name, column in self._columns.items()}
        state["_row_of_id"] = None
        return state
