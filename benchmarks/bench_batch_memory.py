"""Memory and time of summarising a batch of many gigabytes: python -m benchmarks.bench_batch_memory [GB]."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from tme_sim.record.hdf5 import write_coordinate, write_dimension
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
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["run_id"] = np.bytes_(run_id)
        file.attrs["source"], file.attrs["numerics_version"], file.attrs["format_version"] = "made", "0", 1
        series = file.create_group("timeseries", track_order=True)
        write_coordinate(series, "time", 60.0 * np.arange(TIMES), units="min")
        for number in range(MEASURES):
            data = series.create_dataset(f"measure_{number:03d}", data=rng.random(TIMES))
            data.attrs["units"] = "1"
            data.dims[0].attach_scale(series["time"])
        fields = file.create_group("fields")
        snapshots = max(1, round(size_mb * 1e6 / 4 / 256**2))
        write_dimension(fields, "y", 256)
        write_dimension(fields, "x", 256)
        write_coordinate(fields, "time", np.arange(float(snapshots)), units="min")
        data = fields.create_dataset(
            "oxygen", data=rng.random((snapshots, 256, 256), np.float32), chunks=(1, 256, 256)
        )
        for axis, name in enumerate(("time", "y", "x")):
            data.dims[axis].attach_scale(fields[name])
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
