"""Builds doses and interventions of a scenario: one builder per kind of intervention."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tme_sim.model import specs
from tme_sim.model.placement import Nodule, inside_nodule
from tme_sim.model.specs import Numbers
from tme_sim.numerics.compartments import body_of, half_life_rate
from tme_sim.processes import acts, acts_of_giving, acts_on_cells
from tme_sim.processes.acts import Act
from tme_sim.processes.dosing import CourseSpec, Curve, DoseSpec
from tme_sim.processes.interventions import Interventions
from tme_sim.processes.switch import Condition, Switch
from tme_sim.scenario.dosing import PLACES, Dose
from tme_sim.scenario.drug import DrugSpec
from tme_sim.scenario.intervention import Intervention
from tme_sim.state.tissue import Tissue

Found = Callable[[Tissue, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Making:
    """What builders need.

    Attributes
    ----------
    condition_of : callable
        Reads a condition on a measure.
    found : callable
        Makes founders in the state of naive cells.
    """

    numbers: Numbers
    condition_of: Callable[[str], Condition]
    found: Found

    def switch(self, key: str, block: Intervention | Dose, start_min: float, until_min: float) -> Switch:
        """Return when something is on."""
        when, stop = (None if c is None else self.condition_of(c.text) for c in (block.when, block.stop_when))
        return Switch(key, start_min, until_min, when, stop)


def interventions_of(making: Making) -> Interventions:
    """Return the timeline of a scenario."""
    scenario = making.numbers.scenario
    courses = [course_of(making, name, drug) for name, drug in scenario.drugs.items() if drug.is_given]
    made: list[Act] = []
    for name, act in scenario.active_interventions().items():
        switch = making.switch(
            name, act, float(act.start), math.inf if act.until is None else float(act.until)
        )
        made += BUILDERS[act.kind](making, act, switch, len(made))
    return Interventions(specs.supply(making.numbers), courses, made)


def course_of(making: Making, name: str, drug: DrugSpec) -> CourseSpec:
    """Return all that is given of a drug."""
    curve = None
    if drug.plasma_curve is not None:
        curve = Curve(*drug.plasma_curve.points(making.numbers.vocabulary.drugs[name]))
    return CourseSpec(
        drug=name,
        field=making.numbers.layout.fields.index(drug.field),
        unbound=float(drug.unbound.plasma),
        doses=tuple(_dose(making, f"{name} dose {i}", dose) for i, dose in enumerate(drug.schedule)),
        half_life_min=float(drug.plasma_half_life or 0.0),
        body=None if drug.kinetics is None else body_of(drug.kinetics.body()),
        curve=curve,
    )


def _dose(making: Making, key: str, dose: Dose) -> DoseSpec:
    return DoseSpec(
        route=dose.route,
        size=size_of(making.numbers, dose),
        timetable=dose.timetable,
        switch=making.switch(key, dose, 0.0, math.inf),
        decline_to=1.0 if dose.declines is None else float(dose.declines.to),
        decline_min=math.inf if dose.declines is None else float(dose.declines.within),
    )


def size_of(numbers: Numbers, dose: Dose) -> float:
    """Return a dose for the scenario's patient: nM for a level, else nmol, capped."""
    patient = numbers.scenario.patient
    size, cap = (
        None
        if part is None
        else float(part) * float(getattr(patient, PLACES[part.unit]) if part.unit in PLACES else 1)
        for part in (dose.dose, dose.at_most)
    )
    assert size is not None  # noqa: S101 - narrows the type: a dose is always given
    return size if cap is None else min(size, cap)


def _types(making: Making, act: Intervention) -> tuple[int, ...]:
    return () if act.cell is None else (making.numbers.layout.cell_types.index(act.cell),)


def _pools(making: Making, act: Intervention) -> tuple[str, ...]:
    return making.numbers.layout.pools if act.target == "all" else (str(act.target),)


def _block_release(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    layout, column = making.numbers.layout, making.numbers.column
    return [
        acts_on_cells.Scale(
            switch,
            column[f"release {pool}"],
            _types(making, act),
            float(act.factor or 0.0),
            layout.pools.index(pool),
        )
        for pool in _pools(making, act)
    ]


def _block_uptake(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    column = making.numbers.column
    return [
        acts_on_cells.Scale(switch, column[f"uptake {pool}"], _types(making, act), float(act.factor or 0.0))
        for pool in _pools(making, act)
    ]


def _target_uptake(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    column, variables = making.numbers.column, making.numbers.layout.variables
    gain = float(act.gain or 0.0)
    types = _types(making, act)
    return [
        acts_on_cells.Target(
            switch, column[f"uptake {act.target}"], types, variables.index(str(act.by)), gain
        )
    ]


def _give_vesicles(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    pool, amount = making.numbers.layout.pools.index(str(act.target)), float(act.amount or 0.0)
    timetable, load = act.timetable, _load(making, act)
    if act.through is not None:
        return [acts_of_giving.GiveThroughVessels(switch, pool, amount, timetable=timetable, load=load)]
    sites = _place(making, act).reshape(making.numbers.grid.shape)
    return [acts_of_giving.GiveVesicles(switch, pool, sites, amount, timetable=timetable, load=load)]


def _load(making: Making, act: Intervention) -> acts_of_giving.Load | None:
    """Return the drug in the vesicles that are given; None: they hold none."""
    if act.loaded_with is None:
        return None
    numbers, pool = making.numbers, str(act.target)
    share = numbers.scenario.vesicles[pool].volume_um3 / numbers.grid.site_volume_um3
    return acts_of_giving.Load(
        numbers.layout.loads.index(f"{act.loaded_with} in {pool}"),
        numbers.layout.drugs.index(act.loaded_with),
        float(act.level or 0.0) * share,
    )


def _place(making: Making, act: Intervention) -> np.ndarray:
    """Return the sites that an act is done at, bool (n_sites,)."""
    grid = making.numbers.grid
    if act.at is None:
        return np.ones(grid.n_sites, bool)
    centre = None if act.at == "middle" else tuple(float(x) for x in act.at)
    return inside_nodule(grid, Nodule(0, centre, float(act.radius or 0.0)))


def _neutralise(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    fields = making.numbers.layout.fields
    field = fields.index(str(act.target))
    if act.by is None:
        return [acts.Neutralise(switch, field, float(act.rate or 0.0))]
    antibody = fields.index(making.numbers.scenario.drugs[act.by].field)
    cleared = half_life_rate(float(act.complex_half_life or math.inf))
    return [
        acts.Capture(switch, field, antibody, float(act.binding or 0.0), float(act.affinity or 0.0), cleared)
    ]


def _set_supply(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    return [
        acts.SetSupply(switch, making.numbers.layout.fields.index(str(act.target)), float(act.level or 0.0))
    ]


def _clamp(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    return [acts.Clamp(switch, making.numbers.layout.fields.index(str(act.target)), float(act.level or 0.0))]


def _knock_down(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    column = making.numbers.column[str(act.target)]
    return [acts_on_cells.Scale(switch, column, _types(making, act), float(act.factor or 0.0))]


def _express(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    column = making.numbers.column[str(act.target)]
    return [acts_on_cells.Express(switch, column, _types(making, act), float(act.to or 0.0))]


def _inhibit(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    column, fields = making.numbers.column[str(act.target)], making.numbers.layout.fields
    half, hill = float(act.half_max or 1.0), 1.0 if act.hill is None else float(act.hill)
    left = float(act.leaves or 0.0)
    types = _types(making, act)
    return [acts_on_cells.Inhibit(switch, column, types, fields.index(str(act.by)), half, hill, left)]


def _change_dose(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    return [acts.ChangeDose(switch, str(act.target), float(act.factor or 0.0))]


def _wash_out(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    layout, name = making.numbers.layout, str(act.target)
    field = layout.fields.index(making.numbers.scenario.drugs[name].field)
    return [acts.WashOut(switch, name, field, layout.drugs.index(name))]


def _exchange_medium(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    """Fresh medium holds what the fields start with, but for what is stated; steady fields settle by themselves."""
    scenario, layout = making.numbers.scenario, making.numbers.layout
    drug_of = {drug.field: name for name, drug in scenario.drugs.items()}
    stated = act.medium or {}
    fresh = []
    for column, (name, field) in enumerate(scenario.fields.items()):
        if field.solve == "steady":
            continue
        drug = drug_of.get(name)
        level = float(stated.get(name, field.start))
        if drug is not None and name in stated:
            level *= float(scenario.drugs[drug].unbound.medium)
        fresh.append((column, -1 if drug is None else layout.drugs.index(drug), level))
    share = 1.0 if act.fraction is None else float(act.fraction)
    pools = tuple(range(len(layout.pools)))
    return [acts.ExchangeMedium(switch, share, tuple(fresh), pools, timetable=act.timetable)]


def _remove_cells(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    kind = making.numbers.layout.cell_types.index(str(act.target))
    return [acts_on_cells.Raise(switch, making.numbers.column["apoptosis"], (kind,), float(act.rate or 0.0))]


def _deplete(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    layout, scenario = making.numbers.layout, making.numbers.scenario
    kind = layout.cell_types.index(str(act.target))
    drug_field = tuple(layout.fields.index(drug.field) for drug in scenario.drugs.values())
    share = float(act.fraction or 0.0)
    return [acts_on_cells.Deplete(switch, kind, share, draw, drug_field, timetable=act.timetable)]


def _transplant(making: Making, act: Intervention, switch: Switch, draw: int) -> list[Act]:
    kind = making.numbers.layout.cell_types.index(str(act.target))
    filling, sites = 1.0 if act.fraction is None else float(act.fraction), _place(making, act)
    table = act.timetable
    return [acts_of_giving.Transplant(switch, kind, sites, filling, draw, making.found, timetable=table)]


BUILDERS: dict[str, Callable[[Making, Intervention, Switch, int], list[Act]]] = {
    "block_release": _block_release,
    "block_uptake": _block_uptake,
    "target_uptake": _target_uptake,
    "give_vesicles": _give_vesicles,
    "neutralise": _neutralise,
    "set_supply": _set_supply,
    "clamp": _clamp,
    "knock_down": _knock_down,
    "knock_out": _knock_down,
    "express": _express,
    "inhibit": _inhibit,
    "change_dose": _change_dose,
    "wash_out": _wash_out,
    "exchange_medium": _exchange_medium,
    "remove_cells": _remove_cells,
    "deplete": _deplete,
    "transplant": _transplant,
}
