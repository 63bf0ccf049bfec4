"""Builds the processes of a step from a scenario, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tme_sim.measures.resistance import Assay, ReferenceExposure
from tme_sim.model import specs
from tme_sim.model.first_tissue import vessel_type
from tme_sim.model.inherited import expression_of, inheritance_of
from tme_sim.model.specs import Numbers
from tme_sim.model.vesicle_processes import vesicle_processes
from tme_sim.processes.angiogenesis import Angiogenesis
from tme_sim.processes.base import Process
from tme_sim.processes.cycle import Cycle
from tme_sim.processes.division import Division
from tme_sim.processes.drugs import Drugs
from tme_sim.processes.fate import Fate
from tme_sim.processes.fields import Fields
from tme_sim.processes.heredity import Heredity
from tme_sim.processes.interventions import Interventions
from tme_sim.processes.migration import Migration
from tme_sim.processes.pathways import Pathways
from tme_sim.processes.recruitment import Recruitment
from tme_sim.processes.sense import Sense
from tme_sim.processes.settle import Settle
from tme_sim.processes.vessels import Vessels
from tme_sim.rules.physiology import Change, Physiology
from tme_sim.rules.signals import SignalTable
from tme_sim.rules.tables import compile_rules
from tme_sim.scenario.scenario import Scenario
from tme_sim.state.codes import STAGES
from tme_sim.state.tissue import Tissue


class PlanError(ValueError):
    """The processes of a model do not fit together."""


def physiology_of(numbers: Numbers) -> Physiology:
    """Return signals, energy and rules of a scenario, compiled."""
    layout, scenario = numbers.layout, numbers.scenario
    rules = scenario.active_rules()
    used = {signal for rule in rules for signal in (rule.signal, *(gate.signal for gate in rule.gates))}
    traits = (f"trait {name}" for name in layout.traits)
    known = list(dict.fromkeys((*layout.fields, *layout.variables, *traits, "energy")))
    signals = known + sorted(used - set(known))
    table = SignalTable.compile(
        signals,
        layout,
        cargo_decay_per_min={name: c.decay_per_min for name, c in scenario.cargo.items()},
        cargo_gain={name: float(c.gain) for name, c in scenario.cargo.items()},
    )
    tables = compile_rules(rules, layout.cell_types, signals, numbers.behaviours, numbers.base())
    return Physiology(tables, table, specs.energy(numbers), layout, expression_of(numbers))


def assay_of(
    numbers: Numbers,
    physiology: Physiology,
    held: Callable[[Tissue, np.ndarray], Change | None] | None = None,
) -> Assay:
    """Return how resistance is measured in a scenario; ``held``: what interventions do to variables."""
    scenario, layout = numbers.scenario, numbers.layout
    oxygen = layout.fields.index("oxygen") if "oxygen" in layout.fields else -1
    resistance = scenario.resistance
    naive = _naive_fields(numbers)
    if oxygen >= 0 and resistance is not None:
        naive[oxygen] = float(resistance.normoxia)
    s_min, g2m_min, _ = numbers.cycle_minutes()
    return Assay(
        physiology=physiology,
        exposures=exposures_of(scenario),
        naive_fields=naive,
        s_min=s_min,
        g2m_min=g2m_min,
        rim_from_vessel_um=float(resistance.rim_from_vessel) if resistance is not None else np.inf,
        stain_half_mmhg=float(resistance.stain) if resistance is not None else 1.0,
        oxygen_field=oxygen,
        resistant_below=float(resistance.threshold) if resistance is not None else 0.5,
        every_min=(float(resistance.every) or np.inf) if resistance is not None else 0.0,
        held=held,
    )


def exposures_of(scenario: Scenario) -> tuple[ReferenceExposure, ...]:
    """Return the exposures that resistance to each drug refers to."""
    return tuple(
        ReferenceExposure(
            drug=name,
            dose_nm=drug.free_reference,
            on_min=float(drug.reference.length),
            follow_min=float(drug.reference.follow),
            half_max_nm=specs.half_max_of(drug),
            hill=float(drug.hill),
            lethal_hill=float(drug.lethal_hill),
            acts_in=tuple(stage in drug.acts_in for stage in STAGES),
        )
        for name, drug in scenario.drugs.items()
        if drug.reference is not None
    )


def _naive_fields(numbers: Numbers) -> np.ndarray:
    """Return the fields that a naive cell lives in, float64 (n_fields,): supply, but no factors and no drug.

    Supply is what vessels hold, or what a field without vessels starts with. A factor is a field marked interstitial,
    one that cells secrete by a base value or a rule, whatever hypothesis is chosen, or one that vesicles set free.
    """
    scenario = numbers.scenario
    made = {rule.behaviour for rule in scenario.rules}
    made |= {name for cell in scenario.cells.values() for name, value in cell.base.items() if value > 0}
    absent = {drug.field for drug in scenario.drugs.values()}
    absent |= {field for pool in scenario.vesicles.values() for field in pool.frees}
    absent |= {name for name, f in scenario.fields.items() if f.interstitial or f"secretion {name}" in made}
    out = np.zeros(len(scenario.fields))
    for column, (name, f) in enumerate(scenario.fields.items()):
        if name not in absent:
            out[column] = float(f.start if f.vessel is None else f.vessel.value or 0.0)
    return out


def processes_of(
    numbers: Numbers,
    physiology: Physiology,
    interventions: Interventions,
    found: Callable[[Tissue, np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    extra: Sequence[Process] = (),
) -> list[Process]:
    """Return all processes in the order of a step; ``extra`` ones come after pathways, ``found`` makes founders.

    Raises
    ------
    PlanError
        When two processes own one variable.
    """
    layout, grid, column = numbers.layout, numbers.grid, numbers.column
    s_min, g2m_min, cycles = numbers.cycle_minutes()
    cells = list(numbers.scenario.cells.values())
    drugs = Drugs(specs.drug_specs(numbers))
    vessel = vessel_type(numbers)
    processes: list[Process] = [interventions, Sense(physiology, interventions), Vessels(vessel)]
    if layout.fields:
        processes.append(
            Fields(
                specs.field_specs(numbers),
                grid.shape,
                grid.spacing_um,
                column,
                specs.well(numbers),
                medium_sites=grid.medium_sites,
            )
        )
    before_drugs, behind_drugs = vesicle_processes(numbers)
    processes += before_drugs
    division = Division(
        push=np.array([cell.push for cell in cells], np.int64),
        movable=np.array([kind != vessel for kind in range(len(cells))]),
        elsewhere=(vessel,) if layout.growing else (),
    )
    time_min = np.array([float(v.time) for v in numbers.scenario.variables.values()])
    targets = np.array([column[name] for name in layout.variables], np.int64)
    processes += [
        drugs,
        *behind_drugs,
        Pathways(time_min, targets),
        *extra,
        Fate(
            clearance_min=specs.clearance_minutes(cells),
            drug_field=np.array([spec.field for spec in drugs.specs], np.int64),
            damage_response=drugs.responses,
        ),
        Cycle(s_min, g2m_min, cycles, room=division.has_room),
        division,
        *_angiogenesis(numbers, division),
        *([Recruitment(found)] if any(name.startswith("recruitment ") for name in column) else []),
        *([Heredity(inheritance_of(numbers))] if numbers.scenario.heredity() else []),
        Migration(),
        Settle(),
    ]
    check_owners(processes)
    return processes


def _angiogenesis(numbers: Numbers, division: Division) -> list[Process]:
    vessels = numbers.scenario.vessels
    if vessels is None or vessels.sprouting is None:
        return []
    return [
        Angiogenesis(
            inhibition=round(vessels.sprouting.inhibition / numbers.grid.spacing_um),
            persistence=float(vessels.sprouting.persistence),
            push=int(division.push[vessel_type(numbers)]),
            movable=division.movable,
        )
    ]


def check_owners(processes: Sequence[Process]) -> None:
    """Raise PlanError when two processes own one variable."""
    owner: dict[str, str] = {}
    faults = []
    for process in processes:
        for variable in process.writes:
            if variable in owner:
                faults.append(
                    f"{variable} is owned by {owner[variable]} and by {process.name}; expected one owner"
                )
            owner[variable] = process.name
    if faults:
        raise PlanError("\n".join(faults))
