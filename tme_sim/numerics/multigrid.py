"""Diffusion, decay and uptake of many species on a lattice, solved implicitly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.errors import CONVERGED, NEGATIVE_SINK, NOT_FINITE, SINGULAR, SLOW, SolveError
from tme_sim.numerics.jit import threads
from tme_sim.numerics.levels import Levels
from tme_sim.numerics.links import Links
from tme_sim.numerics.planes import pack, unpack
from tme_sim.numerics.system import System, Systems, Work

_REASONS = {
    SLOW: "not converged",
    NOT_FINITE: "diagonal, right-hand side, uptake or first guess is not finite",
    NEGATIVE_SINK: "the diagonal is negative somewhere",
    SINGULAR: "singular: no sink anywhere, yet a source",
}


CHUNK = 8  # species copied together: eight float64 are one cache line of a table with species last


@dataclass(frozen=True)
class Tables:
    """Systems in whole arrays, species last: diagonal, right-hand side, solution and, if saturable, uptake.

    Arrays are flat, ``level`` is the finest of the solver's levels.
    """

    arrays: list[np.ndarray]
    n_species: int
    level: np.ndarray
    chunk: int

    @property
    def saturable(self) -> bool:
        """Whether there is an uptake."""
        return len(self.arrays) == 4

    def load(self, first: int, count: int, out_planes: np.ndarray) -> None:
        """Copy species to planes."""
        for array, planes in zip(self.arrays, out_planes, strict=False):
            pack(array, first, count, self.level, self.n_species, planes)

    def store(self, first: int, count: int, planes: np.ndarray) -> None:
        """Copy solutions back."""
        unpack(planes[2], first, count, self.level, self.n_species, self.arrays[2])


@dataclass(frozen=True)
class SolveReport:
    """What a solve took and what it left.

    Attributes
    ----------
    iterations : int64 (n_species,)
        Multigrid cycles, or sweeps where those suffice, over all Newton steps where uptake saturates.
    residual : float64 (n_species,)
        Estimated error relative to the largest value: max|B r| / max|u| over the smallest Ritz value of B A,
        before the last correction (which is made); where sweeps suffice, the bound that the last one gives.
        With saturable uptake that of the last Newton system.
    """

    iterations: np.ndarray
    residual: np.ndarray


class Multigrid:
    """Solver of ``d_s(x) u - sum over faces k_s link (u_neighbour - u) = rhs_s(x)`` for each species s.

    ``d`` gathers 1/dt, decay, uptake, vessel exchange and boundary terms, ``rhs`` what goes with them; the
    operator itself lets nothing through the edge of the lattice (`boundary_terms` adds fixed values).

    Parameters
    ----------
    shape : (nz, ny, nx)
        The lattice; nz = 1 in two dimensions, any length may be 1.
    conductance_per_min : float64 (n_species,)
        k = D/h² of each species, 1/min.
    links : Links, optional
        Relative face conductances, the same for all species; uniform when left out.

    Notes
    -----
    Conjugate gradients preconditioned by one symmetric V(1,1) red-black cycle B, species by species; those
    that diffuse weakly are relaxed by Chebyshev-accelerated sweeps alone. A solve stops when the error that the
    correction of a cycle gives away is within ``tolerance`` of the largest value: see
    `tme_sim.numerics.conjugate` for why not r relative to the right-hand side.

    Work arrays are kept from call to call and dropped by pickling. Threads (`jit.set_threads`) share out
    species; results do not depend on their number. What closed faces, or nearly closed ones, cut off is
    levelled part by part (`levels.Levels.parts`). Limits: one species alone uses one thread; links that differ from
    site to site by up to 1e4 take up to 100 iterations; the estimated error can be too small by a factor of two
    where an answer takes three or four iterations (3 of 2,400 random systems); the source of a site with neither
    sink nor neighbour is not looked at.

    Source: Trottenberg, Oosterlee & Schüller (2001), Multigrid, ISBN 0-12-701070-X.
    """

    def __init__(
        self, shape: tuple[int, int, int], conductance_per_min: np.ndarray, links: Links | None = None
    ):
        self.shape = shape
        self.conductance_per_min = np.array(conductance_per_min, np.float64, ndmin=1)
        k = self.conductance_per_min
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"shape: {shape}; expected (nz, ny, nx), each at least 1")
        if k.ndim != 1 or len(k) == 0 or not np.isfinite(k).all() or (k < 0.0).any():
            raise ValueError(f"conductance_per_min: {k}; expected one number >= 0 per species")
        self._levels = Levels(shape, links if links is not None else Links.uniform(shape))
        self._work: list[Work] = []

    @property
    def n_species(self) -> int:
        """Number of species."""
        return len(self.conductance_per_min)

    def places(self) -> tuple[slice, np.ndarray, np.ndarray]:
        """Return which part of a plane holds the sites, and `Levels.places` within it."""
        return slice(int(self._levels.start), int(self._levels.stop)), *self._levels.places()

    def level(self) -> np.ndarray:
        """Return the row of the given lattice in `Levels.table`."""
        return self._levels.table[0].copy()

    def set_links(self, links: Links) -> None:
        """Replace the face conductances.

        Raises
        ------
        ValueError
            When they do not fit the lattice or one is negative or not finite.
        """
        self._levels.set_links(links)

    def share_links(self, other: Multigrid) -> None:
        """Take the links of another solver of the same lattice, now and whenever they are replaced.

        Raises
        ------
        ValueError
            When the lattices differ.
        """
        if other.shape != self.shape:
            raise ValueError(f"lattice {other.shape}; expected {self.shape}")
        self._levels = other._levels

    def solve(
        self,
        diag: np.ndarray,
        rhs: np.ndarray,
        io_u: np.ndarray,
        tolerance: float = 1e-6,
        max_iterations: int = 100,
    ) -> SolveReport:
        """Solve for ``io_u``, starting from what it holds.

        Parameters
        ----------
        diag : float64 (nz, ny, nx, n_species)
            Sinks d >= 0, 1/min; positive somewhere.
        rhs : float64 (nz, ny, nx, n_species)
            Sources, unit of the field per minute; all zero gives u = 0.
        io_u : float64 (nz, ny, nx, n_species), C-contiguous
            First guess in, solution out; slightly negative values are possible (see `conserve`).
        tolerance : float
            Largest error of each species relative to its largest value, as estimated by
            `SolveReport.residual`; at least 1e-12.
        max_iterations : int
            Of each species.

        Raises
        ------
        SolveError
            When a species does not converge, or its input is not finite, negative or singular.
        """
        return self._solve(diag, rhs, None, np.zeros(self.n_species), io_u, tolerance, max_iterations)

    def solve_saturable(
        self,
        diag: np.ndarray,
        rhs: np.ndarray,
        maximal_uptake: np.ndarray,
        half_saturation: np.ndarray,
        io_u: np.ndarray,
        tolerance: float = 1e-6,
        max_iterations: int = 200,
    ) -> SolveReport:
        """Solve with Michaelis-Menten uptake ``V u / (u + Km)`` added to the left-hand side.

        Newton's method. Clipped at zero, its iterates rise to the solution whatever the first guess: the
        uptake is concave and every Jacobian an M-matrix. The result is never negative. Limits: with a half saturation
        below some 1e-9 of the largest value, steps out of it are within the tolerance and pass for the end.

        Parameters
        ----------
        diag, rhs, io_u, tolerance, max_iterations
            As for `solve`; ``rhs`` >= 0. Steady state: no 1/dt in ``diag``.
        maximal_uptake : float64 (nz, ny, nx, n_species)
            V >= 0, unit of the field per minute.
        half_saturation : float64 (n_species,)
            Km > 0, unit of the field.

        Raises
        ------
        SolveError
            As for `solve`.
        ValueError
            For a half saturation that is not positive.
        """
        km = np.array(half_saturation, np.float64, ndmin=1)
        if km.shape != (self.n_species,) or not (km > 0.0).all():
            raise ValueError(f"half_saturation: {km}; expected one number > 0 per species")
        return self._solve(diag, rhs, maximal_uptake, km, io_u, tolerance, max_iterations)

    def _solve(
        self,
        diag: np.ndarray,
        rhs: np.ndarray,
        uptake: np.ndarray | None,
        km: np.ndarray,
        io_u: np.ndarray,
        tolerance: float,
        max_iterations: int,
    ) -> SolveReport:
        expected = (*self.shape, self.n_species)
        for name, values in (("diag", diag), ("rhs", rhs), ("io_u", io_u), ("maximal_uptake", uptake)):
            if values is not None and (values.shape != expected or values.dtype != np.float64):
                raise ValueError(f"{name}: {values.dtype} {values.shape}; expected float64 {expected}")
        if not tolerance >= 1e-12:
            raise ValueError(f"tolerance: {tolerance}; expected at least 1e-12, what float64 can reach")
        if not io_u.flags.c_contiguous:
            raise ValueError("io_u: expected a C-contiguous array, since it is changed in place")
        arrays = [np.ascontiguousarray(a).reshape(-1) for a in (diag, rhs, io_u, uptake) if a is not None]
        chunk = min(CHUNK, -(-self.n_species // self._n_shares()))
        systems = Tables(arrays, self.n_species, self._levels.table[0], chunk)
        return self.solve_systems(systems, km, tolerance, max_iterations)

    def solve_systems(
        self, systems: Systems, half_saturation: np.ndarray, tolerance: float, max_iterations: int = 200
    ) -> SolveReport:
        """Solve systems that are written, and taken up, one species at a time: they stay in cache.

        Parameters
        ----------
        systems : Systems
        half_saturation : float64 (n_species,)
            As for `solve_saturable`; not looked at where systems are not saturable.
        tolerance, max_iterations
            As for `solve`.

        Raises
        ------
        SolveError
            As for `solve`.
        """
        system = System(self._levels, self.conductance_per_min, half_saturation, tolerance, max_iterations)
        results = system.solve(systems, self._work_shares(systems.chunk))
        for species, result in enumerate(results):
            if result.status != CONVERGED:
                raise SolveError(_REASONS[result.status], species, result.error, result.iterations)
        return SolveReport(
            np.array([r.iterations for r in results], np.int64), np.array([r.error for r in results])
        )

    def _n_shares(self) -> int:
        return min(self.n_species, threads())

    def _work_shares(self, chunk: int) -> list[Work]:
        shares = self._n_shares()
        if len(self._work) != shares or self._work[0].planes.shape[1] != chunk:
            self._work = [Work.empty(self._levels, chunk) for _ in range(shares)]
        return self._work

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_work": []}
