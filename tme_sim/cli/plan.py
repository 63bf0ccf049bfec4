"""The command ``plan``: what a run would do, process by process, and what it would need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from tme_sim.cli import table
from tme_sim.cli.options import Config, Json, Seed, Settings, Until, naming_as_typed, overrides
from tme_sim.cli.scenario import build

if TYPE_CHECKING:
    from tme_sim.model.tumor import TumorMicroenvironment

# Interpreter, NumPy, Numba, Mesa and HDF5, measured once after loading all of them.
_PROGRAM_MB = 285.0
# The solver keeps right-hand side, direction, residual and the coarser levels of every field and pool.
_SOLVER_COPIES = 6.0


def plan(
    config: Config,
    *,
    settings: Settings = None,
    until: Until = None,
    seed: Seed = None,
    as_json: Json = False,
) -> None:
    """Show what a run would do and the memory it needs."""
    import json

    with naming_as_typed(until, seed):
        facts = describe(build(config, overrides(settings, until, seed)))
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    size, time = facts["grid"], facts["time"]
    typer.echo(
        f"{facts['scenario']}: {size['x']} x {size['y']} x {size['z']} sites of {size['spacing_um']:g} um, "
        f"{time['steps']:,} steps of {time['step_min']:g} min ({time['days']:g} d), "
        f"{facts['cells']:,} cells at the start"
    )
    for kind in ("cell_types", "fields", "pools", "cargo", "drugs", "variables"):
        typer.echo(f"{kind.replace('_', ' ')}: {', '.join(facts[kind]) or 'none'}")
    rows = [(p["name"], ", ".join(p["reads"]), ", ".join(p["writes"])) for p in facts["processes"]]
    table.show(("process", "reads", "writes"), rows)
    for drug in facts["doses"]:
        typer.echo(sentence(drug))
    memory = facts["memory_mb"]
    parts = ", ".join(f"{name} {value:,.0f}" for name, value in memory.items() if name != "total")
    typer.echo(f"memory: about {memory['total']:,.0f} MB ({parts})")


def describe(model: TumorMicroenvironment) -> dict[str, Any]:
    """Return the plan of a built model as plain data."""
    tissue = model.tissue
    lay, grid = tissue.layout, tissue.grid
    nz, ny, nx = grid.shape
    return {
        "scenario": model.title,
        "seed": model.seed,
        "grid": {"x": nx, "y": ny, "z": nz, "spacing_um": grid.spacing_um},
        "time": {
            "steps": model.config.time.n_steps,
            "step_min": tissue.clock.dt_min,
            "days": model.config.time.n_steps * tissue.clock.dt_min / 1440.0,
        },
        "cells": len(tissue.cells),
        "cell_types": list(lay.cell_types),
        "fields": list(lay.fields),
        "pools": list(lay.pools),
        "cargo": list(lay.cargo),
        "drugs": list(lay.drugs),
        "variables": list(lay.variables),
        "processes": [
            {"name": process.name, "reads": list(process.reads), "writes": list(process.writes)}
            for process in model.processes
        ],
        "doses": doses(model),
        "memory_mb": memory(model),
    }


def doses(model: TumorMicroenvironment) -> list[dict[str, Any]]:
    """Return for every drug that is given its first doses and what they make of plasma."""
    from tme_sim.processes.dosing import expected

    clock, out = model.tissue.clock, []
    for course in model.interventions.dosing.courses:
        found = expected(course, model.config.time.n_steps * clock.dt_min, clock.dt_min)
        out.append(
            {
                "drug": course.drug,
                "doses_d": [t / 1440.0 for t in found.doses_min],
                "conditional": any(dose.switch.when is not None for dose in course.doses),
                "peak_nm": found.peak_nm,
                "peak_d": found.peak_min / 1440.0,
                "end_nm": found.end_nm,
                "area_nm_h": found.area_nm_min / 60.0,
                "unbound": course.unbound,
            }
        )
    return out


def sentence(drug: dict[str, Any]) -> str:
    """Return in words what the doses of a drug make of plasma."""
    times = ", ".join(f"{t:g} d" for t in drug["doses_d"])
    if not times:
        given = "measured curve"
    elif drug["conditional"]:
        given = f"doses from its condition on, the first after {times}"
    else:
        given = f"first doses at {times}"
    return (
        f"{drug['drug']}: {given}; in plasma up to {drug['peak_nm']:,.4g} nM total "
        f"({drug['unbound'] * drug['peak_nm']:,.4g} nM free) at {drug['peak_d']:.3g} d, "
        f"{drug['end_nm']:,.4g} nM at the end, area {drug['area_nm_h']:,.4g} nM h"
    )


def memory(model: TumorMicroenvironment) -> dict[str, float]:
    """Return the expected memory in MB by part, with every site occupied at the end."""
    tissue, lay = model.tissue, model.tissue.layout
    sites = tissue.grid.n_sites
    per_cell = sum(tissue.cells[name].itemsize * _width(tissue.cells[name]) for name in tissue.cells.names)
    species = len(lay.fields) + len(lay.pools)
    duration_min = model.config.time.n_steps * tissue.clock.dt_min
    snapshots = 2 + duration_min // float(model.config.record.snapshots)
    per_snapshot = sites * (4.0 * (species + 2) + per_cell)
    parts = {
        "program": _PROGRAM_MB,
        "cells": 1.5 * sites * per_cell / 1e6,
        "fields": sites * species * 8.0 * (1.0 + _SOLVER_COPIES) / 1e6,
        "snapshots": snapshots * per_snapshot / 1e6,
    }
    return {**parts, "total": sum(parts.values())}


def _width(column: Any) -> int:
    return column.shape[1] if column.ndim == 2 else 1
