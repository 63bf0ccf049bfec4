"""Times the step of a whole model on one thread: every species, rule and process of bench.yaml at work."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tme_sim import TumorMicroenvironment
from tme_sim.numerics.jit import set_threads
from tme_sim.record.machine import peak_memory_mb
from tme_sim.state.codes import ALIVE

SCENARIO = Path(__file__).with_name("bench.yaml")
STEPS_PER_HOUR = 10
WARM_UP_STEPS = 30  # fields, cargo and variables leave their first values
HOURS = 7


@dataclass
class Case:
    """A lattice, how many cells it holds and the seconds that an hour may take (None: no target)."""

    name: str
    sites: int
    cells: int
    target_s: float | None


CASES = (
    Case("50,000 cells on 250x250", 250, 50_000, 0.6),
    Case("10,000 cells on 120x120", 120, 10_000, 0.12),
)


def build(case: Case) -> TumorMicroenvironment:
    """Return the model with exactly as many cells as asked for, tumour cells making up the number."""
    size = f"grid.size=[{20 * case.sites} um, {20 * case.sites} um]"
    without = TumorMicroenvironment(SCENARIO, [size, "tissue.tumour.density=0 %"])
    share = (case.cells - without.tissue.cells.n) / case.sites**2
    return TumorMicroenvironment(SCENARIO, [size, f"tissue.tumour.density={100 * share:.6f} %"])


class Stopwatch:
    """Adds up processor time per process of a model."""

    def __init__(self, model: TumorMicroenvironment):
        self.seconds: dict[str, float] = {}
        for process in model.processes:
            process.step = self._timed(process.name, process.step)

    def _timed(self, name, step):
        self.seconds[name] = 0.0

        def timed(tissue, context):
            begin = time.process_time()
            step(tissue, context)
            self.seconds[name] += time.process_time() - begin

        return timed


def rules_of(model: TumorMicroenvironment, cell_type: str) -> int:
    return sum(rule.cell == cell_type for rule in model.config.active_rules())


def idle(model: TumorMicroenvironment) -> list[str]:
    """Return what stands still: species without source or sink, variables and behaviours that nothing reads."""
    found, layout, ledger = [], model.tissue.layout, model.tissue.ledger
    for name, (secreted, supplied, consumed, decayed, *rest) in zip(
        layout.fields, ledger.fields, strict=True
    ):
        if secreted + supplied <= 0.0 or consumed + decayed + sum(rest) <= 0.0:
            found.append(f"field {name}")
    for name, (released, _, internalised, decayed, *_) in zip(layout.pools, ledger.pools, strict=True):
        if released <= 0.0 or internalised <= 0.0 or decayed <= 0.0:
            found.append(f"pool {name}")
    rules = model.config.active_rules()
    read = {rule.signal for rule in rules} | {gate.signal for rule in rules for gate in rule.gates}
    read |= model.physiology.energy.inputs(layout)
    found += [f"variable {name}" for name in layout.variables if name not in read]
    cargo = {word.partition(" ")[2] for word in read if word.startswith(("held ", "arriving "))}
    return found + [f"cargo {name}" for name in layout.cargo if name not in cargo]


def residuals(model: TumorMicroenvironment) -> tuple[float, int, int]:
    """Return the largest relative residual of the last solves, fewest and most iterations of a species."""
    fields = next(p for p in model.processes if p.name == "fields")
    vesicles = next(p for p in model.processes if p.name == "vesicles")
    cycles = [*fields.cycles.values(), *np.asarray(vesicles.cycles).tolist()]
    return max(*fields.residual.values(), float(np.max(vesicles.residual))), min(cycles), max(cycles)


def measure(case: Case) -> dict:
    """Run a case and return its numbers."""
    before_mb = peak_memory_mb()
    model = build(case)
    cells = model.tissue.cells
    at_start = cells.n
    watch = Stopwatch(model)
    for _ in range(WARM_UP_STEPS):
        model.step()
    hours, parts = [], []
    sites_before = dict(zip(cells["id"].tolist(), cells["site"].tolist(), strict=True))
    for _ in range(HOURS):
        watch.seconds = dict.fromkeys(watch.seconds, 0.0)
        begin = time.process_time()
        for _ in range(STEPS_PER_HOUR):
            model.step()
        hours.append(time.process_time() - begin)
        parts.append(dict(watch.seconds))
    layout, fastest = model.tissue.layout, int(np.argmin(hours))
    species = len(layout.fields) + len(layout.pools)
    residual, fewest, most = residuals(model)
    moved = sum(
        sites_before.get(i, s) != s for i, s in zip(cells["id"].tolist(), cells["site"].tolist(), strict=True)
    )
    model.tissue.check()
    bytes_per_cell = sum(cells[name].nbytes for name in cells.names) / cells.n
    spent = hours[fastest]
    return {
        "case": asdict(case),
        "cells_at_start": at_start,
        "cells_at_end": int(np.count_nonzero(cells["death"] == ALIVE)),
        "species": species,
        "rules_on_tumour_cells": rules_of(model, "tumour"),
        "rules": len(model.config.active_rules()),
        "idle": idle(model),
        "births": len(model.tissue.events.table("births")),
        "deaths": len(model.tissue.events.table("deaths")),
        "moved": moved,
        "seconds_per_hour": spent,
        "seconds_per_hour_median": float(np.median(hours)),
        "ns_per_cell_step": spent / STEPS_PER_HOUR / case.cells * 1e9,
        "ns_per_site_species_step": spent / STEPS_PER_HOUR / case.sites**2 / species * 1e9,
        "solver_ns_per_site_species_step": sum(parts[fastest][n] for n in ("fields", "vesicles"))
        / STEPS_PER_HOUR
        / case.sites**2
        / species
        * 1e9,
        "residual": residual,
        "iterations": [fewest, most],
        "bytes_per_cell": bytes_per_cell,
        "peak_memory_mb": peak_memory_mb(),
        "peak_memory_mb_before": before_mb,
        "ms_per_step": {name: 1e3 * s / STEPS_PER_HOUR for name, s in parts[fastest].items()},
    }


def as_markdown(results: list[dict]) -> str:
    """Return the numbers of all cases as Markdown tables."""
    rows: list[tuple[str, list[str]]] = [
        ("seconds per simulated hour", [f"{r['seconds_per_hour']:.3f}" for r in results]),
        ("… median of the hours", [f"{r['seconds_per_hour_median']:.3f}" for r in results]),
        ("… target", [f"{r['case']['target_s']}" for r in results]),
        ("ns per cell and step", [f"{r['ns_per_cell_step']:.0f}" for r in results]),
        ("ns per site, species and step", [f"{r['ns_per_site_species_step']:.0f}" for r in results]),
        ("… fields and vesicles alone", [f"{r['solver_ns_per_site_species_step']:.0f}" for r in results]),
        ("fields and pools", [f"{r['species']}" for r in results]),
        ("rules on tumour cells (all)", [f"{r['rules_on_tumour_cells']} ({r['rules']})" for r in results]),
        ("standing still", [", ".join(r["idle"]) or "nothing" for r in results]),
        ("cells, first and last", [f"{r['cells_at_start']}, {r['cells_at_end']}" for r in results]),
        ("births, deaths, moved", [f"{r['births']}, {r['deaths']}, {r['moved']}" for r in results]),
        ("largest residual", [f"{r['residual']:.1e}" for r in results]),
        ("iterations per solve", ["{}-{}".format(*r["iterations"]) for r in results]),
        ("bytes per cell", [f"{r['bytes_per_cell']:.0f}" for r in results]),
        ("peak memory, MB", [f"{r['peak_memory_mb']:.0f}" for r in results]),
    ]
    rows += [
        (f"{name}, ms per step", [f"{r['ms_per_step'][name]:.2f}" for r in results])
        for name in results[0]["ms_per_step"]
    ]
    head = "| | " + " | ".join(r["case"]["name"] for r in results) + " |\n|---" * 1
    head += "|---" * len(results) + "|\n"
    return head + "".join(f"| {label} | {' | '.join(values)} |\n" for label, values in rows)


def main(arguments: list[str]) -> list[dict]:
    """Run all cases, or those whose number of cells is given, and print the table."""
    set_threads(1)
    cases = [c for c in CASES if not arguments or str(c.cells) in arguments]
    results = [measure(case) for case in cases]
    print(as_markdown(results))
    return results


if __name__ == "__main__":
    numbers = main([a for a in sys.argv[1:] if not a.startswith("-")])
    if "--json" in sys.argv:
        print(json.dumps(numbers, indent=1))
