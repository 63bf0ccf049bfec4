"""The pyramid of lattices of a multigrid cycle, with the links of every level."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.links import Links

CLOSED = 0.1  # of the mean: what closed faces conduct on coarser levels; 0 converges 15 times slower

# Columns of the level table. HALF: places for the sites of one parity in a row; the row stride is 2 * (HALF + 1).
# UNIT: 1 where every link is 1, so that kernels need not read links.
FIRST, NZ, NY, NX, HALF, UNIT = range(6)
# A longer half than SHORT has a multiple of LANES places: whole vectors, no tail one by one.
LANES, SHORT = 32, 8


class Levels:
    """Sizes, places in memory and links of a lattice and of its coarser versions down to one site.

    A level is stored row by row; a row holds its even sites and then its odd ones, each half behind one guard
    element that stays zero: site x = 2 i + o of row r lies at ``FIRST + (2 r + o) (HALF + 1) + 1 + i``. Places
    behind the last site of a half stay zero too. So
    the sites of one colour in a row, their neighbours and their links are all contiguous, and a red-black
    sweep runs at the full width of the vector unit for one species as for ten. Links on missing faces are
    zero. All levels lie in one array, the given lattice first; every level has ceil(n/2) sites where the
    finer one has n > 1.

    Attributes
    ----------
    table : uint64 (n_levels, 6)
        Columns FIRST, NZ, NY, NX, HALF, UNIT (unsigned, since numba vectorises unsigned indices).
    size, fine_size : int
        Elements of all levels, and of the given lattice with its margins.
    start, stop : uint64
        Where the sites of the given lattice lie.
    links : float64 (4, size)
        Row 0: faces between 2i and 2i+1 in the even half of a row, between 2i+1 and 2i+2 in the odd half;
        rows 1 and 2: faces towards y+1 and z+1 at the site's place; row 3: sum over the faces of a site. A
        coarse face is the mean of the fine faces that lie on it; missing ones count as zero, so that
        half-sites at an odd edge are half as wide.
    single : float32 (4, size)
        The same in single precision.
    well_places, well_factors : uint64, float64 (n_wells,)
        Where every link is a product s_i s_j of its sites' factors, as around vessels one site wide: the sites whose
        factor is not 1, as places in a plane, and s. The finest level is then UNIT: u' = s u solves a system whose
        links are all 1 (`stencil.scale_wells`), and coarser levels, which only correct, take no note of s.
    """

    def __init__(self, shape: tuple[int, int, int], links: Links):
        shapes = [shape]
        while max(shapes[-1]) > 1:
            nz, ny, nx = shapes[-1]
            shapes.append(((nz + 1) // 2, (ny + 1) // 2, (nx + 1) // 2))
        rows: list[tuple[int, ...]] = []
        end = 0
        for nz, ny, nx in shapes:
            half = (nx + 1) // 2
            half = -(-half // LANES) * LANES if half > SHORT else half
            row = 2 * (half + 1)
            margin = row * (ny if nz > 1 else 1)
            rows.append((end + margin, nz, ny, nx, half, 0))
            end += 2 * margin + row * ny * nz + 1
            end += -end % 8
        self.shapes = shapes
        self.table = np.array(rows, np.uint64)
        self.size = end
        self.fine_size = int(rows[1][0] if len(rows) > 1 else end)
        _, nz, ny, _, half, _ = rows[0]
        self.start = np.uint64(rows[0][0])
        self.stop = np.uint64(rows[0][0] + nz * ny * 2 * (half + 1))
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
        shape = self.shapes[0]
        numbered = np.zeros(self.size)
        self._split(0, shape, np.arange(1.0, np.prod(shape) + 1.0).reshape(shape), numbered)
        site_at = numbered[int(self.start) : int(self.stop)].astype(np.int64) - 1
        places = np.empty(int(np.prod(shape)), np.int64)
        places[site_at[site_at >= 0]] = np.flatnonzero(site_at >= 0)
        return places, np.flatnonzero(site_at < 0)

    def set_links(self, links: Links) -> None:
        """Store the links of the finest level and derive those of the coarser ones."""
        links.check(self.shapes[0])
        faces = [np.asarray(face, np.float64) for face in (links.x, links.y, links.z)]
        factors = _site_factors(faces, self.shapes[0])
        self.well_places, self.well_factors = self._wells(factors)
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
        sites = np.flatnonzero(factors != 1.0)
        places, _ = self.places()
        return (places[sites] + int(self.start)).astype(np.uint64), factors.reshape(-1)[sites]

    def _store(self, level: int, shape: tuple[int, int, int], faces: list[np.ndarray]) -> None:
        total = np.zeros(shape)
        for target, face, axis in zip(self.links[:3], faces, (2, 1, 0), strict=True):
            padded = np.zeros(shape)
            low, high = _sides(axis)
            padded[low] = face
            total[low] += face
            total[high] += face
            self._split(level, shape, padded, target)
        self._split(level, shape, total, self.links[3])

    def _split(self, level: int, shape: tuple[int, int, int], values: np.ndarray, out: np.ndarray) -> None:
        first, half = int(self.table[level, FIRST]), int(self.table[level, HALF])
        nz, ny, nx = shape
        rows = out[first : first + nz * ny * 2 * (half + 1)].reshape(nz, ny, 2, half + 1)
        rows[:, :, 0, 1 : 1 + (nx + 1) // 2] = values[:, :, 0::2]
        rows[:, :, 1, 1 : 1 + nx // 2] = values[:, :, 1::2]


def _sides(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the sites on the lower and on the upper side of the faces across ``axis``."""
    low, high = [slice(None)] * 3, [slice(None)] * 3
    low[axis], high[axis] = slice(0, -1), slice(1, None)
    return tuple(low), tuple(high)


def _site_factors(faces: list[np.ndarray], shape: tuple[int, int, int]) -> np.ndarray | None:
    """Return s > 0 of each site when every link is s_i s_j with s = 1 beside every s other than 1, else None."""
    least, most = np.full(shape, np.inf), np.zeros(shape)
    for face, axis in zip(faces, (2, 1, 0), strict=True):
        for side in _sides(axis):
            least[side] = np.minimum(least[side], face)
            most[side] = np.maximum(most[side], face)
    factors = np.where((least == most) & (most > 0.0), most, 1.0)
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
            width = [(0, 0)] * 3
            width[other] = (0, coarse.shape[other] % 2)
            padded = np.pad(coarse, width)
            even, odd = [slice(None)] * 3, [slice(None)] * 3
            even[other], odd[other] = slice(0, None, 2), slice(1, None, 2)
            coarse = 0.5 * (padded[tuple(even)] + padded[tuple(odd)])
    # The correction is interpolated across closed faces too, so what lies behind one must follow its
    # neighbours somewhat. This changes how fast a solve converges, never what it converges to.
    return np.where(coarse == 0.0, CLOSED * coarse.mean(), coarse) if coarse.size else coarse
