"""The tubes between living vessel cells as a graph on rows of cells, and which of them blood flows through."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tme_sim.numerics.lattice import directions
from tme_sim.numerics.through_paths import neighbour_lists, on_through_path
from tme_sim.state.codes import ALIVE
from tme_sim.state.tissue import Tissue
from tme_sim.state.vasculature import Vasculature, sorted_links


@dataclass
class VesselNetwork:
    """A graph that can grow; rows are those of `tissue.cells`, valid while no cell leaves the table.

    Attributes
    ----------
    rows : int64 (n,)
        Living vessel cells in site order.
    pairs : int64 (k, 2)
        Links between living vessel cells, as places in ``rows``.
    root : bool (n,)
    """

    rows: np.ndarray
    pairs: np.ndarray
    root: np.ndarray
    open_roots: bool
    start: np.ndarray = field(init=False)
    neighbour: np.ndarray = field(init=False)
    _added: dict[int, list[int]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.start, self.neighbour = neighbour_lists(len(self.rows), self.pairs)

    @cached_property
    def _place(self) -> dict[int, int]:
        return {row: k for k, row in enumerate(self.rows.tolist())}

    @cached_property
    def _roots(self) -> set[int]:
        return set(self.rows[self.root].tolist())

    @classmethod
    def of(cls, tissue: Tissue, vasculature: Vasculature) -> VesselNetwork:
        """Return the network of the cells that live now; links and roots of others are left out."""
        cells = tissue.cells
        rows = cells.rows_in_site_order()
        rows = rows[(cells["type"][rows] == vasculature.cell_type) & (cells["death"][rows] == ALIVE)]
        place = np.full(cells.n + 1, -1)
        place[rows] = np.arange(len(rows))
        ends = place[cells.rows_of(vasculature.links.ravel())].reshape(-1, 2)
        root = np.zeros(cells.n + 1, bool)
        root[cells.rows_of(vasculature.roots)] = True
        return cls(
            rows=rows.astype(np.int64),
            pairs=ends[(ends >= 0).all(axis=1)],
            root=root[rows],
            open_roots=tissue.grid.shape[0] == 1,
        )

    def perfused(self) -> np.ndarray:
        """Return the rows that blood flows through: those on a path between two roots.

        In a section a root crosses the plane and is perfused on its own.
        """
        return self.rows[on_through_path(self.start, self.neighbour, self.root, open_roots=self.open_roots)]

    def around(self, row: int) -> list[int]:
        """Return the rows linked to a row."""
        k = self._place.get(row)
        first = [] if k is None else self.rows[self.neighbour[self.start[k] : self.start[k + 1]]].tolist()
        return first + self._added.get(row, [])

    def within(self, row: int, reach: int) -> set[int]:
        """Return the rows at most ``reach`` links away, the row itself included."""
        seen, edge = {row}, [row]
        while edge and reach > 0:
            edge = list({b for a in edge for b in self.around(a)} - seen)
            seen.update(edge)
            reach -= 1
        return seen

    def tips(self) -> np.ndarray:
        """Return the rows that were tips when the network was made: one link and no root."""
        return self.rows[(np.diff(self.start) == 1) & ~self.root]

    def is_tip(self, row: int) -> bool:
        """Return whether a row is the end of a sprout now."""
        return row not in self._roots and len(self.around(row)) == 1

    def add(self, a: int, b: int) -> None:
        """Link two rows, the second of which may be new."""
        self._added.setdefault(a, []).append(b)
        self._added.setdefault(b, []).append(a)

    def links(self, ids: np.ndarray) -> np.ndarray:
        """Return all links between ids, as `Vasculature` keeps them; ``ids`` are those of all rows."""
        old = self.rows[self.pairs].reshape(-1, 2)
        new = np.array([(a, b) for a, ends in self._added.items() for b in ends], np.int64).reshape(-1, 2)
        both = ids[np.concatenate([old, new])]
        return sorted_links(both[:, 0], both[:, 1])


def first_vasculature(tissue: Tissue, cell_type: int) -> Vasculature:
    """Return how the first vessels hang together.

    In a section they cross the plane: all are roots and none is linked. In three dimensions vessel cells at
    neighbouring sites (26) are linked, and those on a face of the lattice are roots.
    """
    cells, shape = tissue.cells, tissue.grid.shape
    rows = np.flatnonzero(cells["type"] == cell_type)
    sites, ids = cells["site"][rows], cells["id"][rows]
    if shape[0] == 1:
        return Vasculature(cell_type, np.zeros((0, 2), np.int64), np.sort(ids))
    at = np.stack(np.unravel_index(sites, shape), axis=1)
    on_face = ((at == 0) | (at == np.array(shape) - 1)).any(axis=1)
    id_at = np.zeros(shape, np.int64)
    id_at[tuple(at.T)] = ids
    pairs = []
    for step in directions(shape, moore=True):
        to = at + step
        inside = ((to >= 0) & (to < shape)).all(axis=1)
        met = id_at[tuple(to[inside].T)]
        pairs.append(np.stack([ids[inside][met > 0], met[met > 0]], axis=1))
    every = np.concatenate(pairs)
    return Vasculature(cell_type, sorted_links(every[:, 0], every[:, 1]), np.sort(ids[on_face]))
