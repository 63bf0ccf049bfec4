"""The pyramid of lattices of a multigrid cycle, with the links of every level."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tme_sim.numerics.links import Links
from tme_sim.numerics.transfer import WHOLE

MILD = 1.5  # site factors up to it, or down to its inverse, are scaled away; 2.5 would triple the iterations
CUT = 0.01  # of the mean: what conducts less parts the lattice, see `Levels.parts`
CLOSED = 0.1  # of the mean: what closed faces conduct on coarser levels; 0 converges 15 times slower

# Columns of the level table. UNIT: 1 where every link is 1, so that kernels need not read links.
FIRST, SPAN, COUNT, ROW, PLANE, NZ, NY, NX, UNIT = range(9)
LANES = 32  # COUNT is a multiple of it: whole vectors, no tail one by one


class Levels:
    """Sizes, places in memory and links of a lattice and of its coarser versions down to one site.

    A level holds its red sites (x + y + z even) and, SPAN later, its black ones. Within its colour a site lies at
    ``z PLANE + y ROW + (x + y + z) // 2`` behind FIRST. Rows so lie askew, each half a place further than the one
    before, and that gives all sites of a colour their neighbours at the same distances: with a = 0 for a red site
    and 1 for a black one, its lower neighbours in the other colour lie at a - 1, a - 1 - ROW and a - 1 - PLANE from its
    own place, the upper ones at a, a + ROW and a + PLANE. A red-black sweep is one loop over a level, at the full width
    of the vector unit on the finest lattice and on coarse ones. Between rows, planes and colours lie places without a
    site that stay zero and stand for what is outside. All levels lie in one array, the given lattice first; every level
    has ceil(n/2) sites where the finer one has n > 1.

    Attributes
    ----------
    table : uint64 (n_levels, 9)
        Columns FIRST, SPAN, COUNT (places of a colour to go through), ROW, PLANE, NZ, NY, NX, UNIT; unsigned, since
        numba vectorises unsigned indices.
    size, fine_size : int
        Elements of all levels, and of the given lattice with its margins.
    start, stop : uint64
        Where the sites of the given lattice lie.
    links : float64 (4, size)
        Rows 0 to 2: faces towards x+1, y+1 and z+1 at the site's place; row 3: sum over the faces of a site. A
        coarse face is the mean of the fine faces that lie on it; missing ones count as zero, so that
        half-sites at an odd edge are half as wide.
    single : float32 (4, size)
        The same in single precision.
    well_places, well_factors : uint64, float64 (n_wells,)
        Where every link is a product s_i s_j of its sites' factors, none of them beyond `MILD`, as around vessels
        one site wide: the sites whose factor is not 1, as places in a plane, and s. The finest level is then UNIT:
        u' = s u solves a system whose links are all 1 (`linear.scale_wells`), and coarser levels, which only
        correct, take no note of s.
    parts : uint32 (fine_size,), or empty where the lattice hangs together
        Number of the part of every place, where faces that conduct less than `CUT` are taken for closed; places
        without a site belong to the last.
    leaks : float64 (n_parts,)
        Sum of the links between a part and others.
    """

    def __init__(self, shape: tuple[int, int, int], links: Links):
        self.shapes = [shape]
        while max(self.shapes[-1]) > 1:
            nz, ny, nx = self.shapes[-1]
            self.shapes.append(((nz + 1) // 2, (ny + 1) // 2, (nx + 1) // 2))
        rows: list[tuple[int, ...]] = []
        end = 0
        for nz, ny, nx in self.shapes:
            row = (nx + 1) // 2 + 1
            plane = (ny + 1) * row + ny // 2 + 1 if nz > 1 else 0
            last = (nz - 1) * plane + (ny - 1) * row + (nx + ny + nz - 3) // 2
            count, margin = multiple_of(LANES, last + 1), multiple_of(LANES, max(row, plane) + 1)
            span = margin + count
            rows.append((end + margin, span, count, row, plane, nz, ny, nx, 0))
            end += 2 * span + margin
        self.table = np.array(rows, np.uint64)
        self.size = end + int(WHOLE)  # loops over whole vectors read on behind the last level
        self.fine_size = int(rows[1][FIRST] if len(rows) > 1 else end)
        first, span, count = rows[0][:3]
        self.start, self.stop = np.uint64(first), np.uint64(first + span + count)
        self._places = [_places(row, shape) for row, shape in zip(rows, self.shapes, strict=True)]
        self.links, self.single = np.zeros((4, end)), np.zeros((4, end), np.float32)
        self.set_links(links)

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return where sites lie in a plane of the finest level, and what lies between them.

        Returns
        -------
        places : int64 (n_sites,)
            Relative to ``start``.
        gaps : int64
            Places from ``start`` to ``stop`` that hold no site and must stay zero.
        """
        places = self._places[0].reshape(-1) - int(self.start)
        free = np.ones(int(self.stop - self.start), bool)
        free[places] = False
        return places, np.flatnonzero(free)

    def set_links(self, links: Links) -> None:
        """Store the links of the finest level and derive those of the coarser ones."""
        links.check(self.shapes[0])
        faces = [np.asarray(face, np.float64) for face in (links.x, links.y, links.z)]
        factors = _site_factors(faces, self.shapes[0])
        self.well_places, self.well_factors = self._wells(factors)
        self.parts, self.leaks = self._parted(faces)
        for level, shape in enumerate(self.shapes):
            self._store(level, shape, faces)
            if level == 0 and factors is not None:
                self.table[0, UNIT] = 1
                faces = [np.ones_like(face) for face in faces]
            else:
                self.table[level, UNIT] = all((face == 1.0).all() for face in faces)
            faces = [_coarsen(face, axis, shape) for face, axis in zip(faces, (2, 1, 0), strict=True)]
        self.single[:] = self.links

    def _wells(self, factors: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        if factors is None or not (factors != 1.0).any():
            return np.zeros(0, np.uint64), np.zeros(0)
        wells = factors != 1.0
        return self._places[0][wells].astype(np.uint64), factors[wells]

    def _parted(self, faces: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        weights = np.concatenate([face.reshape(-1) for face in faces])
        closed = weights < CUT * weights.mean() if weights.size else np.zeros(0, bool)
        if not closed.any():
            return np.zeros(0, np.uint32), np.zeros(0)
        sites = np.arange(np.prod(self.shapes[0])).reshape(self.shapes[0])
        low, high = (
            np.concatenate([sites[_sides(axis)[side]].reshape(-1) for axis in (2, 1, 0)]) for side in (0, 1)
        )
        open_faces = (np.ones(np.count_nonzero(~closed)), (low[~closed], high[~closed]))
        n_parts, part = connected_components(coo_array(open_faces, (sites.size, sites.size)), directed=False)
        if n_parts == 1:
            return np.zeros(0, np.uint32), np.zeros(0)
        across = part[low] != part[high]
        leaks = np.zeros(n_parts + 1)
        for side in (low, high):
            np.add.at(leaks, part[side[across]], weights[across])
        parts = np.full(self.fine_size, n_parts, np.uint32)
        parts[self._places[0].reshape(-1)] = part
        return parts, leaks

    def _store(self, level: int, shape: tuple[int, int, int], faces: list[np.ndarray]) -> None:
        places, total = self._places[level], np.zeros(shape)
        for target, face, axis in zip(self.links[:3], faces, (2, 1, 0), strict=True):
            low, high = _sides(axis)
            total[low] += face
            total[high] += face
            target[places[low]] = face
        self.links[3][places] = total


def multiple_of(width: int, n: int) -> int:
    """Return the next multiple of ``width`` from ``n`` on."""
    return -(-n // width) * width


def _places(row: tuple[int, ...], shape: tuple[int, int, int]) -> np.ndarray:
    """Return where the sites of a level lie in the array of all levels, int64 (nz, ny, nx)."""
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    colour = (x + y + z) % 2
    return row[FIRST] + colour * row[SPAN] + z * row[PLANE] + y * row[ROW] + (x + y + z) // 2


def _sides(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the sites on the lower and on the upper side of the faces across ``axis``."""
    low, high = [slice(None)] * 3, [slice(None)] * 3
    low[axis], high[axis] = slice(0, -1), slice(1, None)
    return tuple(low), tuple(high)


def _site_factors(faces: list[np.ndarray], shape: tuple[int, int, int]) -> np.ndarray | None:
    """Return s of each site when every link is s_i s_j with s = 1 beside every s other than 1, else None.

    None too where some s is beyond `MILD`.
    """
    least, most = np.full(shape, np.inf), np.zeros(shape)
    for face, axis in zip(faces, (2, 1, 0), strict=True):
        for side in _sides(axis):
            least[side] = np.minimum(least[side], face)
            most[side] = np.maximum(most[side], face)
    factors = np.where((least == most) & (most > 0.0), most, 1.0)
    if factors.max() > MILD or factors.min() < 1.0 / MILD:
        return None
    for face, axis in zip(faces, (2, 1, 0), strict=True):
        low, high = _sides(axis)
        if not np.array_equal(face, factors[low] * factors[high]):
            return None
    return factors


def _coarsen(face: np.ndarray, axis: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Return the links of the next level: every second face along ``axis``, mean over the others."""
    along = [slice(None)] * 3
    along[axis] = slice(1, None, 2)
    coarse = face[tuple(along)]
    for other in range(3):
        if other != axis and shape[other] > 1:
            even, odd, paired = [slice(None)] * 3, [slice(None)] * 3, [slice(None)] * 3
            even[other], odd[other] = slice(0, None, 2), slice(1, None, 2)
            paired[other] = slice(coarse.shape[other] // 2)
            mean = 0.5 * coarse[tuple(even)]
            mean[tuple(paired)] += 0.5 * coarse[tuple(odd)]
            coarse = mean
    # The correction is interpolated across closed faces too, so what lies behind one must follow its
    # neighbours somewhat. This changes how fast a solve converges, never what it converges to.
    return np.where(coarse == 0.0, CLOSED * coarse.mean(), coarse) if coarse.size else coarse
