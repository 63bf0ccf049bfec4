"""Translates a scenario into the plain numbers that processes take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tme_sim.numerics.links import well_factor
from tme_sim.processes.drugs import DrugSpec
from tme_sim.processes.fields import FieldSpec
from tme_sim.processes.vesicles import PoolSpec
from tme_sim.rules.energy import Energy, MetabolismSpec, PumpCosts
from tme_sim.scenario import drug as scenario_drug
from tme_sim.scenario import vesicle as scenario_vesicle
from tme_sim.scenario.life import CellSpec
from tme_sim.scenario.scenario import Scenario
from tme_sim.scenario.vocabulary import Vocabulary
from tme_sim.state.codes import DEATHS, NECROSIS, STAGES
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout

# Exchange that holds a vessel site at the plasma level, 1/min: what it leaves of a difference is 4 D/h² over this,
# about 1e-5 for oxygen.
IMPOSED_PER_MIN = 1e8


# Behaviours that metabolism adds to: oxygen, glucose and lactate taken up, lactate made.
METABOLIC = ("uptake oxygen", "uptake glucose", "uptake lactate", "secretion lactate")
_ALWAYS = ("cycle entry", "apoptosis", "necrosis", "migration")


@dataclass(frozen=True)
class Numbers:
    """A scenario with its layout, vocabulary and grid: what every translation needs."""

    scenario: Scenario
    layout: Layout
    vocabulary: Vocabulary
    grid: Grid

    @cached_property
    def behaviours(self) -> tuple[str, ...]:
        """Behaviours that can differ from zero, in column order: a narrow table is a fast one."""
        layout = self.layout
        live = {*layout.variables, *_ALWAYS, *METABOLIC}
        live |= {f"{word} {pool}" for pool in layout.pools for word in ("release", "uptake")}
        live |= {rule.behaviour for rule in self.scenario.active_rules()}
        for cell in self.scenario.cells.values():
            live |= {name for name, value in cell.base.items() if value != 0.0}
        return tuple(name for name in self.vocabulary.behaviours if name in live)

    @cached_property
    def column(self) -> dict[str, int]:
        """Column of each behaviour."""
        return {name: i for i, name in enumerate(self.behaviours)}

    def base(self) -> np.ndarray:
        """Return base values of behaviours, float64 (n_types, n_behaviours)."""
        out = np.tile(
            [self.vocabulary.behaviours[name].base for name in self.behaviours],
            (len(self.layout.cell_types), 1),
        )
        for row, cell in enumerate(self.scenario.cells.values()):
            for name, value in cell.base.items():
                if name in self.column:
                    out[row, self.column[name]] = value
        return out

    def cycle_minutes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return waiting times in S and G2M (n_types,), minutes, and which types cycle, bool (n_types,)."""
        cycles = [cell.cycle for cell in self.scenario.cells.values()]
        s_min = np.array([c.S if c else 0.0 for c in cycles], float)
        g2m_min = np.array([c.G2M if c else 0.0 for c in cycles], float)
        return s_min, g2m_min, np.array([c is not None for c in cycles])


def field_specs(numbers: Numbers) -> list[FieldSpec]:
    """Return the fields in layout order."""
    mixing = _mixing(numbers)
    drug_of = {spec.field: name for name, spec in numbers.scenario.drugs.items()}
    specs = []
    for (name, f), unbound in zip(numbers.scenario.fields.items(), unbound_shares(numbers), strict=True):
        whole_site = not f.interstitial
        exchange = 0.0
        if f.vessel is not None:
            exchange = IMPOSED_PER_MIN if f.vessel.exchange is None else float(f.vessel.exchange)
        specs.append(
            FieldSpec(
                name=name,
                steady=f.solve == "steady",
                diffusion_um2_min=f.diffusion + mixing,
                decay_per_min=f.decay_per_min,
                exchange_per_min=exchange,
                half_saturation=float(f.half_saturation or 0.0),
                background_uptake=float(f.background_uptake or 0.0),
                per_molecule=1.0 / numbers.grid.molecules_per_nm(whole_site=whole_site),
                boundary=f.boundary.fixed,
                uptake=f"influx {drug_of[name]}" if name in drug_of else f"uptake {name}",
                secretion=f"secretion {name}",
                drug=_index(numbers.layout.drugs, drug_of.get(name)),
                efflux=f"efflux {drug_of.get(name)}",
                metabolism=f"metabolism {drug_of.get(name)}",
                unbound=unbound,
            )
        )
    return specs


def unbound_shares(numbers: Numbers) -> tuple[float, ...]:
    """Return the share of each field outside cells that is dissolved: of drugs that of tissue, in a dish of medium."""
    matrix = "tissue" if numbers.scenario.grid.medium is None else "medium"
    share = {drug.field: float(getattr(drug.unbound, matrix)) for drug in numbers.scenario.drugs.values()}
    return tuple(share.get(name, 1.0) for name in numbers.layout.fields)


def pool_specs(numbers: Numbers) -> list[PoolSpec]:
    """Return the vesicle pools in layout order."""
    layout = numbers.layout
    return [
        PoolSpec(
            name=name,
            diffusion_um2_min=pool.diffusion_um2_per_min + _mixing(numbers),
            decay_per_min=pool.decay_per_min,
            washout_per_min=float(pool.vessel),
            recirculates=float(pool.recirculates),
            donor=layout.cell_types.index(pool.donor),
            docking_per_min=tuple(_docking(numbers, pool, kind) for kind in layout.cell_types),
            internalise_per_min=float(pool.internalise),
            saturation=float(pool.saturation),
            cargo=tuple(float(pool.cargo.get(cargo, 0.0)) for cargo in layout.cargo),
            boundary=pool.boundary.fixed,
            release=f"release {name}",
            uptake=f"uptake {name}",
            detach_per_min=float(pool.detach),
        )
        for name, pool in numbers.scenario.vesicles.items()
    ]


def _docking(numbers: Numbers, pool: scenario_vesicle.PoolSpec, kind: str) -> float:
    """Return the docking rate of a pool on a cell type, 1/min: its own times the factors of its integrins."""
    rate = float(pool.taken_up_by.get(kind, 0.0))
    for name in pool.integrins:
        rate *= numbers.scenario.integrins[name].docking.get(kind, 1.0)
    return rate


def drug_specs(numbers: Numbers) -> list[DrugSpec]:
    """Return the drugs in layout order."""
    return [
        DrugSpec(
            name=name,
            field=numbers.layout.fields.index(drug.field),
            half_max_nm=half_max_of(drug),
            hill=float(drug.hill),
            lethal_hill=float(drug.lethal_hill),
            acts_in=tuple(stage in drug.acts_in for stage in STAGES),
        )
        for name, drug in numbers.scenario.drugs.items()
    ]


def half_max_of(drug: scenario_drug.DrugSpec) -> float:
    """Return the drug held at half-maximal damage, nM; inf where it does none."""
    return math.inf if drug.half_max is None else float(drug.half_max)


def energy(numbers: Numbers) -> Energy:
    """Return the metabolism of all cell types."""
    layout, column = numbers.layout, numbers.column
    per_nm = numbers.grid.molecules_per_nm(whole_site=True)
    rows, evidence = np.zeros((len(layout.cell_types), 13)), []
    half = [_half_saturation(numbers, name) for name in ("oxygen", "glucose", "lactate")]
    for row, cell in enumerate(numbers.scenario.cells.values()):
        m = cell.metabolism
        if m is None:
            continue
        evidence += m.evidence
        rows[row] = MetabolismSpec(
            importer=_index(layout.variables, m.importer),
            oxidiser=_index(layout.variables, m.oxidiser),
            oxygen_max=float(m.oxygen_max),
            oxygen_half=half[0],
            glucose_max=m.glucose_max / per_nm,
            glucose_half=half[1],
            lactate_max=m.lactate_max / per_nm,
            lactate_half=half[2],
            oxygen_per_lactate=float(m.oxygen_per_lactate),
            atp_per_glucose=float(m.atp_per_glucose),
            atp_per_oxygen=float(m.atp_per_oxygen),
            atp_demand=m.atp_demand / per_nm,
            solubility=float(m.oxygen_solubility),
        ).as_row()
    fields = tuple(_index(layout.fields, name) for name in ("oxygen", "glucose", "lactate"))
    columns = tuple(column.get(word, -1) for word in METABOLIC)
    pumps = _pumps(numbers, per_nm)
    return Energy(rows, fields, columns, 1.0 / per_nm, tuple(dict.fromkeys(evidence)), pumps)  # pyright: ignore[reportArgumentType]


def _pumps(numbers: Numbers, per_nm: float) -> PumpCosts:
    layout, costs, evidence = numbers.layout, [], []
    spent = [m.pumps if (m := cell.metabolism) else {} for cell in numbers.scenario.cells.values()]
    used = [name for name in layout.variables if any(name in pumps for pumps in spent)]
    for name in used:
        specs = [pumps.get(name) for pumps in spent]
        costs.append([spec.atp / per_nm if spec else 0.0 for spec in specs])
        evidence.append(tuple(dict.fromkeys(i for spec in specs if spec for i in spec.evidence)))
    columns = np.array([layout.variables.index(name) for name in used], np.int64)
    return PumpCosts(columns, np.array(costs).reshape(len(used), len(spent)).T.copy(), tuple(evidence))


def clearance_minutes(cells: Sequence[CellSpec]) -> np.ndarray:
    """Return the time until remains are gone, min, float64 (n_types, 5): by cause, in the order of `codes.DEATHS`."""
    slow = NECROSIS - 1
    out = np.array([[float(cell.clearance)] * (len(DEATHS) - 1) for cell in cells])
    out[:, slow] = [float(cell.necrotic_clearance) for cell in cells]
    return out


def well(numbers: Numbers) -> float:
    """Return the well correction of vessel links, 1 without vessels."""
    vessels = numbers.scenario.vessels
    if vessels is None:
        return 1.0
    return well_factor(numbers.grid.spacing_um, float(vessels.radius))


def supply(numbers: Numbers) -> np.ndarray:
    """Return plasma levels without drugs, float64 (n_fields,)."""
    fields = numbers.scenario.fields.values()
    return np.array([float(f.vessel.value or 0.0) if f.vessel is not None else 0.0 for f in fields])


def _half_saturation(numbers: Numbers, field: str) -> float:
    """Return the Michaelis constant of a field, 1 where there is no such field (nothing of it is then used)."""
    spec = numbers.scenario.fields.get(field)
    return 1.0 if spec is None or spec.half_saturation is None else float(spec.half_saturation)


def _mixing(numbers: Numbers) -> float:
    """Return what convection in the medium adds to every diffusion coefficient, µm²/min; 0 in tissue."""
    medium = numbers.scenario.grid.medium
    return 0.0 if medium is None else float(medium.mixing)


def _index(names: tuple[str, ...], name: str | None) -> int:
    return names.index(name) if name in names else -1
