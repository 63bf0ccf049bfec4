"""Times pyphysicell with 2 fields and 5 rules on as many cells as the whole step is timed with; it is no dependency.

Runs alone too, with any interpreter that has pyphysicell: ``python benchmarks/bench_rival.py``. Timed in the same
sitting as the step it says how fast the machine is that day.
"""

from __future__ import annotations

import os
import time
from importlib.metadata import PackageNotFoundError, version

os.environ.setdefault("PYPHYSICELL_THREADS", "1")

# Measured once on a machine of two cores, one thread, seconds per simulated hour: 2 fields, 5 rules, version 0.1.4.
PUBLISHED = {"10,000 cells": 11.4, "50,000 cells": 64.6}
SITES = {"10,000 cells": 120, "50,000 cells": 250}
_SITE_UM = 20.0
_TIMED_MIN = 6.0  # 600 steps of the fields, 60 of the mechanics, one of the cells


def main() -> dict[str, float | str]:
    """Print and return processor seconds per simulated hour by number of cells, or say why there are none."""
    try:
        found = version("pyphysicell")
    except PackageNotFoundError:
        print("pyphysicell is not installed here (pip install pyphysicell). Version 0.1.4 took elsewhere,")
        print("in seconds per simulated hour: " + ", ".join(f"{k} {v}" for k, v in PUBLISHED.items()) + ".\n")
        return {"installed": "no"}
    seconds = {name: seconds_per_hour(int(name.split()[0].replace(",", ""))) for name in SITES}
    print(f"pyphysicell {found}, 2 fields, 5 rules, one thread, seconds per simulated hour (elsewhere):")
    print(", ".join(f"{name} {took:.1f} ({PUBLISHED[name]})" for name, took in seconds.items()) + ".\n")
    return {"installed": found, **seconds}


def seconds_per_hour(cells: int) -> float:
    """Return the processor time of a simulated hour, the shorter of two stretches of six minutes, s."""
    import pyphysicell as pc

    simulation = pc.Simulation(tumour(cells), seed=1)
    simulation.run(until=0.1)  # allocates, finds neighbours
    took = []
    for _ in range(2):
        began, until = time.process_time(), simulation.t + _TIMED_MIN
        while simulation.t < until:
            simulation.step()
        took.append(time.process_time() - began)
    return min(took) * 60.0 / _TIMED_MIN


def tumour(cells: int):
    """Return a model: a square full of dividing, dying and moving cells, oxygen from its edges, a drug beside it."""
    import pyphysicell as pc

    half = 0.5 * _SITE_UM * SITES[f"{cells:,} cells"]
    edges = {face: (True, 38.0) for face in ("xmin", "xmax", "ymin", "ymax")}
    model = pc.Model(
        domain=pc.Domain(x_min=-half, x_max=half, y_min=-half, y_max=half),
        substrates=[
            pc.Substrate("oxygen", 100_000.0, 0.1, 38.0, dirichlet_faces=edges),
            pc.Substrate("drug", 1_000.0, 0.01, 1.0),
        ],
        cell_types=[
            pc.CellType(
                "tumour",
                cycle=pc.Cycle(transition_rates={(0, 0): 7e-4}),
                deaths={
                    "apoptosis": pc.DeathModel(100, "apoptosis", 5e-5, {0: 516.0}),
                    "necrosis": pc.DeathModel(101, "necrosis", 0.0, {0: 0.0, 1: 86_400.0}),
                },
                motility=pc.Motility(speed=0.1, persistence_time=5.0, enabled=True, use_2D=True),
                secretion={
                    "oxygen": pc.SecretionEntry(uptake_rate=10.0),
                    "drug": pc.SecretionEntry(uptake_rate=0.1),
                },
            )
        ],
        rules=[
            pc.Rule("tumour", "oxygen", "increases", "cycle entry", 7e-4, 21.5, 4.0),
            pc.Rule("tumour", "pressure", "decreases", "cycle entry", 0.0, 1.0, 4.0),
            pc.Rule("tumour", "oxygen", "decreases", "necrosis", 0.0, 3.75, 8.0),
            pc.Rule("tumour", "oxygen", "decreases", "migration speed", 0.0, 5.0, 4.0),
            pc.Rule("tumour", "drug", "increases", "apoptosis", 1e-3, 1.0, 2.0),
        ],
    )
    model.initial_cells = pc.initial.uniform_random(model, cells, "tumour")
    return model


if __name__ == "__main__":
    main()
