"""Times what measuring resistance costs beside a step, one thread: ratios of log-kill, and IC50 folds."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tme_sim import TumorMicroenvironment
from tme_sim.measures.ic50 import SAMPLE, folds
from tme_sim.measures.resistance import assess
from tme_sim.numerics.jit import set_threads

# Radii that make a few thousand tumour cells.
CASES = {"s0_relay": 650, "liver_metastasis": 650, "hcc_sorafenib": 550}
HOURS, TURNS = 12, 9


def main() -> dict:
    """Print one row per scenario, medians of processor time, ms."""
    set_threads(1)
    print(
        "| scenario | tumour cells | ratios | folds of all | folds of a sample | step |\n|---|---|---|---|---|---|"
    )
    found = {}
    for name, radius in CASES.items():
        model = TumorMicroenvironment(name, [f"tissue.tumour.nodules.0.radius={radius} um"])
        while model.clock.minutes < 60 * HOURS:
            model.step()
        assay, tissue = model.assay, model.tissue
        rows, exposure = model.measure_context.fresh().tumour_rows(tissue), assay.exposures[0]
        some = rows[np.linspace(0, len(rows) - 1, SAMPLE).astype(np.int64)]
        parts: list[Callable[[], object]] = [
            lambda: assess(assay, exposure, tissue, rows),  # noqa: B023 - called within the turn of the loop
            lambda: folds(assay, exposure, tissue, rows),  # noqa: B023
            lambda: folds(assay, exposure, tissue, some),  # noqa: B023
        ]
        times = np.array([[_seconds(part) for part in parts] for _ in range(TURNS)])
        step = np.median([_seconds(model.step) for _ in range(TURNS)])
        found[name] = [1e3 * float(ms) for ms in (*np.median(times[1:], axis=0), step)]
        print(f"| {name} | {len(rows):,} | " + " | ".join(f"{ms:.1f}" for ms in found[name]) + " |")
    return found


def _seconds(act: Callable[[], object]) -> float:
    begin = time.process_time()
    act()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
