"""Builds the processes of vesicles, of what they carry, and of the matrix that hinders them."""

from __future__ import annotations

import numpy as np

from tme_sim.model.specs import Numbers, pool_specs
from tme_sim.processes.base import Process
from tme_sim.processes.carried import CarriedDrug, DockedBefore, LoadSpec
from tme_sim.processes.freeing import FreedCargo, Freeing
from tme_sim.processes.matrix import Digestion, Hindrance, Matrix
from tme_sim.processes.vesicles import Vesicles


def vesicle_processes(numbers: Numbers) -> tuple[list[Process], list[Process]]:
    """Return the processes between fields and drugs, and those behind drugs; only what the scenario uses."""
    digestions = _digestions(numbers)
    before: list[Process] = [Matrix(digestions)] if digestions else []
    after: list[Process] = []
    if not numbers.layout.pools:
        return before, after
    vesicles = _vesicles(numbers)
    solvers = [vesicles.solver]
    if numbers.layout.loads:
        docked = DockedBefore()
        carried = _carried(numbers, docked)
        solvers.append(carried.solver)
        before.append(docked)
        after.append(carried)
    for column, field in enumerate(numbers.scenario.fields.values()):
        if field.hinders_vesicles is not None:
            before.append(Hindrance(solvers, column, float(field.hinders_vesicles)))
    before.append(vesicles)
    freed = _freed(numbers)
    if freed:
        before.append(Freeing(freed))
    return before, after


def _vesicles(numbers: Numbers) -> Vesicles:
    grid = numbers.grid
    return Vesicles(
        pool_specs(numbers),
        grid.shape,
        grid.spacing_um,
        numbers.column,
        np.array([c.decay_per_min for c in numbers.scenario.cargo.values()]),
        len(numbers.layout.cell_types),
        medium_sites=grid.medium_sites,
    )


def _carried(numbers: Numbers, docked: DockedBefore) -> CarriedDrug:
    layout, grid, scenario = numbers.layout, numbers.grid, numbers.scenario
    specs = [
        LoadSpec(
            carrier=carrier,
            pool=pool,
            drug=layout.drugs.index(drug),
            field=layout.fields.index(scenario.drugs[drug].field),
            share=float(enrichment) * scenario.vesicles[carrier.name].volume_um3 / grid.site_volume_um3,
        )
        for pool, carrier in enumerate(pool_specs(numbers))
        for drug, enrichment in scenario.vesicles[carrier.name].exports.items()
    ]
    return CarriedDrug(
        specs, grid.shape, grid.spacing_um, numbers.column, docked, medium_sites=grid.medium_sites
    )


def _freed(numbers: Numbers) -> list[FreedCargo]:
    layout, fields = numbers.layout, numbers.scenario.fields
    return [
        FreedCargo(
            pool=column,
            field=layout.fields.index(field),
            decay_per_min=pool.decay_per_min,
            amount=float(molecules)
            / numbers.grid.molecules_per_nm(whole_site=not fields[field].interstitial),
        )
        for column, pool in enumerate(numbers.scenario.vesicles.values())
        for field, molecules in pool.frees.items()
        if molecules > 0.0
    ]


def _digestions(numbers: Numbers) -> list[Digestion]:
    fields = numbers.layout.fields
    return [
        Digestion(column, fields.index(enzyme), float(how.rate), float(how.half_max))
        for column, field in enumerate(numbers.scenario.fields.values())
        for enzyme, how in field.digested_by.items()
    ]
