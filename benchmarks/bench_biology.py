"""Times the step with the whole biology against that of bench.yaml, in turn, one thread: what do tiers A and B cost?"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from benchmarks.bench_model import CASES, Stopwatch
from tme_sim import TumorMicroenvironment
from tme_sim.numerics.jit import set_threads

PLAIN, WHOLE = (Path(__file__).with_name(name) for name in ("bench.yaml", "bench_biology.yaml"))
TARGET, TURNS, STEPS = 1.5, 10, 3


def build(scenario: Path, sites: int, n_cells: int) -> TumorMicroenvironment:
    """Return a model with about as many cells as asked for, tumour cells making up the number."""
    size = f"grid.size=[{20 * sites} um, {20 * sites} um]"
    without = TumorMicroenvironment(scenario, [size, "tissue.tumour.density=0 %"])
    share = (n_cells - without.tissue.cells.n) / sites**2
    return TumorMicroenvironment(scenario, [size, f"tissue.tumour.density={100 * share:.6f} %"])


def main() -> dict:
    """Step both models in turn and print the ratio, its spread and where the time goes."""
    set_threads(1)
    models = [build(scenario, CASES[0].sites, CASES[0].cells) for scenario in (PLAIN, WHOLE)]
    watches = [Stopwatch(model) for model in models]
    turns: list[list[float]] = [[], []]
    for turn in range(TURNS + 1):
        for model, watch, spent in zip(models, watches, turns, strict=True):
            if turn == 1:  # the first turn compiles and leaves the first values
                watch.seconds = dict.fromkeys(watch.seconds, 0.0)
            begin = time.process_time()
            for _ in range(STEPS):
                model.step()
            if turn > 0:
                spent.append((time.process_time() - begin) / STEPS)
    ratios = np.array(turns[1]) / np.array(turns[0])
    print("| | bench.yaml | bench_biology.yaml |\n|---|---|---|")
    for label, count in (
        ("fields", lambda m: len(m.tissue.layout.fields)),
        ("vesicle pools", lambda m: len(m.tissue.layout.pools)),
        ("variables", lambda m: len(m.tissue.layout.variables)),
        ("rules", lambda m: len(m.config.active_rules())),
        ("cells", lambda m: m.tissue.cells.n),
    ):
        print(f"| {label} | {count(models[0])} | {count(models[1])} |")
    print(f"| ms per step, median | {1e3 * np.median(turns[0]):.0f} | {1e3 * np.median(turns[1]):.0f} |")
    for name in sorted(watches[1].seconds, key=lambda name: -watches[1].seconds[name]):
        parts = [1e3 * watch.seconds.get(name, 0.0) / TURNS / STEPS for watch in watches]
        print(f"| {name} | {parts[0]:.1f} | {parts[1]:.1f} |")
    print(f"\nratio {np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f}); target {TARGET}")
    return {"ratio": float(np.median(ratios)), "target": TARGET}


if __name__ == "__main__":
    main()
