"""Drug inside vesicles: exported at release, delivered on internalisation, freed at decay.

A vesicle takes the share s of the drug that its donor holds, s = enrichment × volume of the vesicle / volume of a
site. Drug in free vesicles of a pool, m, is carried by the same linear equation as the vesicles themselves,

    (1/Δt + λ + w v + U) m − ∇·(D ∇m) = m_old/Δt + export,

λ decay, w wash-out at vessels v, U docking. Docked drug enters a cell with the share of docked vesicles that do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.boundary import boundary_terms
from tme_sim.numerics.conserve import conserve
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.processes.base import Context
from tme_sim.processes.faces import fixed_values
from tme_sim.processes.vesicles import PoolSpec
from tme_sim.state.ledger import DRUG_ACCOUNTS, FIELD_ACCOUNTS
from tme_sim.state.tissue import Tissue

_LEFT_VESSEL, _LEFT_BOUNDARY = DRUG_ACCOUNTS.index("left_vessel"), DRUG_ACCOUNTS.index("left_boundary")
_SECRETED = FIELD_ACCOUNTS.index("secreted")


@dataclass(frozen=True)
class LoadSpec:
    """A drug in the vesicles of one pool.

    Attributes
    ----------
    carrier : PoolSpec
    pool, drug, field : int
        Columns of the carrier, the drug held by cells, the drug's field.
    share : float
        Share of the drug held by a donor that leaves with one vesicle.
    """

    carrier: PoolSpec
    pool: int
    drug: int
    field: int
    share: float


class DockedBefore:
    """Note what is docked before the vesicles' step, so that uptake can be told from it; runs before them."""

    name = "docked before"
    reads = ("cells.docked",)
    writes = ()

    def __init__(self) -> None:
        self.docked = np.zeros((0, 0))

    def step(self, tissue: Tissue, context: Context) -> None:
        """Copy the docked vesicles of every cell."""
        self.docked = tissue.cells["docked"].copy(order="F")


class CarriedDrug:
    """Advance the drug in vesicles by one step; runs behind the drugs in cells.

    Parameters
    ----------
    specs : list of LoadSpec
        In the order of ``layout.loads``.
    names : dict
        Column of each behaviour.
    before : DockedBefore
    medium_sites : float
        Height of the medium of a dish in sites; 0 in tissue.
    """

    name = "carried drug"
    reads = ("behaviours", "vessel", "pools")
    writes = ("loads", "cells.load")

    def __init__(
        self,
        specs: list[LoadSpec],
        shape: tuple[int, int, int],
        spacing_um: float,
        names: dict[str, int],
        before: DockedBefore,
        medium_sites: float = 0.0,
        tolerance: float = 1e-6,
    ):
        self.specs, self.names, self.before, self.tolerance = specs, names, before, tolerance
        self.clears = 1.0 / (medium_sites or 1.0)
        conductance = np.array([s.carrier.diffusion_um2_min for s in specs]) / spacing_um**2
        self.solver = Multigrid(shape, conductance)
        empty = fixed_values([dict.fromkeys(s.carrier.boundary, 0.0) for s in specs])
        self.through_faces = boundary_terms(shape, conductance, empty)[0].reshape(-1, len(specs))
        self.decay = np.array([s.carrier.decay_per_min for s in specs])
        self.washout = np.array([s.carrier.washout_per_min for s in specs])

    def step(self, tissue: Tissue, context: Context) -> None:
        """Export, spread, dock, deliver, free; amounts stay in the drug's books or go to them."""
        docking, rhs = np.zeros((2, tissue.grid.n_sites, len(self.specs)))
        for column, spec in enumerate(self.specs):
            self._leave(tissue, context, column, spec, docking[:, column], rhs[:, column])
        vessel = tissue.vessel.reshape(-1, 1)
        rhs += tissue.load_table / context.dt_min
        diag = 1.0 / context.dt_min + self.decay + self.washout * vessel + docking + self.through_faces
        shape = tissue.loads.shape
        self._solve(diag.reshape(shape), rhs.reshape(shape), tissue.loads)
        for column, spec in enumerate(self.specs):
            self._arrive(tissue, context, column, spec, docking[:, column])
        self._book(tissue, context, vessel)

    def _solve(self, diag: np.ndarray, rhs: np.ndarray, io_loads: np.ndarray) -> None:
        self.solver.solve(diag, rhs, io_loads, tolerance=self.tolerance)
        conserve(diag, rhs, io_loads)

    def _leave(
        self,
        tissue: Tissue,
        context: Context,
        column: int,
        spec: LoadSpec,
        out_docking: np.ndarray,
        out_source: np.ndarray,
    ) -> None:
        """Take exported drug out of the donors, and what comes off cells with its vesicles."""
        cells, behaviours = tissue.cells, context.behaviours
        n, dt_min, carrier = len(behaviours), context.dt_min, spec.carrier
        site = cells["site"][:n]
        held, load = cells["drug"][:n, spec.drug], cells["load"][:n, column]
        release = context.of(carrier.release)
        exported = held * -np.expm1(-release * spec.share * dt_min)
        loose = load * -np.expm1(-carrier.detach_per_min * dt_min)
        held -= exported
        load -= loose
        out_source[site] = (exported + loose) / dt_min
        rate = np.array(carrier.docking_per_min)[cells["type"][:n]] * self.clears
        out_docking[site] = rate * behaviours[:, self.names[carrier.uptake]]

    def _arrive(
        self, tissue: Tissue, context: Context, column: int, spec: LoadSpec, docking: np.ndarray
    ) -> None:
        """Dock drug with its vesicles and deliver the share of it whose vesicles went in."""
        cells, dt_min = tissue.cells, context.dt_min
        n, site = len(context.behaviours), cells["site"][: len(context.behaviours)]
        load, docked = cells["load"][:n, column], cells["docked"][:n, spec.pool]
        load += docking[site] * tissue.load_table[site, column] * dt_min
        kept = self.before.docked[:n, spec.pool] * np.exp(-spec.carrier.detach_per_min * dt_min)
        came = docking[site] * tissue.pool_table[site, spec.pool] * dt_min
        taken = np.rint(kept + came - docked)  # vesicles go in whole
        share = np.divide(taken, docked + taken, out=np.zeros(n), where=taken > 0.0)
        cells["drug"][:n, spec.drug] += load * share
        load -= load * share

    def _book(self, tissue: Tissue, context: Context, vessel: np.ndarray) -> None:
        """Free the drug of decayed vesicles and book what left the tissue."""
        loads, dt_min = tissue.load_table, context.dt_min
        freed = loads * (self.decay * dt_min)
        washed = (vessel * loads).sum(axis=0) * self.washout * dt_min
        passed = (self.through_faces * loads).sum(axis=0) * dt_min
        for column, spec in enumerate(self.specs):
            tissue.field_table[:, spec.field] += freed[:, column] / tissue.capacity(spec.field)
            tissue.ledger.fields[spec.field, _SECRETED] += freed[:, column].sum()
            book = tissue.ledger.drugs[spec.drug]
            book[_LEFT_VESSEL] += washed[column]
            book[_LEFT_BOUNDARY] += passed[column]
