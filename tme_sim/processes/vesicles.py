"""Release, spread, docking and uptake of vesicles as whole vesicles, with their cargo.

Free vesicles of a pool follow the same implicit equation as fields, with docking on the cell of the site as
uptake. Docked vesicles (a real number per cell and pool) are the surface signal; whole vesicles are drawn from
them into the cell, saturating with the number docked, and add their cargo to what the cell holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.jit import BLOCK
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.processes.assembly import (
    AT_VESSELS,
    N_SUMS,
    TOTAL,
    Places,
    assemble,
    check_balance,
    scatter,
    take_solution,
)
from tme_sim.processes.base import Context, ProcessError
from tme_sim.processes.docking import attach, detach, dock, take_up
from tme_sim.processes.faces import Faces, fixed_values
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
    recirculates : float
        Share of what is washed out that comes back through all perfused vessels alike.
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
    recirculates: float = 0.0


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
        n_pools = len(specs)
        conductance = np.array([s.diffusion_um2_min for s in specs]) / spacing_um**2
        self.solver = Multigrid(shape, conductance)
        self.places = Places(self.solver)
        self.decay = np.array([s.decay_per_min for s in specs])
        self.washout = np.array([s.washout_per_min for s in specs])
        # In a dish a cell clears the volume of its site, not the column of medium over it.
        clears = 1.0 / (medium_sites or 1.0)
        self.docking = clears * np.array([s.docking_per_min for s in specs]).reshape(n_pools, n_types)
        self.internalise = np.array([s.internalise_per_min for s in specs])
        self.saturation = np.array([s.saturation for s in specs])
        self.recirculates = np.array([s.recirculates for s in specs])
        self.detach = np.array([s.detach_per_min for s in specs])
        self.cargo_of = np.array([s.cargo for s in specs]).reshape(n_pools, len(cargo_decay_per_min))
        self.cargo_decay = cargo_decay_per_min
        self.release_column = np.array([names.get(s.release, -1) for s in specs], np.int64)
        self.uptake_column = np.array([names[s.uptake] for s in specs], np.int64)
        self.faces = Faces(shape, conductance, fixed_values([s.boundary for s in specs]), medium_sites)
        self.cycles, self.residual = 0, np.zeros(n_pools)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Release, spread, dock, internalise; amounts go to the ledger.

        Raises
        ------
        ProcessError
            When the solve does not reach its residual.
        """
        cells, behaviours = tissue.cells, context.behaviours
        if self.detach.any():
            detach(
                cells["site"],
                -np.expm1(-self.detach * context.dt_min),
                cells.whole("docked"),
                tissue.pool_table.T,
            )
        systems = _Systems(self, tissue, context)
        self._solve(systems)
        n = len(behaviours)
        taken = np.zeros((-(-n // BLOCK), len(self.specs), self.n_types))
        take_up(
            n,
            cells["type"][:n],
            cells["lineage"][:n],
            cells["death"][:n],
            self.internalise,
            self.saturation,
            self.cargo_of,
            np.exp(-self.cargo_decay * context.dt_min),
            np.uint64(tissue.seed),
            context.step,
            context.dt_min,
            cells.whole("docked"),
            cells.whole("cargo"),
            taken,
        )
        self._book(systems, taken.sum(axis=0))

    def _solve(self, systems: _Systems) -> None:
        tissue, context = systems.tissue, systems.context
        try:
            report = self.solver.solve_systems(systems, np.zeros(len(self.specs)), self.tolerance)
            check_balance(systems.sums)
        except SolveError as error:
            name = self.specs[error.species].name
            raise ProcessError(
                f"step {context.step} ({tissue.clock.hours:.2f} h): vesicles: {name}: residual "
                f"{error.residual:.2e} after {error.iterations} iterations; expected at most {self.tolerance:.0e}"
            ) from error
        self.cycles, self.residual = report.iterations, report.residual

    def _book(self, systems: _Systems, taken: np.ndarray) -> None:
        """Write the step to the ledger; ``taken`` (n_pools, n_types) vesicles went into cells."""
        ledger, dt_min = systems.tissue.ledger, systems.context.dt_min
        total, at_vessels = systems.sums[:, [TOTAL, AT_VESSELS]].T * dt_min
        inward, out = self.faces.passed(systems.u)
        book = ledger.pools
        book[:, _RELEASED] += systems.released * dt_min
        book[:, _GIVEN] += inward * dt_min
        book[:, _DECAYED] += self.decay * total
        washed = self.washout * at_vessels
        returned = self.recirculates * washed
        book[:, _LEFT_VESSEL] += washed - returned
        book[:, _LEFT_BOUNDARY] += out * dt_min
        book[:, _INTERNALISED] += taken.sum(axis=1)
        for pool, spec in enumerate(self.specs):
            ledger.flux[pool, spec.donor] += taken[pool]
        back = systems.vessel[systems.vessel_sites] / systems.vessel.sum()
        for pool in np.flatnonzero(returned):
            systems.u[pool][systems.vessel_sites] += back * returned[pool]


@dataclass
class _Systems:
    """The systems of all pools in one step, as the solver asks for them."""

    process: Vesicles
    tissue: Tissue
    context: Context
    chunk: int = 1
    saturable: bool = False

    def __post_init__(self) -> None:
        process, n = self.process, len(self.context.behaviours)
        self.places = process.places.of_site[self.tissue.cells["site"][:n]]
        self.vessel = self.tissue.vessel.reshape(-1)
        self.vessel_sites = np.flatnonzero(self.vessel)
        self.sums, self.released = np.zeros((len(process.specs), N_SUMS)), np.zeros(len(process.specs))
        self.u = list(self.tissue.pool_table.T)
        self.docked = self.tissue.cells.whole("docked")

    def load(self, first: int, count: int, out_planes: np.ndarray) -> None:
        """Write one pool's system: release by and docking on the cell of every site, and the rest."""
        process, behaviours, inverse_dt = self.process, self.context.behaviours, 1.0 / self.context.dt_min
        of_site = process.places.of_site
        diag, rhs, u, uptake = out_planes[:, 0, process.places.inside]
        uptake[:] = 0.0
        factor = behaviours[:, process.uptake_column[first]]
        dock(self.places, self.tissue.cells["type"], factor, process.docking[first], uptake)
        rhs[:] = 0.0
        if process.release_column[first] >= 0:
            scatter(behaviours[:, process.release_column[first]], 1.0, self.places, rhs)
        self.released[first] = assemble(
            self.u[first],
            process.places.level,
            of_site,
            process.places.gaps,
            self.vessel,
            self.vessel_sites,
            0.0,
            inverse_dt + process.decay[first],
            process.washout[first],
            0.0,
            inverse_dt,
            True,
            uptake,
            u,
            diag,
            rhs,
        )
        process.faces.add_to(first, of_site, diag, rhs)

    def store(self, first: int, count: int, planes: np.ndarray) -> None:
        """Close one pool's balance, sum what went where and put what docked on the cells."""
        process = self.process
        diag, rhs, u, uptake = planes[:, 0, process.places.inside]
        take_solution(
            diag,
            rhs,
            uptake,
            u,
            True,
            0.0,
            process.places.level,
            self.vessel,
            self.vessel_sites,
            self.u[first],
            self.sums[first],
        )
        attach(self.places, uptake, u, self.context.dt_min, self.docked[first])
