"""Diffusion, decay, supply, uptake and secretion of every dissolved substance in one implicit solve.

For field u with step Δt (steady fields: 1/Δt → 0):

    (1/Δt + λ + e v + U) u − ∇·(D ∇u) = u_old/Δt + e v P + S

λ decay, e exchange with a vessel (v: perfusion of the site's vessel, P: plasma level), U uptake by cells and
parenchyma (Michaelis–Menten where the field has a half-saturation), S secretion. Uptake stands inside the
operator: no splitting error, no stability limit. A drug that cells let out again is solved together with what
they hold, q' = (q + Δt k_in u)/(1 + Δt (k_out + k_met)), which leaves in the field's equation

    U = k_in (1 − k_out Δt/(1 + Δt (k_out + k_met))),   S = k_out q/(1 + Δt (k_out + k_met)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.conserve import conserve
from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.links import Links, links_with_wells
from tme_sim.numerics.multigrid import Multigrid
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


# Kernels walk the sites in blocks of this many, one species after the other, so that a block stays in cache.
SITES = 256


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


@kernel
def collect(
    begin: int,
    end: int,
    at: np.ndarray,
    rows: np.ndarray,
    occupant: np.ndarray,
    behaviours: np.ndarray,
    fields: np.ndarray,
    field_index: np.ndarray,
    uptake_column: np.ndarray,
    secretion_column: np.ndarray,
    per_molecule: np.ndarray,
    background: np.ndarray,
    held: np.ndarray,
    drug_columns: np.ndarray,
    dt_min: float,
    out_u: np.ndarray,
    out_uptake: np.ndarray,
    out_source: np.ndarray,
) -> None:
    """Copy a group's concentrations and gather uptake and secretion of the cell at every site of a block.

    Parameters
    ----------
    begin, end : int
        The block of sites.
    at, rows : int64 (n_found,)
        Sites and rows of its cells, as `find_cells` writes them.
    occupant : int32 (n_sites,)
        Row of the cell at each site, -1 where empty; rows behind ``behaviours`` are newborn and silent.
    fields : float64 (n_sites, n_fields)
    field_index, uptake_column, secretion_column : int64 (n_species,)
        Columns; -1 where there is no such behaviour.
    held : float64 (n_rows, n_drugs)
        Drug held at the start of the step, nM·site.
    drug_columns : int64 (n_species, 3)
        Drug, and columns of its efflux and metabolism; a drug of -1 for other species.
    out_u, out_uptake : float64 (n_sites, n_species)
        Concentration, uptake (1/min, or maximal rate with half-saturation).
    out_source : float64 (n_species, SITES)
        Secretion on the sites of the block, unit/min.
    """
    for s in range(len(field_index)):
        column, empty = field_index[s], background[s]
        for site in range(begin, end):
            out_u[site, s] = fields[site, column]
            out_uptake[site, s] = empty if occupant[site] < 0 else 0.0
        column = uptake_column[s]
        if column >= 0:
            for k in range(len(at)):
                out_uptake[at[k], s] = behaviours[rows[k], column]
        out_source[s, :] = 0.0
        column, unit = secretion_column[s], per_molecule[s]
        if column >= 0:
            for k in range(len(at)):
                out_source[s, at[k] - begin] = behaviours[rows[k], column] * unit
        if drug_columns[s, 0] >= 0:
            _exchange_drug(
                begin, at, rows, behaviours, held, drug_columns[s], dt_min, out_uptake[:, s], out_source[s]
            )


@kernel
def find_cells(
    occupant: np.ndarray, begin: int, end: int, n_rows: int, out_at: np.ndarray, out_rows: np.ndarray
) -> int:
    """Write sites and rows of the cells on sites ``begin`` to ``end`` that have behaviours; return how many."""
    found = 0
    for site in range(begin, end):
        out_at[found] = site
        out_rows[found] = occupant[site]
        found += 0 <= occupant[site] < n_rows
    return found


@kernel
def _exchange_drug(begin, at, rows, behaviours, held, columns, dt_min, io_uptake, io_source):
    """Let cells release a drug they hold: the U and S of this module's first lines."""
    for k in range(len(rows)):
        out = behaviours[rows[k], columns[1]] if columns[1] >= 0 else 0.0
        burnt = behaviours[rows[k], columns[2]] if columns[2] >= 0 else 0.0
        keep = 1.0 + dt_min * (out + burnt)
        io_uptake[at[k]] *= 1.0 - out * dt_min / keep
        io_source[at[k] - begin] += out * held[rows[k], columns[0]] / keep


@kernel
def assemble(
    begin: int,
    end: int,
    u: np.ndarray,
    io_uptake: np.ndarray,
    source: np.ndarray,
    vessel: np.ndarray,
    half_saturation: np.ndarray,
    decay: np.ndarray,
    exchange: np.ndarray,
    plasma: np.ndarray,
    inverse_dt: float,
    linearise: bool,
    out_diag: np.ndarray,
    out_rhs: np.ndarray,
    io_secreted: np.ndarray,
) -> None:
    """Write the diagonal and right-hand side of a group on a block of sites, and add up what is secreted.

    ``source`` is float64 (n_species, SITES), of the block; all else stands by site. With ``linearise`` a
    Michaelis–Menten uptake V becomes the rate V/(K + u) at the last concentration; without, uptake is left out
    of the diagonal (the nonlinear solver adds it).
    """
    for s in range(u.shape[1]):
        loss, flow, supply, half = inverse_dt + decay[s], exchange[s], plasma[s], half_saturation[s]
        if linearise and half > 0.0:
            for site in range(begin, end):
                io_uptake[site, s] /= half + u[site, s]
        secreted = io_secreted[s]
        for site in range(begin, end):
            made = source[s, site - begin]
            secreted += made
            out_diag[site, s] = loss + flow * vessel[site] + (io_uptake[site, s] if linearise else 0.0)
            out_rhs[site, s] = u[site, s] * inverse_dt + made + flow * vessel[site] * supply
        io_secreted[s] = secreted


@kernel
def collect_and_assemble(
    occupant, behaviours, fields, field_index, uptake_column, secretion_column, per_molecule, background, held,
    drug_columns, dt_min, vessel, half_saturation, decay, exchange, plasma, inverse_dt, linearise, out_u, out_uptake,
    out_diag, out_rhs, out_secreted,
):  # fmt: skip
    """Run `collect` and `assemble` block by block, so that what the first writes the second finds in cache."""
    n_sites = occupant.shape[0]
    at, rows, source = np.empty(SITES, np.int64), np.empty(SITES, np.int64), np.empty((len(decay), SITES))
    out_secreted[:] = 0.0
    for begin in range(0, n_sites, SITES):
        end = min(n_sites, begin + SITES)
        found = find_cells(occupant, begin, end, behaviours.shape[0], at, rows)
        collect(
            begin, end, at[:found], rows[:found], occupant, behaviours, fields, field_index, uptake_column,
            secretion_column, per_molecule, background, held, drug_columns, dt_min, out_u, out_uptake, source,
        )  # fmt: skip
        assemble(
            begin, end, out_u, out_uptake, source, vessel, half_saturation, decay, exchange, plasma, inverse_dt,
            linearise, out_diag, out_rhs, out_secreted,
        )  # fmt: skip


@kernel
def account(
    u: np.ndarray,
    uptake: np.ndarray,
    vessel: np.ndarray,
    half_saturation: np.ndarray,
    field_index: np.ndarray,
    out_fields: np.ndarray,
    out_sums: np.ndarray,
) -> None:
    """Write u to its columns of the fields, and sum per species, in site order.

    The sums: u, vessel·u, consumed rate, vessel. ``half_saturation`` above 0 means that
    ``uptake`` is a maximal rate; ``out_sums`` is float64 (4, n_species).
    """
    n_sites = u.shape[0]
    out_sums[:] = 0.0
    for begin in range(0, n_sites, SITES):
        for s in range(u.shape[1]):
            total, at_vessels, consumed = out_sums[0, s], out_sums[1, s], out_sums[2, s]
            vessels = out_sums[3, s]
            half, column = half_saturation[s], field_index[s]
            for site in range(begin, min(n_sites, begin + SITES)):
                c = u[site, s]
                out_fields[site, column] = c
                rate = uptake[site, s] * c
                total += c
                at_vessels += vessel[site] * c
                consumed += rate / (half + c) if half > 0.0 else rate
                vessels += vessel[site]
            out_sums[0, s], out_sums[1, s], out_sums[2, s] = total, at_vessels, consumed
            out_sums[3, s] = vessels


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
        self.shape = (*shape, len(specs))
        values = fixed_values([s.boundary for s in self.specs])
        self.faces = Faces(shape, conductance, values, medium_sites)
        flat = (shape[0] * shape[1] * shape[2], len(specs))
        self.u, self.uptake = np.zeros(flat), np.zeros(flat)
        self.diag, self.rhs = np.zeros(flat), np.zeros(flat)
        self.sums, self.secreted = np.zeros((4, len(specs))), np.zeros(len(specs))


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
        self._vessel = np.full(shape, np.nan)
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
        self._vessel = vessel.copy()
        links: Links = links_with_wells(Links.uniform(vessel.shape), vessel > 0.0, self.well)
        for group in self.groups:
            group.solver.set_links(links)

    def _advance(self, group: _Group, tissue: Tissue, context: Context) -> None:
        flat = tissue.field_table
        vessel = tissue.vessel.reshape(-1)
        plasma = tissue.plasma[group.index]
        extra = group.fluid_sites * context.extra_decay[group.index]
        collect_and_assemble(
            tissue.cells.occupant,
            context.behaviours,
            flat,
            group.index,
            group.uptake_column,
            group.secretion_column,
            group.per_molecule,
            group.background,
            tissue.cells["drug"],
            group.drug_columns,
            context.dt_min,
            vessel,
            group.half_saturation,
            group.decay + extra,
            group.exchange,
            plasma,
            0.0 if group.steady else group.fluid_sites / context.dt_min,
            not group.saturable,
            group.u,
            group.uptake,
            group.diag,
            group.rhs,
            group.secreted,
        )
        group.faces.add_to(group.diag, group.rhs)
        self._solve(group, tissue, context)
        self._book(group, tissue, context, vessel, plasma, extra)

    def _solve(self, group: _Group, tissue: Tissue, context: Context) -> None:
        diag, rhs, u = (a.reshape(group.shape) for a in (group.diag, group.rhs, group.u))
        try:
            if group.saturable:
                report = group.solver.solve_saturable(
                    diag,
                    rhs,
                    group.uptake.reshape(group.shape),
                    group.half_saturation,
                    u,
                    tolerance=self.tolerance,
                )
            else:
                report = group.solver.solve(diag, rhs, u, tolerance=self.tolerance)
                if not group.steady:
                    conserve(diag, rhs, u)
        except SolveError as error:
            name = group.specs[error.species].name
            raise ProcessError(
                f"step {context.step} ({tissue.clock.hours:.2f} h): fields: {name}: residual {error.residual:.2e} "
                f"after {error.iterations} iterations; expected at most {self.tolerance:.0e}"
            ) from error
        for spec, cycles, residual in zip(group.specs, report.iterations, report.residual, strict=True):
            self.cycles[spec.name], self.residual[spec.name] = int(cycles), float(residual)

    def _book(
        self,
        group: _Group,
        tissue: Tissue,
        context: Context,
        vessel: np.ndarray,
        plasma: np.ndarray,
        extra: np.ndarray,
    ) -> None:
        """Write what entered and left to the ledger (amount = concentration × sites)."""
        half = group.half_saturation if group.saturable else np.zeros_like(group.half_saturation)
        account(
            group.u,
            group.uptake,
            vessel,
            half,
            group.index,
            tissue.field_table,
            group.sums,
        )
        total, at_vessels, consumed, vessels = group.sums * context.dt_min
        inward, out = (rate * context.dt_min for rate in group.faces.passed(group.u))
        book_of_step = np.empty((len(FIELD_ACCOUNTS), len(group.specs)))
        book_of_step[_SECRETED] = group.secreted * context.dt_min
        book_of_step[_SUPPLIED] = group.exchange * plasma * vessels + inward
        book_of_step[_CONSUMED] = consumed
        book_of_step[_DECAYED] = group.decay * total
        book_of_step[_NEUTRALISED] = extra * total
        book_of_step[_LEFT_VESSEL] = group.exchange * at_vessels
        book_of_step[_LEFT_BOUNDARY] = out
        tissue.ledger.fields[group.index] += book_of_step.T
        for species, spec in enumerate(group.specs):
            if spec.drug >= 0:
                _book_drug(group, species, tissue, context, book_of_step[:, species])


def _book_drug(group: _Group, species: int, tissue: Tissue, context: Context, of_field: np.ndarray) -> None:
    """Write to the drug's book what the field's step brought into the tissue and took out of it.

    What passes between the field and cells stays in the tissue, hence in no account; what parenchyma takes up
    counts as metabolised, what an intervention neutralises as decayed.
    """
    occupant, n_rows = tissue.cells.occupant, len(context.behaviours)
    empty = occupant < 0
    parenchyma = float(np.sum(group.uptake[empty, species] * group.u[empty, species])) * context.dt_min
    secreted, column = 0.0, group.secretion_column[species]
    if column >= 0:
        rows = occupant[~empty & (occupant < n_rows)]
        secreted = (
            float(np.sum(context.behaviours[rows, column])) * group.per_molecule[species] * context.dt_min
        )
    book = tissue.ledger.drugs[group.specs[species].drug]
    book[_DRUG_SUPPLIED] += of_field[_SUPPLIED] + secreted
    book[_DRUG_METABOLISED] += parenchyma
    book[_DRUG_DECAYED] += of_field[_DECAYED] + of_field[_NEUTRALISED]
    book[_DRUG_LEFT_VESSEL] += of_field[_LEFT_VESSEL]
    book[_DRUG_LEFT_BOUNDARY] += of_field[_LEFT_BOUNDARY]
