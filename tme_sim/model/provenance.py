"""Whose IL-6, whose vesicles: the share of each source cell in what reaches some cells, by one adjoint solve.

A field or pool is linear in its sources: A u = s, A the operator of the implicit step (decay, vessels, uptake,
diffusion) without its terms of time. For a target value g·u the adjoint solution w of Aᵀ w = g weighs every source:

    g·u = w·s = Σ_cells w(x_i) s_i + vessels + freed + boundary        share of cell i = w(x_i) s_i / w·s

A is symmetric, so the solver of the step does it. The shares are those of the steady state that present sources and
sinks lead to; ``explained`` compares it with what is there now.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tme_sim.model import specs
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.boundary import boundary_terms
from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.links import Links, links_from_mobility, links_with_wells
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.processes.base import Context
from tme_sim.processes.faces import fixed_values
from tme_sim.processes.freeing import Freeing
from tme_sim.processes.matrix import Hindrance
from tme_sim.state.tissue import Tissue

VESSELS, FREED, BOUNDARY = "vessels", "decayed vesicles", "boundary"
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Provenance:
    """Where what reaches some cells comes from.

    Attributes
    ----------
    name : str
        The field or pool.
    rows, ids : int64 (n,)
        Source cells: their rows in the tissue now, and ids.
    share : float64 (n,)
        Share of each source cell; with ``vessels``, ``freed`` and ``boundary`` they add up to 1.
    vessels, freed, boundary : float
        Shares that vessels supply, decaying vesicles set free, and fixed faces let in.
    explained : float
        Steady value at the target over the present one: near 1 where the tissue changes slowly.
    """

    name: str
    rows: np.ndarray
    ids: np.ndarray
    share: np.ndarray
    vessels: float
    freed: float
    boundary: float
    explained: float

    def by(self, tissue: Tissue, what: str) -> dict[str, float]:
        """Return the shares added up by ``type``, ``clone``, ``founder`` or ``barcode`` of the source, largest first.

        Raises
        ------
        ValueError
            For anything else.
        """
        names = {"type": tissue.layout.cell_types, "clone": ("none", *tissue.layout.clones)}.get(what)
        if names is None and what not in ("founder", "barcode"):
            raise ValueError(f"got {what!r}; expected type, clone, founder or barcode")
        values = tissue.cells[what][self.rows].tolist()
        total: dict[str, float] = {VESSELS: self.vessels, FREED: self.freed, BOUNDARY: self.boundary}
        for value, share in zip(values, self.share.tolist(), strict=True):
            name = str(value) if names is None else names[value]
            total[name] = total.get(name, 0.0) + share
        found = {name: share for name, share in total.items() if share > 0.0}
        return dict(sorted(found.items(), key=lambda item: -item[1]))


@dataclass(frozen=True)
class _Species:
    """One field or pool as a linear system: float64 (n_sites,) each, amounts per minute.

    Attributes
    ----------
    diag : sinks, 1/min
    made : what the cell of the site makes
    vessels, freed, boundary : what these bring; freed: by vesicles that decay
    docking : rate at which the cell of the site takes up, 1/min
    """

    conductance: float
    links: Links
    diag: np.ndarray
    made: np.ndarray
    vessels: np.ndarray
    freed: np.ndarray
    boundary: np.ndarray
    docking: np.ndarray
    present: np.ndarray


def provenance(
    model: TumorMicroenvironment, name: str, at: np.ndarray, weight: np.ndarray | None = None
) -> Provenance:
    """Return whose secretion or vesicles reach the cells in rows ``at``.

    Parameters
    ----------
    name : str
        A field: the target is its mean concentration at the cells. A vesicle pool: the vesicles they take up.
    at : int64 (k,)
        Rows of cells.
    weight : float64 (k,), optional
        Weight of each cell, equal by default. With rows and shares of another provenance the chain goes on: who
        educated the cells that made this IL-6.

    Raises
    ------
    ValueError
        Unknown name, no rows, a drug or a saturable field, a dish with medium, or nothing that reaches them.
    """
    rows = np.asarray(at, np.int64)
    weights = np.ones(len(rows)) if weight is None else np.asarray(weight, float)
    if len(rows) == 0 or model.config.grid.medium is not None:
        raise ValueError(
            "expected rows of cells in a tissue (a dish with medium is mixed: every source reaches all)"
        )
    tissue = model.tissue
    species = _species(model, name)
    sites = tissue.cells["site"]
    target = np.zeros(tissue.grid.n_sites)
    target[sites[rows]] = weights * (species.docking[sites[rows]] if name in tissue.layout.pools else 1.0)
    reach = _adjoint(species, target, tissue.grid.shape)
    sources = np.flatnonzero(species.made[sites] > 0.0)
    sources = sources[np.argsort(tissue.cells["id"][sources])]
    from_cells = reach[sites[sources]] * species.made[sites[sources]]
    others = [
        float(np.sum(reach * brought)) for brought in (species.vessels, species.freed, species.boundary)
    ]
    total = float(from_cells.sum()) + sum(others)
    if not total > 0.0:
        raise ValueError(f"{name}: nothing reaches these cells")
    present = float(np.sum(target * species.present))
    return Provenance(
        name=name,
        rows=sources,
        ids=tissue.cells["id"][sources],
        share=from_cells / total,
        vessels=others[0] / total,
        freed=others[1] / total,
        boundary=others[2] / total,
        explained=total / present if present > 0.0 else float("inf"),
    )


def silenced(
    model: TumorMicroenvironment, ids: Sequence[int] | np.ndarray, behaviour: str
) -> TumorMicroenvironment:
    """Return a twin in which the cells with these ids do not do something (``secretion il6``, ``release POOL``).

    All else is the same, down to the luck of every cell. Pickling the twin gives the cells their voice back.
    """
    twin: TumorMicroenvironment = pickle.loads(pickle.dumps(model))
    after = next(i for i, process in enumerate(twin.processes) if process.name == "sense")
    twin.processes.insert(after + 1, _Silence(np.asarray(ids, np.int64), behaviour))
    return twin


class _Silence:
    """Sets one behaviour of some cells to zero."""

    name = "silence"
    reads = ("behaviours",)
    writes = ()

    def __init__(self, ids: np.ndarray, behaviour: str):
        self.ids, self.behaviour = ids, behaviour

    def step(self, tissue: Tissue, context: Context) -> None:
        rows = tissue.cells.rows_of(self.ids)
        context.behaviours[rows[rows >= 0], context.names[self.behaviour]] = 0.0


def _adjoint(species: _Species, target: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Return how much of a unit made per minute at each site is seen at the target, float64 (n_sites,)."""
    solver = Multigrid(shape, np.array([species.conductance]), species.links)
    reach = np.zeros((*shape, 1))
    try:
        solver.solve(species.diag.reshape(*shape, 1), target.reshape(*shape, 1), reach, tolerance=_TOLERANCE)
    except SolveError as error:
        raise ValueError(f"no steady state: {error}") from error
    return np.maximum(reach.reshape(-1), 0.0)


def _species(model: TumorMicroenvironment, name: str) -> _Species:
    twin: TumorMicroenvironment = pickle.loads(pickle.dumps(model))
    context = twin.new_context()
    for process in twin.processes:
        if process.name in ("interventions", "sense"):
            process.step(twin.tissue, context)
    layout = model.tissue.layout
    if name in layout.fields:
        return _field(model, twin.tissue, context, layout.fields.index(name))
    if name in layout.pools:
        return _pool(model, context, layout.pools.index(name))
    raise ValueError(f"{name}: expected a field or pool: {', '.join((*layout.fields, *layout.pools))}")


def _on_sites(tissue: Tissue, values: np.ndarray) -> np.ndarray:
    """Return values of cells, float64 (n_cells,), at their sites; 0 elsewhere."""
    out = np.zeros(tissue.grid.n_sites)
    out[tissue.cells["site"]] = values
    return out


def _faces(tissue: Tissue, conductance: float, boundary: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    terms = boundary_terms(tissue.grid.shape, np.array([conductance]), fixed_values([boundary]))
    return terms[0].reshape(-1), terms[1].reshape(-1)


def _field(model: TumorMicroenvironment, now: Tissue, context: Context, column: int) -> _Species:
    tissue, spec = model.tissue, specs.field_specs(model.numbers)[column]
    if spec.drug >= 0 or spec.half_saturation > 0.0:
        raise ValueError(
            f"{spec.name}: a drug, or uptake that saturates: what reaches a cell is not a sum of sources"
        )
    conductance = spec.diffusion_um2_min / tissue.grid.spacing_um**2
    faces, let_in = _faces(tissue, conductance, dict(spec.boundary))
    vessel = tissue.vessel.reshape(-1)
    uptake = _on_sites(tissue, context.of(spec.uptake))
    uptake[tissue.cells.occupant < 0] = spec.background_uptake
    links = links_with_wells(Links.uniform(tissue.grid.shape), tissue.vessel > 0.0, specs.well(model.numbers))
    return _Species(
        conductance=conductance,
        links=links,
        diag=spec.decay_per_min
        + context.extra_decay[column]
        + spec.exchange_per_min * vessel
        + uptake
        + faces,
        made=_on_sites(tissue, context.of(spec.secretion)) * spec.per_molecule,
        vessels=spec.exchange_per_min * vessel * now.plasma[column],
        freed=_freed(model, column),
        boundary=let_in,
        docking=uptake,
        present=tissue.field_table[:, column],
    )


def _freed(model: TumorMicroenvironment, column: int) -> np.ndarray:
    """Return what decaying vesicles set free of a field, per minute and site, float64 (n_sites,)."""
    out = np.zeros(model.tissue.grid.n_sites)
    for process in model.processes:
        for freed in process.specs if isinstance(process, Freeing) else ():
            if freed.field == column:
                out += freed.amount * freed.decay_per_min * model.tissue.pool_table[:, freed.pool]
    return out


def _hindered(model: TumorMicroenvironment) -> Links:
    """Return the conductance of vesicles between sites: matrix hinders them."""
    mobility = np.ones(model.tissue.grid.shape)
    for process in model.processes:
        if isinstance(process, Hindrance):
            mobility = 1.0 / (1.0 + model.tissue.fields[..., process.field] / process.half)
    return links_from_mobility(mobility)


def _pool(model: TumorMicroenvironment, context: Context, column: int) -> _Species:
    tissue, spec = model.tissue, specs.pool_specs(model.numbers)[column]
    cells = tissue.cells
    conductance = spec.diffusion_um2_min / tissue.grid.spacing_um**2
    faces, let_in = _faces(tissue, conductance, dict(spec.boundary))
    # What lets go again has not been taken up.
    inward = spec.internalise_per_min / (1.0 + cells["docked"][:, column] / spec.saturation)
    kept = inward / np.maximum(inward + spec.detach_per_min, 1e-300)
    docking = np.array(spec.docking_per_min)[cells["type"]] * context.of(spec.uptake) * kept
    vessel = tissue.vessel.reshape(-1)
    return _Species(
        conductance=conductance,
        links=_hindered(model),
        diag=spec.decay_per_min + spec.washout_per_min * vessel + _on_sites(tissue, docking) + faces,
        made=_on_sites(tissue, context.of(spec.release)),
        vessels=np.zeros(tissue.grid.n_sites),
        freed=np.zeros(tissue.grid.n_sites),
        boundary=let_in,
        docking=_on_sites(tissue, docking),
        present=tissue.pool_table[:, column],
    )
