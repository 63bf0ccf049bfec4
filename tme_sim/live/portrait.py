"""The portrait of one cell: what it is, what it holds and feels, and why it resists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from tme_sim.live.kinds import Kinds
from tme_sim.measures.attribution import attribute
from tme_sim.measures.measure import tumour_types
from tme_sim.measures.resistance import EXTRA, ReferenceExposure, assess
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.rules.evidence import Mechanism, documents, mechanisms
from tme_sim.state.codes import ALIVE, DEATHS, EMPTY, STAGES

_LITTLE = 0.005


@dataclass(frozen=True)
class Cause:
    """One route by which a cell is protected (positive) or made sensitive, as share of a naive cell's log-kill.

    Attributes
    ----------
    evidence : tuple of (mechanism id, statement, document)
    """

    route: str
    share: float
    evidence: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Resistance:
    """How one cell stands up to one drug.

    Attributes
    ----------
    ratio : float
        Its log-kill over that of a naive cell in normoxia; below ``resistant_below`` it counts as resistant.
    survival, naive_survival : float
        Under the reference exposure.
    """

    drug: str
    exposure: str
    ratio: float
    survival: float
    naive_survival: float
    resistant_below: float
    causes: tuple[Cause, ...]

    @property
    def resistant(self) -> bool:
        """Whether it counts as resistant."""
        return self.ratio < self.resistant_below


@dataclass(frozen=True)
class Portrait:
    """One cell at one moment.

    Attributes
    ----------
    sections : tuple of (title, rows)
        Rows are (name, value) in words.
    """

    cell: int
    step: int
    site: int
    kind: str
    colour: str
    sections: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    resistances: tuple[Resistance, ...]


def cell_at(model: TumorMicroenvironment, ix: int, iy: int, plane: int) -> int | None:
    """Return the id of the cell on a site, None where there is none."""
    tissue = model.tissue
    row = tissue.cells.occupant[np.ravel_multi_index((plane, iy, ix), tissue.grid.shape)]
    return None if row == EMPTY else int(tissue.cells["id"][row])


def portrait_of(model: TumorMicroenvironment, cell: int) -> Portrait | None:
    """Return the portrait of a cell, None once it has left the tissue; hold the model's lock meanwhile."""
    tissue, cells = model.tissue, model.tissue.cells
    row = int(cells.rows_of(np.array([cell]))[0])
    if row < 0:
        return None
    kinds = Kinds(tissue.layout)
    kind = kinds.kinds[int(kinds.codes(cells, np.array([row]))[0]) - 1]
    return Portrait(
        cell=cell,
        step=tissue.clock.step,
        site=int(cells["site"][row]),
        kind=kind.label,
        colour=kind.colour,
        sections=(
            ("What it is", _identity(model, row)),
            ("State", _columns(model, row, "variables", tissue.layout.variables)),
            ("Holds", _holdings(model, row)),
            ("Feels", _surroundings(model, row)),
        ),
        resistances=_resistances(model, row),
    )


def _identity(model: TumorMicroenvironment, row: int) -> tuple[tuple[str, str], ...]:
    tissue, cells = model.tissue, model.tissue.cells
    value = {
        name: cells[name][row].item()
        for name in ("type", "parent", "founder", "generation", "births", "death")
    }
    position = " · ".join(f"{x:.0f}" for x in tissue.grid.positions_um(cells["site"][[row]])[0])
    living = value["death"] == ALIVE
    born = cells["born_min"][row]
    rows = [
        ("type", tissue.layout.cell_types[value["type"]]),
        ("alive", f"yes, stage {STAGES[cells['stage'][row]]}" if living else f"no: {DEATHS[value['death']]}"),
        ("born", f"day {born / 1440.0:.2f}, {(tissue.clock.minutes - born) / 60.0:.0f} h ago"),
        ("mother", "a founder" if value["parent"] < 0 else f"cell {value['parent']}"),
        ("founder of its clone", f"cell {value['founder']}"),
        ("divisions since then", str(value["generation"])),
        ("daughters", str(value["births"])),
        ("relatives alive", f"{_relatives(model, row):,}"),
        ("position", f"{position} µm"),
    ]
    if tissue.layout.clones and cells["clone"][row] > 0:
        rows.append(("heritable state", tissue.layout.clones[cells["clone"][row] - 1]))
    return (*rows, *_columns(model, row, "traits", tissue.layout.traits))


def _relatives(model: TumorMicroenvironment, row: int) -> int:
    cells = model.tissue.cells
    return int(np.count_nonzero((cells["founder"] == cells["founder"][row]) & cells.alive()))


def _columns(model: TumorMicroenvironment, row: int, group: str, names: tuple[str, ...]):
    values = model.tissue.cells[group][row]
    return tuple((name.replace("_", " "), f"{value:.3g}") for name, value in zip(names, values, strict=True))


def _holdings(model: TumorMicroenvironment, row: int) -> tuple[tuple[str, str], ...]:
    layout, cells = model.tissue.layout, model.tissue.cells
    rows = []
    for group, names, words in (
        ("cargo", layout.cargo, "{}: {:.3g} units of cargo"),
        ("docked", layout.pools, "{}: {:.3g} vesicles docked"),
        ("drug", layout.drugs, "{}: {:.3g} nM"),
        ("damage", layout.drugs, "damage by {}: {:.3g}"),
        ("exposure", layout.drugs, "exposed to {}: {:.3g} nM h so far"),
    ):
        scale = 1.0 / 60.0 if group == "exposure" else 1.0
        for name, value in zip(names, cells[group][row], strict=True):
            label, _, text = words.format(name.replace("_", " "), value * scale).rpartition(": ")
            rows.append((label, text))
    return tuple(rows)


def _surroundings(model: TumorMicroenvironment, row: int) -> tuple[tuple[str, str], ...]:
    """Return fields and free vesicles at its site, the distance to blood, and its neighbours."""
    tissue = model.tissue
    site = int(tissue.cells["site"][row])
    rows = [
        (
            name.replace("_", " "),
            f"{tissue.field_table[site, column] * spec.shown_per_internal:.3g} {spec.unit}",
        )
        for column, (name, spec) in enumerate(model.config.fields.items())
    ]
    rows += [
        (f"free {name.replace('_', ' ')}", f"{tissue.pool_table[site, column]:.3g} on its site")
        for column, name in enumerate(tissue.layout.pools)
    ]
    distance = tissue.vessel_distance_um.reshape(-1)[site]
    rows.append(("nearest perfused vessel", f"{distance:.0f} µm" if np.isfinite(distance) else "none"))
    rows.append(("neighbours", _neighbours(model, site) or "none"))
    return tuple(rows)


def _neighbours(model: TumorMicroenvironment, site: int) -> str:
    tissue, cells = model.tissue, model.tissue.cells
    z, y, x = (int(part) for part in np.unravel_index(site, tissue.grid.shape))
    block = cells.occupant.reshape(tissue.grid.shape)[
        max(0, z - 1) : z + 2, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2
    ].reshape(-1)
    rows = block[(block != EMPTY) & (block != cells.occupant[site])]
    counts = np.bincount(
        cells["type"][rows][cells["death"][rows] == ALIVE], minlength=len(tissue.layout.cell_types)
    )
    words = [f"{n} {name}" for name, n in zip(tissue.layout.cell_types, counts.tolist(), strict=True) if n]
    dead = int(np.count_nonzero(cells["death"][rows] != ALIVE))
    return ", ".join([*words, *([f"{dead} dead"] if dead else [])])


def _resistances(model: TumorMicroenvironment, row: int) -> tuple[Resistance, ...]:
    tissue = model.tissue
    tumour = [tissue.layout.cell_types.index(name) for name in tumour_types(tissue.layout)]
    living_tumour = tissue.cells["type"][row] in tumour and tissue.cells["death"][row] == ALIVE
    if not living_tumour or EXTRA not in model.measure_context.extras:
        return ()
    return tuple(_resistance(model, exposure, row) for exposure in model.assay.exposures)


def _resistance(model: TumorMicroenvironment, exposure: ReferenceExposure, row: int) -> Resistance:
    rows = np.array([row])
    measured = assess(model.assay, exposure, model.tissue, rows)
    found = attribute(model.assay, exposure, model.tissue, rows, model.config.active_rules())
    causes = [
        Cause(route, float(share), tuple(cited(i) for i in found.evidence.get(route, ())))
        for route, share in zip(found.routes, found.contribution[0], strict=True)
        if abs(share) >= _LITTLE
    ]
    return Resistance(
        drug=exposure.drug,
        exposure=f"{exposure.dose_nm:g} nM for {exposure.on_min / 60.0:g} h",
        ratio=float(measured.ratio[0]),
        survival=float(measured.survival[0]),
        naive_survival=measured.naive_survival,
        resistant_below=measured.resistant_below,
        causes=tuple(sorted(causes, key=lambda cause: -abs(cause.share))),
    )


def cited(mechanism: str) -> tuple[str, str, str]:
    """Return id, statement and document of a mechanism that a rule cites."""
    row = _mechanisms()[mechanism]
    return row.id, row.effect, _documents().get(row.document, row.document)


@cache
def _mechanisms() -> dict[str, Mechanism]:
    return {row.id: row for row in mechanisms()}


@cache
def _documents() -> dict[str, str]:
    return {row.key: f"{row.citation} doi:{row.doi}" if row.doi else row.citation for row in documents()}
