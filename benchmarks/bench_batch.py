"""Measures what a batch adds to its runs, what a second worker brings, and how long many run files take to merge."""

from __future__ import annotations

import argparse
import gc
import io
import itertools
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from tme_sim.batch.folder import Folder
from tme_sim.batch.plan import Plan, make_plan
from tme_sim.batch.worker import Job, run_job
from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.jit import set_threads
from tme_sim.record.seal import seal
from tme_sim.record.session import recorder_of
from tme_sim.record.writer import build_content
from tme_sim.scenario.scenario import layout_of

EXPERIMENT = """
experiment: bench
scenario: liver_metastasis
settings:
  grid.size: [500 um, 500 um]
  tissue.tumour.nodules: [{centre: middle, radius: 150 um, filling: 90 %}]
  time.duration: MINUTES min
  record: {measures: every 1 h, snapshots: never}
  stop: [extinct]
replicates: RUNS
checkpoint: never
"""
MERGE = """
import sys, time
from pathlib import Path
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.record.machine import peak_memory_mb
began, used = time.perf_counter(), time.process_time()
merged = merge(Folder(Path(sys.argv[1])))
print(merged.runs, time.perf_counter() - began, time.process_time() - used,
      peak_memory_mb())
"""


# Processes whose parent has gone become children of this one, which waits for them all.
PROCESSOR = """
import ctypes, os, resource, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
subprocess.run(sys.argv[1:], check=True)
try:
    while True:
        os.wait()
except ChildProcessError:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(used.ru_utime + used.ru_stime)
"""
# A warm process: says that it is ready, and does its runs one after the other when told to.
WARM = """
import sys
from pathlib import Path
from benchmarks.bench_batch import warm_runs
warm_runs(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
"""
_STEP_MIN = 12  # of the scenario


def experiment(folder: Path, runs: int, steps: int) -> Path:
    path = folder / "bench.yaml"
    path.write_text(EXPERIMENT.replace("MINUTES", str(steps * _STEP_MIN)).replace("RUNS", str(runs)))
    return path


def steps_in_a_second(folder: Path) -> int:
    """Return how many steps a run makes in about a second, its building and its file included."""
    long, short = (seconds_per_run(folder / f"{n}", experiment(folder, 6, n), 1, 5)[1] for n in (60, 20))
    return max(1, round(20 + (1.0 - short) * 40 / (long - short)))


def timed_batch(path: Path, out: Path, workers: int) -> tuple[float, float, float]:
    """Return wall time of the command, of its phase of runs, and of all runs together, s."""
    line = [
        sys.executable,
        "-m",
        "tme_sim",
        "batch",
        str(path),
        "--out",
        str(out),
        "--workers",
        str(workers),
        "-q",
    ]
    began = time.time()
    subprocess.run(line, check=True)
    wall = time.time() - began
    with h5py.File(out / "results.h5") as file:
        each = np.asarray(file["provenance/wall_time_s"])
    ended = np.array([path.stat().st_mtime for path in (out / "runs").glob("*.h5")])
    first = ended.min() - each.max()  # about when runs began: kernels were loaded before
    return wall, float(ended.max() - first), float(each.sum())


def overhead(folder: Path, runs: int, steps: int) -> dict[str, float]:
    """Return what a batch of two workers takes beyond the same runs, files and all, s and %.

    These are done one after the other in one warm process, and in two side by side without any batch, which is what
    two cores can do at best. Blocks before and after the batch show how far wall times can be trusted; processor
    time mostly can.
    """
    path = experiment(folder, runs, steps)
    before = [seconds_per_run(folder / f"before{n}", path, n) for n in (1, 2)]
    used = processor_of_batch(path, folder / "overhead")
    wall, phase, stepping = timed_batch(path, folder / "timed", 2)
    after = [seconds_per_run(folder / f"after{n}", path, n) for n in (1, 2)]
    used_by_few = processor_of_batch(experiment(folder, runs // 4, steps), folder / "few")
    (pure, pure_processor), (beside, beside_processor) = np.mean([before, after], axis=0).tolist()
    each = (used - used_by_few) / (runs - runs // 4)  # without start, table and the like
    return {
        "runs": runs,
        "one warm process, s per run, before": before[0][0],
        "the same, after": after[0][0],
        "two side by side, s per run of each, before": before[1][0],
        "the same two, after": after[1][0],
        "s per run in the batch, file left out": stepping / runs,
        "wall, s": wall,
        "start, merge and table, s": wall - phase,
        "over one warm process, %": 100.0 * (2 * wall / (pure * runs) - 1.0),
        "over one warm process without these, %": 100.0 * (2 * phase / (pure * runs) - 1.0),
        "over two side by side, %": 100.0 * (2 * wall / (beside * runs) - 1.0),
        "over two side by side without these, %": 100.0 * (2 * phase / (beside * runs) - 1.0),
        "processor per run, one warm process": pure_processor,
        "processor per run, two side by side": beside_processor,
        "processor per run in the batch, merging included": each,
    }


def processor_of_batch(path: Path, out: Path) -> float:
    """Return the processor time of a batch and all of its processes, s."""
    line = [sys.executable, "-m", "tme_sim", "batch", str(path), "--out", str(out), "--workers", "2", "-q"]
    found = subprocess.run(
        [sys.executable, "-c", PROCESSOR, *line], check=True, capture_output=True, text=True
    )
    return float(found.stdout)


def seconds_per_run(folder: Path, path: Path, processes: int, runs: int = 20) -> tuple[float, float]:
    """Return wall and processor time of a run with its file in warm processes side by side, means of several, s."""
    lines = [
        [sys.executable, "-c", WARM, str(folder / str(n)), str(path), str(runs)] for n in range(processes)
    ]
    begun = [
        subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for line in lines
    ]
    for process in begun:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in begun:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[0].split() for process in begun]
    wall, used = np.mean(np.array(said, float), axis=0)
    return float(wall), float(used)


def warm_runs(folder: Path, path: Path, runs: int) -> None:
    """Do a run, say so, and print wall and processor time of each of those after it, s."""
    batch, plan = Folder(folder), make_plan(path)
    batch.prepare(plan)
    set_threads(1)
    jobs = [Job(batch, run, plan.scenario(run), None, float("inf")) for run in plan.runs[: runs + 1]]
    run_job(jobs[0], lambda: False, lambda _step, _steps: None)
    gc.collect()
    gc.freeze()  # as processes of a batch do: looking through what is loaded takes 0.1 s each time
    print("ready", flush=True)
    sys.stdin.readline()
    began, used = time.perf_counter(), time.process_time()
    for job in jobs[1:]:
        run_job(job, lambda: False, lambda _step, _steps: None)
    done = len(jobs) - 1
    print((time.perf_counter() - began) / done, (time.process_time() - used) / done)


def second_worker(folder: Path, runs: int, steps: int, rounds: int) -> list[float]:
    """Return how many times as many runs two workers do as one in the same time, round by round."""
    path, ratios = experiment(folder, runs, steps), []
    for number in range(rounds):
        phases = [timed_batch(path, folder / f"{number}-{workers}", workers)[1] for workers in (1, 2)]
        ratios.append(phases[0] / phases[1])
    return ratios


def made_shards(folder: Path, plan: Plan, runs: int) -> Folder:
    """Return a batch whose run files all hold the series of one run."""
    batch = Folder(folder / f"merge{runs}")
    batch.prepare(plan)
    model = TumorMicroenvironment(plan.scenario(plan.runs[0]))
    recorder = recorder_of(model, plan.experiment.measures)
    recorder.start(model)
    while model.running:
        model.step()
        recorder.observe(model.tissue)
    content = bytes(build_content(recorder.finish(), {"wall_time_s": 1.0}))
    for run in plan.runs:
        renamed = io.BytesIO(content)
        with h5py.File(renamed, "r+") as file:
            file.attrs.modify("run_id", run.run_id.encode())
        batch.run_file(run.run_id).write_bytes(renamed.getvalue() + seal(renamed.getvalue()))
    return batch


def merging(folder: Path, runs: int, measures: int) -> dict[str, float]:
    """Return how long the merge of many run files of 25 times takes, and its largest memory."""
    path = experiment(folder, runs, 120)
    names = list(measures_for(layout_of(make_plan(path).scenarios[0])))[:measures]
    path.write_text(path.read_text() + f"measures: [{', '.join(names)}]\n")
    batch = made_shards(folder, make_plan(path), runs)
    line = [sys.executable, "-c", MERGE, str(batch.path)]
    found = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    shutil.rmtree(batch.path)
    number, wall, used, memory = map(float, re.findall(r"[\d.]+", found))
    facts = {
        "runs": number,
        "measures": len(names),
        "wall, s": wall,
        "processor, s": used,
        "memory, MB": memory,
    }
    print(facts, flush=True)
    return facts


def main(arguments: list[str] | None = None) -> dict[str, object]:
    """Print and return all numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_batch")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--shards", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument(
        "--measures", type=int, nargs="+", default=[50, 1000], help="at most; 1000: all there are"
    )
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        found: dict[str, object] = {
            "merge": [merging(folder, *pair) for pair in itertools.product(chosen.shards, chosen.measures)]
        }
        steps = steps_in_a_second(folder)
        if chosen.runs:
            found["overhead"] = overhead(folder, chosen.runs, steps)
            print("overhead:", found["overhead"], flush=True)
        found["two workers against one"] = second_worker(folder, 30, steps, chosen.rounds)
        print("two workers against one:", found["two workers against one"], flush=True)
    return found


if __name__ == "__main__":
    main()
