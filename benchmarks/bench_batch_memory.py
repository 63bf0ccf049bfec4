"""Memory and time of summarising a batch of many gigabytes: python -m benchmarks.bench_batch_memory [GB]."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tme_sim.record.hdf5 import building
from tme_sim.record.manifest import sealed_manifest
from tme_sim.record.seal import seal_file

MEASURES, TIMES = 190, 721
_SUMMARISE = """
import sys, time
from tme_sim import open_batch
from tme_sim.analysis.comparison import compare_with_control
from tme_sim.analysis.replicates import summarise, through_time
from tme_sim.record.machine import peak_memory_mb
before = peak_memory_mb()
start = time.perf_counter()
with open_batch(sys.argv[1]) as batch:
    measures = list(batch.measures)
    table = batch.table(measures)
    summarise(table, measures)
    compare_with_control(table, measures[:20], batch.control)
    for name in measures[:5]:
        through_time(batch.timeseries[name].to_numpy(), batch.design["arm"].tolist())
    for number, run in batch.runs():
        run.dataset("fields")["oxygen"].isel(time=-1).mean().item()
after = peak_memory_mb()
print(len(table), before, after, time.perf_counter() - start)
"""


def make_batch(folder: Path, n_runs: int, shard_mb: float) -> float:
    """Make a batch of run files that differ in their ids alone; return its size, GB."""
    (folder / "runs").mkdir(parents=True)
    runs, size = [], 0
    for number in range(n_runs):
        run_id = f"{number:032x}"
        path = folder / "runs" / f"{run_id}.h5"
        _write_shard(path, run_id, shard_mb)
        size += path.stat().st_size
        arm = ("control", "blocked")[number % 2]
        place = {"index": number, "arm": arm, "point": {}, "replicate": number // 2}
        runs.append({**place, "seed": number // 2 + 1, "run_id": run_id})
    manifest = {
        "plan_id": "f" * 32, "experiment": "large", "title": "", "scenario": "made", "control": "control",
        "converge": {}, "tolerance": 0.05, "report": [], "interval_min": 60.0,
        "duration_min": 60.0 * (TIMES - 1), "runs": runs,
    }  # fmt: skip
    (folder / "batch.json").write_bytes(sealed_manifest(manifest))
    return size / 1e9


def _write_shard(path: Path, run_id: str, size_mb: float) -> None:
    """Write a run file with series and incompressible snapshots of a given size."""
    rng = np.random.default_rng(1)
    with building(path) as file:
        file.describe(run_id=run_id, source="made", numerics_version="0", format_version=1)
        series = file.branch("timeseries")
        series.write_coordinate("time", 60.0 * np.arange(TIMES), units="min")
        for number in range(MEASURES):
            series.write(f"measure_{number:03d}", rng.random(TIMES), ("time",), units="1")
        fields = file.branch("fields")
        snapshots = max(1, round(size_mb * 1e6 / 4 / 256**2))
        fields.write_dimension("y", 256)
        fields.write_dimension("x", 256)
        fields.write_coordinate("time", np.arange(float(snapshots)), units="min")
        values = rng.random((snapshots, 256, 256), np.float32)
        fields.write("oxygen", values, ("time", "y", "x"), (1, 256, 256))
    with path.open("ab") as file:
        file.write(seal_file(path))


def summarise_apart(folder: Path) -> tuple[int, float, float, float]:
    """Summarise in a process of its own; return runs, memory before and at its peak (MB), seconds."""
    done = subprocess.run(
        [sys.executable, "-c", _SUMMARISE, str(folder)], capture_output=True, text=True, check=True
    )
    runs, before, after, seconds = done.stdout.split()
    return int(runs), float(before), float(after), float(seconds)


def main() -> None:
    size_gb = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    folder = Path(tempfile.mkdtemp(prefix="tme-sim-large-"))
    try:
        for share in (0.1, 1.0):
            place = folder / f"{share:g}"
            started = time.perf_counter()
            made = make_batch(place, max(2, round(100 * share * size_gb / 10.0)), 100.0)
            told = f"made in {time.perf_counter() - started:.0f} s"
            runs, before, after, seconds = summarise_apart(place)
            print(f"{made:5.2f} GB in {runs} runs ({told}): {seconds:.0f} s, ", end="")
            print(f"peak {after:.0f} MB, of which {before:.0f} MB before the batch was opened")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
