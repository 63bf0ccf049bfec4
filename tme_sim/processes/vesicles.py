"""Release, spread, docking and uptake of vesicles as whole vesicles, with their cargo.

Free vesicles of a pool follow the same implicit equation as fields, with docking on the cell of the site as
uptake. Docked vesicles (a real number per cell and pool) are the surface signal; whole vesicles are drawn from
them into the cell, saturating with the number docked, and add their cargo to what the cell holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.conserve import conserve
from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.processes.base import Context, ProcessError
from tme_sim.processes.docking import detach, sum_by_type, take_up
from tme_sim.processes.faces import Faces, fixed_values
from tme_sim.processes.fields import SITES, assemble, find_cells
from tme_sim.state.ledger import POOL_ACCOUNTS
from tme_sim.state.tissue import Tissue

_RELEASED, _GIVEN, _INTERNALISED, _DECAYED, _LEFT_VESSEL, _LEFT_BOUNDARY, _ = range(len(POOL_ACCOUNTS))


@dataclass(frozen=True)
class PoolSpec:
    """What the solver must know of one vesicle pool.

    Attributes
    ----------
    diffusion_um2_min, decay_per_min, washout_per_min : float
        Washout acts at sites of perfused vessels.
    donor : int
        Index of the donor cell type.
    docking_per_min : tuple of float
        Docking rate on each cell type, for the free vesicles of the cell's own site.
    internalise_per_min, saturation : float
        Rate from docked to inside, and the number docked at which it is half saturated.
    detach_per_min : float
        Rate from docked back to free.
    cargo : tuple of float
        Units of each cargo per vesicle.
    release, uptake : str
        Behaviours: release rate, and factor on docking.
    """

    name: str
    diffusion_um2_min: float
    decay_per_min: float
    washout_per_min: float
    donor: int
    docking_per_min: tuple[float, ...]
    internalise_per_min: float
    saturation: float
    cargo: tuple[float, ...]
    boundary: Mapping[str, float]
    release: str
    uptake: str
    detach_per_min: float = 0.0


@kernel
def collect_vesicles(
    begin: int,
    end: int,
    at: np.ndarray,
    rows: np.ndarray,
    cell_type: np.ndarray,
    behaviours: np.ndarray,
    release_column: np.ndarray,
    uptake_column: np.ndarray,
    docking: np.ndarray,
    out_uptake: np.ndarray,
    out_source: np.ndarray,
) -> None:
    """Gather docking rate (1/min) and release (vesicles/min) of the cell at every site of a block.

    ``at``, ``rows`` as `find_cells` writes them; ``out_uptake`` (n_sites, n_pools), ``out_source`` (n_pools, SITES).
    """
    for p in range(docking.shape[0]):
        column = uptake_column[p]
        out_uptake[begin:end, p] = 0.0
        for k in range(len(at)):
            out_uptake[at[k], p] = docking[p, cell_type[rows[k]]] * behaviours[rows[k], column]
        column = release_column[p]
        out_source[p, :] = 0.0
        if column >= 0:
            for k in range(len(at)):
                out_source[p, at[k] - begin] = behaviours[rows[k], column]


@kernel
def collect_and_assemble(
    occupant, cell_type, behaviours, release_column, uptake_column, docking, free, vessel, decay, washout, inverse_dt,
    out_uptake, out_diag, out_rhs, out_released,
):  # fmt: skip
    """Write the linear system block by block: release by and docking on the cell of every site."""
    n_sites = occupant.shape[0]
    at, rows, source = np.empty(SITES, np.int64), np.empty(SITES, np.int64), np.empty((len(decay), SITES))
    none = np.zeros(len(decay))
    out_released[:] = 0.0
    for begin in range(0, n_sites, SITES):
        end = min(n_sites, begin + SITES)
        found = find_cells(occupant, begin, end, behaviours.shape[0], at, rows)
        collect_vesicles(
            begin, end, at[:found], rows[:found], cell_type, behaviours, release_column, uptake_column, docking,
            out_uptake, source,
        )  # fmt: skip
        assemble(
            begin, end, free, out_uptake, source, vessel, none, decay, washout, none, inverse_dt, True, out_diag,
            out_rhs, out_released,
        )  # fmt: skip


@kernel
def book_vesicles(free: np.ndarray, vessel: np.ndarray, out_sums: np.ndarray) -> None:
    """Sum per pool in site order: free, washed out at vessels; out_sums float64 (2, n_pools)."""
    out_sums[:] = 0.0
    n_sites = free.shape[0]
    for begin in range(0, n_sites, SITES):
        for p in range(free.shape[1]):
            total, washed = out_sums[0, p], out_sums[1, p]
            for site in range(begin, min(n_sites, begin + SITES)):
                total += free[site, p]
                washed += vessel[site] * free[site, p]
            out_sums[0, p], out_sums[1, p] = total, washed


class Vesicles:
    """Advance every vesicle pool by one step.

    Parameters
    ----------
    specs : list of PoolSpec
        In the order of ``layout.pools``.
    names : dict
        Column of each behaviour.
    cargo_decay_per_min : float64 (n_cargo,)
    n_types : int
        Number of cell types.
    medium_sites : float
        Height of the medium of a dish in sites; 0 in tissue.
    """

    name = "vesicles"
    reads = ("behaviours", "vessel")
    writes = ("pools", "cells.docked", "cells.cargo")

    def __init__(
        self,
        specs: list[PoolSpec],
        shape: tuple[int, int, int],
        spacing_um: float,
        names: dict[str, int],
        cargo_decay_per_min: np.ndarray,
        n_types: int,
        tolerance: float = 1e-6,
        medium_sites: float = 0.0,
    ):
        self.specs, self.tolerance, self.n_types = specs, tolerance, n_types
        n_pools, n_sites = len(specs), shape[0] * shape[1] * shape[2]
        conductance = np.array([s.diffusion_um2_min for s in specs]) / spacing_um**2
        self.solver = Multigrid(shape, conductance)
        self.shape = (*shape, n_pools)
        self.decay = np.array([s.decay_per_min for s in specs])
        self.washout = np.array([s.washout_per_min for s in specs])
        # In a dish a cell clears the volume of its site, not the column of medium over it.
        clears = 1.0 / (medium_sites or 1.0)
        self.docking = clears * np.array([s.docking_per_min for s in specs]).reshape(n_pools, n_types)
        self.internalise = np.array([s.internalise_per_min for s in specs])
        self.saturation = np.array([s.saturation for s in specs])
        self.detach = np.array([s.detach_per_min for s in specs])
        self.cargo_of = np.array([s.cargo for s in specs]).reshape(n_pools, len(cargo_decay_per_min))
        self.cargo_decay = cargo_decay_per_min
        self.release_column = np.array([names.get(s.release, -1) for s in specs], np.int64)
        self.uptake_column = np.array([names[s.uptake] for s in specs], np.int64)
        self.faces = Faces(shape, conductance, fixed_values([s.boundary for s in specs]), medium_sites)
        flat = (n_sites, n_pools)
        self.uptake, self.released = np.zeros(flat), np.zeros(n_pools)
        self.diag, self.rhs = np.zeros(flat), np.zeros(flat)
        self.cycles, self.residual = 0, np.zeros(n_pools)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Release, spread, dock, internalise; amounts go to the ledger.

        Raises
        ------
        ProcessError
            When the solve does not reach its residual.
        """
        cells, free = tissue.cells, tissue.pool_table
        vessel = tissue.vessel.reshape(-1)
        if self.detach.any():
            detach(cells["site"], -np.expm1(-self.detach * context.dt_min), cells["docked"], free)
        self._gather(tissue, context, free, vessel)
        self._solve(tissue, context)
        inside = np.zeros((cells.n, len(self.specs)))
        take_up(
            free,
            self.uptake,
            cells["site"],
            cells["lineage"],
            cells["death"],
            self.internalise,
            self.saturation,
            self.cargo_of,
            np.exp(-self.cargo_decay * context.dt_min),
            np.uint64(tissue.seed),
            context.step,
            context.dt_min,
            cells["docked"],
            cells["cargo"],
            inside,
        )
        self._book(tissue, context, free, vessel, inside)

    def _gather(self, tissue: Tissue, context: Context, free: np.ndarray, vessel: np.ndarray) -> None:
        """Write the linear system: release by and docking on the cell of every site."""
        collect_and_assemble(
            tissue.cells.occupant,
            tissue.cells["type"],
            context.behaviours,
            self.release_column,
            self.uptake_column,
            self.docking,
            free,
            vessel,
            self.decay,
            self.washout,
            1.0 / context.dt_min,
            self.uptake,
            self.diag,
            self.rhs,
            self.released,
        )
        self.faces.add_to(self.diag, self.rhs)

    def _solve(self, tissue: Tissue, context: Context) -> None:
        diag, rhs = self.diag.reshape(self.shape), self.rhs.reshape(self.shape)
        try:
            report = self.solver.solve(diag, rhs, tissue.pools, tolerance=self.tolerance)
        except SolveError as error:
            name = self.specs[error.species].name
            raise ProcessError(
                f"step {context.step} ({tissue.clock.hours:.2f} h): vesicles: {name}: residual "
                f"{error.residual:.2e} after {error.iterations} iterations; expected at most {self.tolerance:.0e}"
            ) from error
        conserve(diag, rhs, tissue.pools)
        self.cycles, self.residual = report.iterations, report.residual

    def _book(
        self, tissue: Tissue, context: Context, free: np.ndarray, vessel: np.ndarray, inside: np.ndarray
    ) -> None:
        sums = np.zeros((2, len(self.specs)))
        book_vesicles(free, vessel, sums)
        total, at_vessels = sums * context.dt_min
        inward, out = self.faces.passed(free)
        book = tissue.ledger.pools
        book[:, _RELEASED] += self.released * context.dt_min
        book[:, _GIVEN] += inward * context.dt_min
        book[:, _DECAYED] += self.decay * total
        book[:, _LEFT_VESSEL] += self.washout * at_vessels
        book[:, _LEFT_BOUNDARY] += out * context.dt_min
        taken = np.zeros((self.n_types, len(self.specs)))
        sum_by_type(inside, tissue.cells["type"], taken)
        book[:, _INTERNALISED] += taken.sum(axis=0)
        for pool, spec in enumerate(self.specs):
            tissue.ledger.flux[pool, spec.donor] += taken[:, pool]
