"""Solves all species of a system one by one, sharing them out over threads."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tme_sim.numerics.conjugate import BEFORE, INVERSE, N_VECTORS, TANGENT, D, conjugate_gradients
from tme_sim.numerics.cycle import count_levels, prepare_levels
from tme_sim.numerics.errors import CONVERGED, NEGATIVE_SINK, NOT_FINITE, SINGULAR
from tme_sim.numerics.levels import Levels
from tme_sim.numerics.planes import linearise, smallest_sink
from tme_sim.numerics.relaxation import jacobi_radius, relax_alone
from tme_sim.numerics.stencil import LANES, dot, invert_diagonal, largest_size

WEAK = 0.95  # largest Jacobi radius at which sweeps alone beat multigrid (measured; k of 5 sinks)
NEWTON_REDUCTION = 0.03  # each Newton step solves its linear system to this share of its first error


@dataclass(frozen=True)
class Work:
    """Work arrays of one thread.

    Attributes
    ----------
    planes : float64 (4, n_chunk, fine_size)
        Diagonal, right-hand side, solution and saturable uptake of the species in hand.
    vectors : float64 (N_VECTORS, size)
        Vectors of the iteration, over all levels.
    scratch : float64 (3, row)
        Rows in passing.
    """

    planes: np.ndarray
    vectors: np.ndarray
    scratch: np.ndarray

    @classmethod
    def empty(cls, levels: Levels, n_chunk: int) -> Work:
        """Return zeroed arrays; the guard elements of the layout rely on the zeros."""
        row = max(levels.shapes[0][2] + 8, int(LANES))
        return cls(
            np.zeros((4, n_chunk, levels.fine_size)),
            np.zeros((N_VECTORS, levels.size)),
            np.zeros((3, row)),
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
        bounds = [share * n // len(work) for share in range(len(work) + 1)]
        threads = [
            threading.Thread(target=self._solve_share, args=(systems, own, begin, end, results))
            for own, begin, end in zip(work[1:], bounds[1:], bounds[2:], strict=False)
        ]
        for thread in threads:
            thread.start()
        self._solve_share(systems, work[0], 0, bounds[1], results)
        for thread in threads:
            thread.join()
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
        if not math.isfinite(dot(rhs, rhs, start, stop, t) + dot(u, u, start, stop, t)):
            return Result(0, math.nan, NOT_FINITE)
        if largest_size(rhs, start, stop, t) == 0.0:
            u[:] = 0.0
        d, tangent, before = work.vectors[D], work.vectors[TANGENT], work.vectors[BEFORE]
        if len(planes) < 4:
            d[: len(sink)] = sink
            return self._solve_linear(species, rhs, u, self.max_iterations, 0.0, work)
        iterations = 0
        np.maximum(u, 0.0, out=u)
        while True:
            linearise(start, stop, sink, rhs, planes[3], self.km[species], u, d, tangent)
            before[: len(u)] = u
            result = self._solve_linear(
                species, tangent, u, self.max_iterations - iterations, NEWTON_REDUCTION, work
            )
            iterations += result.iterations
            np.maximum(u, 0.0, out=u)
            before[: len(u)] -= u
            change = largest_size(before, start, stop, t)
            done = change <= self.tolerance * largest_size(u, start, stop, t)
            if result.status != CONVERGED or done:
                return Result(iterations, result.error, result.status)

    def _solve_linear(
        self, species: int, rhs: np.ndarray, u: np.ndarray, max_iterations: int, reduction: float, work: Work
    ) -> Result:
        """Solve one linear system; its diagonal lies in ``work.vectors[D]``."""
        levels, k, d = self.levels, self.conductance_per_min[species], work.vectors[D]
        start, stop, t = levels.start, levels.stop, work.scratch[0]
        squares = dot(d, d, start, stop, t)
        if not math.isfinite(squares):
            return Result(0, math.nan, NOT_FINITE)
        smallest = smallest_sink(d, levels.table[0], t)
        if smallest < 0.0:
            return Result(0, math.nan, NEGATIVE_SINK)
        if squares == 0.0 and largest_size(rhs, start, stop, t) > 0.0:
            return Result(0, math.nan, SINGULAR)
        inverse = work.vectors[INVERSE]
        invert_diagonal(start, stop, k, d, levels.links[3], inverse)
        radius = jacobi_radius(levels.table[0], d, inverse, t)
        steps = self.tolerance, reduction, max_iterations, rhs, work.scratch
        if radius <= WEAK:
            return Result(*relax_alone(levels.table, k, radius, levels.links, inverse, *steps, u))
        n_levels = count_levels(len(levels.table), k, smallest)
        prepare_levels(levels.table, n_levels, k, levels.links, work.scratch, d, inverse)
        return Result(*conjugate_gradients(levels.table, n_levels, k, levels.links, *steps, work.vectors, u))
