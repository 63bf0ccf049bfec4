"""Diffusion, decay, supply, uptake and secretion of every dissolved substance in one implicit solve.

For field u with step Δt (steady fields: 1/Δt → 0):

    (1/Δt + λ + e v + U) u − ∇·(D ∇u) = u_old/Δt + e v P + S

λ decay, e exchange with a vessel (v: perfusion of the site's vessel, P: plasma level), U uptake by cells and
parenchyma (Michaelis–Menten where the field has a half-saturation), S secretion. Uptake stands inside the
operator: no splitting error, no stability limit. Where only a share f of a drug outside cells is unbound, a site
stores u/f and 1/Δt becomes 1/(f Δt). A drug that cells let out again is solved together with what they hold,
q' = (q + Δt k_in u)/(1 + Δt (k_out + k_met)), which leaves in the field's equation

    U = k_in (1 − k_out Δt/(1 + Δt (k_out + k_met))),   S = k_out q/(1 + Δt (k_out + k_met)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.links import Links, links_with_wells
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.processes.assembly import (
    AT_VESSELS,
    CONSUMED,
    N_SUMS,
    TOTAL,
    Places,
    assemble,
    check_balance,
    scatter,
    scatter_where_free,
    take_solution,
)
from tme_sim.processes.base import Context, ProcessError
from tme_sim.processes.faces import Faces, fixed_values
from tme_sim.state.ledger import DRUG_ACCOUNTS, FIELD_ACCOUNTS
from tme_sim.state.tissue import Tissue

_SECRETED, _SUPPLIED, _CONSUMED, _DECAYED, _LEFT_VESSEL, _LEFT_BOUNDARY, _NEUTRALISED = range(
    len(FIELD_ACCOUNTS)
)
_DRUG_SUPPLIED, _DRUG_METABOLISED, _DRUG_DECAYED, _DRUG_LEFT_VESSEL, _DRUG_LEFT_BOUNDARY = range(
    len(DRUG_ACCOUNTS)
)


# Exchange that holds a clamped field at its level everywhere, 1/min: far above uptake by any tissue.
CLAMP_PER_MIN = 1e8


@dataclass(frozen=True)
class FieldSpec:
    """What the solver must know of one field.

    Attributes
    ----------
    diffusion_um2_min, decay_per_min : float
    exchange_per_min : float
        Exchange between plasma and the site of a perfused vessel.
    half_saturation : float
        Michaelis constant of uptake in the field's unit; 0 means first-order uptake.
    background_uptake : float
        Uptake on sites without a cell: rate (1/min), or maximal rate (unit/min) with a half-saturation.
    per_molecule : float
        Concentration that one molecule per site makes, nM; 1 for fields not measured in nM.
    boundary : mapping of face to value
        Fixed values; no flux through faces left out.
    uptake, secretion : str
        Behaviours that take up and secrete it.
    drug : int
        Index of the drug that it is, -1 for none.
    efflux, metabolism : str
        Behaviours by which cells let a drug out and break it down.
    unbound : float
        Share outside cells that is dissolved; the rest is bound there, at once and reversibly.
    """

    name: str
    steady: bool
    diffusion_um2_min: float
    decay_per_min: float
    exchange_per_min: float
    half_saturation: float
    background_uptake: float
    per_molecule: float
    boundary: Mapping[str, float]
    uptake: str
    secretion: str
    drug: int = -1
    efflux: str = ""
    metabolism: str = ""
    unbound: float = 1.0


@kernel
def exchange_drug(
    places: np.ndarray,
    behaviours: np.ndarray,
    held: np.ndarray,
    columns: np.ndarray,
    dt_min: float,
    io_uptake: np.ndarray,
    io_source: np.ndarray,
) -> None:
    """Let cells release a drug they hold: the U and S of this module's first lines.

    ``columns`` are the drug, and its efflux and metabolism among the ``behaviours`` (n, n_behaviours), -1 where
    there is no such behaviour; ``held`` (>= n, n_drugs) in nM·site at the start of the step.
    """
    for i in range(len(places)):
        out = behaviours[i, columns[1]] if columns[1] >= 0 else 0.0
        burnt = behaviours[i, columns[2]] if columns[2] >= 0 else 0.0
        keep = 1.0 + dt_min * (out + burnt)
        io_uptake[places[i]] *= 1.0 - out * dt_min / keep
        io_source[places[i]] += out * held[i, columns[0]] / keep


class _Group:
    """Fields solved together: transient ones, steady ones, steady ones with saturable uptake."""

    def __init__(
        self,
        specs: list[tuple[int, FieldSpec]],
        shape: tuple[int, int, int],
        spacing_um: float,
        names: dict[str, int],
        medium_sites: float,
    ):
        self.specs = [spec for _, spec in specs]
        self.steady = self.specs[0].steady
        self.saturable = self.steady and self.specs[0].half_saturation > 0.0
        self.index = np.array([i for i, _ in specs], np.int64)
        self.half_saturation = np.array([s.half_saturation for s in self.specs])
        self.background = np.array([s.background_uptake for s in self.specs])
        # Amounts refer to a site; what happens in the medium of a dish counts by the column over it.
        self.fluid_sites = fluid_sites = medium_sites or 1.0
        self.stored = fluid_sites / np.array([s.unbound for s in self.specs])
        self.decay = fluid_sites * np.array([s.decay_per_min for s in self.specs])
        self.exchange = fluid_sites * np.array([s.exchange_per_min for s in self.specs])
        self.per_molecule = np.array([s.per_molecule for s in self.specs])
        self.uptake_column = np.array([names.get(s.uptake, -1) for s in self.specs], np.int64)
        self.secretion_column = np.array([names.get(s.secretion, -1) for s in self.specs], np.int64)
        self.drug_columns = np.array(
            [(s.drug, names.get(s.efflux, -1), names.get(s.metabolism, -1)) for s in self.specs], np.int64
        )
        conductance = fluid_sites * np.array([s.diffusion_um2_min for s in self.specs]) / spacing_um**2
        self.solver = Multigrid(shape, conductance)
        self.places = Places(self.solver)
        values = fixed_values([s.boundary for s in self.specs])
        self.faces = Faces(shape, conductance, values, medium_sites)


@dataclass
class _Systems:
    """The systems of a group in one step, as the solver asks for them."""

    group: _Group
    tissue: Tissue
    context: Context
    vessel_sites: np.ndarray
    chunk: int = 1

    def __post_init__(self) -> None:
        group, n = self.group, len(self.context.behaviours)
        self.saturable = group.saturable
        self.plasma = self.tissue.plasma[group.index]
        self.extra = group.fluid_sites * self.context.extra_decay[group.index]
        self.places = group.places.of_site[self.tissue.cells["site"][:n]]
        self.vessel = self.tissue.vessel.reshape(-1)
        self.sums, self.secreted = np.zeros((len(group.specs), N_SUMS)), np.zeros(len(group.specs))
        self.parenchyma = np.zeros(len(group.specs))
        self.u = [self.tissue.field_table[:, index] for index in group.index]

    def load(self, first: int, count: int, out_planes: np.ndarray) -> None:
        """Write one field's system: uptake and secretion by the cell of every site, and the rest."""
        group, of_site, behaviours = self.group, self.group.places.of_site, self.context.behaviours
        diag, rhs, u, uptake = out_planes[:, 0, group.places.inside]
        uptake[:] = 0.0
        if group.background[first] > 0.0:
            scatter_where_free(group.background[first], self.tissue.cells.occupant, of_site, uptake)
        if group.uptake_column[first] >= 0:
            scatter(behaviours[:, group.uptake_column[first]], 1.0, self.places, uptake)
        rhs[:] = 0.0
        if group.secretion_column[first] >= 0:
            scatter(behaviours[:, group.secretion_column[first]], group.per_molecule[first], self.places, rhs)
        if group.specs[first].drug >= 0:
            held, dt_min = self.tissue.cells["drug"], self.context.dt_min
            exchange_drug(self.places, behaviours, held, group.drug_columns[first], dt_min, uptake, rhs)
        inverse_dt = 0.0 if group.steady else group.stored[first] / self.context.dt_min
        self.secreted[first] = assemble(
            self.u[first],
            group.places.level,
            of_site,
            group.places.gaps,
            self.vessel,
            self.vessel_sites,
            group.half_saturation[first],
            inverse_dt + (group.decay[first] + self.extra[first]),
            group.exchange[first],
            self.plasma[first],
            inverse_dt,
            not group.saturable,
            uptake,
            u,
            diag,
            rhs,
        )
        group.faces.add_to(first, of_site, diag, rhs)
        held_at = self.context.clamped.get(int(group.index[first]))
        if held_at is not None:
            diag[of_site] += CLAMP_PER_MIN
            rhs[of_site] += CLAMP_PER_MIN * held_at

    def store(self, first: int, count: int, planes: np.ndarray) -> None:
        """Close one field's balance and sum what went where."""
        group = self.group
        diag, rhs, u, uptake = planes[:, 0, group.places.inside]
        take_solution(
            diag,
            rhs,
            uptake,
            u,
            not group.steady,
            group.half_saturation[first] if group.saturable else 0.0,
            group.places.level,
            self.vessel,
            self.vessel_sites,
            self.u[first],
            self.sums[first],
        )
        if group.specs[first].drug >= 0:
            free = group.places.of_site[self.tissue.cells.occupant < 0]
            self.parenchyma[first] = float(np.sum(uptake[free] * u[free]))


class Fields:
    """Advance every field by one step.

    Parameters
    ----------
    specs : list of FieldSpec
        In the order of ``layout.fields``.
    names : dict
        Column of each behaviour.
    well : float
        Factor on links between a vessel site and tissue (Peaceman well correction); 1 without vessels.
    tolerance : float
        Estimated relative error of each solve, see `numerics.multigrid`.
    medium_sites : float
        Height of the medium of a dish in sites; 0 in tissue.
    """

    name = "fields"
    reads = ("behaviours", "vessel", "plasma")
    writes = ("fields",)

    def __init__(
        self,
        specs: list[FieldSpec],
        shape: tuple[int, int, int],
        spacing_um: float,
        names: dict[str, int],
        well: float,
        tolerance: float = 1e-6,
        medium_sites: float = 0.0,
    ):
        self.tolerance, self.well = tolerance, well
        kinds = sorted({(s.steady, s.steady and s.half_saturation > 0.0) for s in specs}, reverse=True)
        groups = [
            [(i, s) for i, s in enumerate(specs) if (s.steady, s.steady and s.half_saturation > 0.0) == kind]
            for kind in kinds
        ]
        self.groups = [_Group(members, shape, spacing_um, names, medium_sites) for members in groups]
        self._vessel, self._vessel_sites = np.full(shape, np.nan), np.zeros(0, np.int64)
        self.cycles: dict[str, int] = {}
        self.residual: dict[str, float] = {}

    def step(self, tissue: Tissue, context: Context) -> None:
        """Solve all groups; amounts go to the ledger.

        Raises
        ------
        ProcessError
            When a solve does not reach its residual.
        """
        self._follow_vessels(tissue.vessel)
        for group in self.groups:
            self._advance(group, tissue, context)

    def _follow_vessels(self, vessel: np.ndarray) -> None:
        """Give the links of vessel sites the well correction when vessels have changed."""
        if np.array_equal(vessel, self._vessel):
            return
        self._vessel, self._vessel_sites = vessel.copy(), np.flatnonzero(vessel)
        links: Links = links_with_wells(Links.uniform(vessel.shape), vessel > 0.0, self.well)
        for group in self.groups:
            group.solver.set_links(links)

    def _advance(self, group: _Group, tissue: Tissue, context: Context) -> None:
        systems = _Systems(group, tissue, context, self._vessel_sites)
        try:
            report = group.solver.solve_systems(systems, group.half_saturation, self.tolerance)
            if not group.steady:
                check_balance(systems.sums)
        except SolveError as error:
            name = group.specs[error.species].name
            raise ProcessError(
                f"step {context.step} ({tissue.clock.hours:.2f} h): fields: {name}: residual {error.residual:.2e} "
                f"after {error.iterations} iterations; expected at most {self.tolerance:.0e}"
            ) from error
        for spec, cycles, residual in zip(group.specs, report.iterations, report.residual, strict=True):
            self.cycles[spec.name], self.residual[spec.name] = int(cycles), float(residual)
        _book(systems)


def _book(systems: _Systems) -> None:
    """Write what entered and left to the ledger (amount = concentration × sites)."""
    group, tissue, dt_min = systems.group, systems.tissue, systems.context.dt_min
    total, at_vessels, consumed = systems.sums[:, [TOTAL, AT_VESSELS, CONSUMED]].T * dt_min
    vessels = float(np.sum(systems.vessel[systems.vessel_sites])) * dt_min
    inward, out = (rate * dt_min for rate in group.faces.passed(systems.u))
    book_of_step = np.empty((len(FIELD_ACCOUNTS), len(group.specs)))
    book_of_step[_SECRETED] = systems.secreted * dt_min
    book_of_step[_SUPPLIED] = group.exchange * systems.plasma * vessels + inward
    book_of_step[_CONSUMED] = consumed
    book_of_step[_DECAYED] = group.decay * total
    book_of_step[_NEUTRALISED] = systems.extra * total
    book_of_step[_LEFT_VESSEL] = group.exchange * at_vessels
    book_of_step[_LEFT_BOUNDARY] = out
    tissue.ledger.fields[group.index] += book_of_step.T
    for species, spec in enumerate(group.specs):
        if spec.drug >= 0:
            _book_drug(systems, species, book_of_step[:, species])


def _book_drug(systems: _Systems, species: int, of_field: np.ndarray) -> None:
    """Write to the drug's book what the field's step brought into the tissue and took out of it.

    What passes between the field and cells stays in the tissue, hence in no account; what parenchyma takes up
    counts as metabolised, what an intervention neutralises as decayed.
    """
    group, tissue, context = systems.group, systems.tissue, systems.context
    secreted, column = 0.0, group.secretion_column[species]
    if column >= 0:
        rows = tissue.cells.rows_in_site_order()
        rows = rows[rows < len(context.behaviours)]
        secreted = (
            float(np.sum(context.behaviours[rows, column])) * group.per_molecule[species] * context.dt_min
        )
    book = tissue.ledger.drugs[group.specs[species].drug]
    book[_DRUG_SUPPLIED] += of_field[_SUPPLIED] + secreted
    book[_DRUG_METABOLISED] += systems.parenchyma[species] * context.dt_min
    book[_DRUG_DECAYED] += of_field[_DECAYED] + of_field[_NEUTRALISED]
    book[_DRUG_LEFT_VESSEL] += of_field[_LEFT_VESSEL]
    book[_DRUG_LEFT_BOUNDARY] += of_field[_LEFT_BOUNDARY]
