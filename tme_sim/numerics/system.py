"""Solves all species of a system one by one, sharing them out over threads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tme_sim.numerics import conjugate
from tme_sim.numerics.errors import CONVERGED, NOT_FINITE
from tme_sim.numerics.jit import side_by_side
from tme_sim.numerics.levels import COUNT, NX, NY, NZ, Levels, multiple_of
from tme_sim.numerics.linear import solve_linear
from tme_sim.numerics.planes import linearise
from tme_sim.numerics.stencil import LANES, largest_size
from tme_sim.numerics.transfer import WHOLE

NEWTON_REDUCTION = 0.03  # each Newton step solves its linear system to this share of its first error
SINK, TANGENT, BEFORE = range(3, 6)  # rows of the double precision vectors behind those of `linear`


@dataclass(frozen=True)
class Work:
    """Work arrays of one thread.

    Attributes
    ----------
    planes : float64 (4, n_chunk, fine_size)
        Diagonal, right-hand side, solution and saturable uptake of the species in hand.
    vectors : float64 (6, fine_size)
        Vectors of `linear` and of Newton's method.
    single : float32 (conjugate.N_VECTORS, size)
        Vectors of the iteration, over all levels.
    scratch, scratch_single : float64 (5, lanes), float32 (3, places of a colour)
        Places in passing.
    rows : float32 (nz ny, row)
        Rows of the finest level, coarse along x.
    kept : float64 (n_sites,)
        Right-hand sides at wells.
    """

    planes: np.ndarray
    vectors: np.ndarray
    single: np.ndarray
    scratch: np.ndarray
    scratch_single: np.ndarray
    rows: np.ndarray
    kept: np.ndarray

    @classmethod
    def empty(cls, levels: Levels, n_chunk: int) -> Work:
        """Return zeroed arrays; the guard elements of the layout rely on the zeros."""
        nz, ny, nx = (int(n) for n in levels.table[0, [NZ, NY, NX]])
        coarse = (nx + 1) // 2
        whole = int(WHOLE)
        row = 1 + max(2 * multiple_of(whole, (coarse + 1) // 2) + 1, multiple_of(whole, coarse + 2))
        lanes = max(int(LANES), row)
        colour = int(levels.table[0, COUNT]) + whole + 2
        return cls(
            np.zeros((4, n_chunk, levels.fine_size)),
            np.zeros((6, levels.fine_size)),
            np.zeros((conjugate.N_VECTORS, levels.size), np.float32),
            np.zeros((5, lanes)),
            np.zeros((3, max(lanes, colour)), np.float32),
            np.zeros((nz * ny, row), np.float32),
            np.zeros(nz * ny * nx),
        )


class Systems(Protocol):
    """Where the linear systems of a solve come from and where solutions go.

    Threads load and store different species at the same time.

    Attributes
    ----------
    chunk : int
        Species loaded together.
    saturable : bool
        Whether the fourth plane is a saturable uptake for the solver to add; else it is not looked at.
    """

    @property
    def chunk(self) -> int: ...  # noqa: D102 - described above

    @property
    def saturable(self) -> bool: ...  # noqa: D102

    def load(self, first: int, count: int, out_planes: np.ndarray) -> None:
        """Write planes (4, chunk, fine_size) of species ``first`` on: diagonal, rhs, first guess, uptake.

        What a load wrote is there again at the store. Places that hold no site are zero and must stay so.
        """
        ...

    def store(self, first: int, count: int, planes: np.ndarray) -> None:
        """Take the solution from the third plane; the planes may be changed."""
        ...


@dataclass(frozen=True)
class Result:
    """Outcome for one species: cycles, estimated relative error, status code of `conjugate`."""

    iterations: int
    error: float
    status: int


@dataclass(frozen=True)
class System:
    """What stays the same for all species of one solve."""

    levels: Levels
    conductance_per_min: np.ndarray
    km: np.ndarray
    tolerance: float
    max_iterations: int

    def solve(self, systems: Systems, work: list[Work]) -> list[Result]:
        """Solve every species.

        One share of the species per entry of ``work``. Kernels release Python's lock, so plain threads run
        them side by side; each species is solved by the same serial code in any thread, so to the same bytes.
        """
        n = len(self.conductance_per_min)
        results: list[Result] = [Result(0, math.nan, NOT_FINITE)] * n
        side_by_side(
            lambda share, begin, end: self._solve_share(systems, work[share], begin, end, results),
            n,
            len(work),
        )
        return results

    def _solve_share(
        self, systems: Systems, work: Work, begin: int, end: int, out_results: list[Result]
    ) -> None:
        n_planes = 4 if systems.saturable else 3
        for first in range(begin, end, systems.chunk):
            count = min(systems.chunk, end - first)
            systems.load(first, count, work.planes)
            for s in range(count):
                out_results[first + s] = self._solve_species(first + s, work.planes[:n_planes, s], work)
            systems.store(first, count, work.planes)

    def _solve_species(self, species: int, planes: np.ndarray, work: Work) -> Result:
        """Solve one species in ``planes`` (diagonal, rhs, u, uptake).

        Saturable uptake: Newton. V u/(u + Km) is concave and the Jacobian an M-matrix, so every Newton
        iterate clipped at zero lies below the solution and, from the first one on, they rise towards it: no
        line search. It stops after a step no larger than the tolerance.
        """
        start, stop = self.levels.start, self.levels.stop
        t = work.scratch[0]
        sink, rhs, u = planes[0], planes[1], planes[2]
        if len(planes) < 4:
            return self._solve_linear(species, sink, rhs, u, self.max_iterations, 0.0, work)
        d, tangent, before = work.vectors[SINK], work.vectors[TANGENT], work.vectors[BEFORE]
        iterations = 0
        np.maximum(u, 0.0, out=u)
        while True:
            linearise(start, stop, sink, rhs, planes[3], self.km[species], u, d, tangent)
            before[:] = u
            result = self._solve_linear(
                species, d, tangent, u, self.max_iterations - iterations, NEWTON_REDUCTION, work
            )
            iterations += result.iterations
            np.maximum(u, 0.0, out=u)
            before -= u
            change = largest_size(before, start, stop, t)
            done = change <= self.tolerance * largest_size(u, start, stop, t)
            if result.status != CONVERGED or done:
                return Result(iterations, result.error, result.status)

    def _solve_linear(
        self, species: int, d: np.ndarray, rhs: np.ndarray, u: np.ndarray, most: int, reduction: float, work: Work
    ) -> Result:  # fmt: skip
        levels = self.levels
        return Result(
            *solve_linear(
                levels.table, self.conductance_per_min[species], levels.links, levels.single, levels.well_places,
                levels.well_factors, levels.parts, levels.leaks, self.tolerance, reduction, most, d, rhs, work.vectors,
                work.single, work.scratch, work.scratch_single, work.rows, work.kept, u,
            )
        )  # fmt: skip
