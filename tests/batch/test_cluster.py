"""A batch on the workers of a Dask scheduler: the files of local processes, also when a worker is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batch.made_batch import SMALL
from tme_sim.batch.cluster import ClusterError, ClusterRuns
from tme_sim.batch.folder import Folder
from tme_sim.batch.plan import make_plan
from tme_sim.batch.worker import Job, run_job
from tme_sim.record.compare import differences

EXPERIMENT = f"""{SMALL.replace("DURATION", "1 d")}arms:
  relay: {{}}
  blocked: {{activate: [block_exosomes]}}
replicates: 3
measures: [tumour_cells]
checkpoint: 0.1 s
"""


def dask(*line: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + line[0], *line[1:]],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """Yield the address of a scheduler and its two workers, processes of one thread each."""
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    assert scheduler.stderr is not None
    address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127\S+:\d+", line)))
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path))
    workers = [dask("worker", address, *options, "--name", name) for name in ("first", "second")]
    yield address, workers
    for process in (*workers, scheduler):
        process.kill()
        process.communicate()


def jobs_of(experiment: Path, folder: Folder) -> list[Job]:
    plan = make_plan(experiment)
    folder.prepare(plan)
    return [Job(folder, run, plan.scenario(run), plan.experiment.measures, 0.1) for run in plan.runs]


@pytest.mark.slow
def test_killed_worker_loses_nothing_and_files_are_those_of_local_runs(cluster, tmp_path: Path) -> None:
    address, workers = cluster
    experiment = tmp_path / "small.yaml"
    experiment.write_text(EXPERIMENT)
    local, remote = Folder(tmp_path / "local"), Folder(tmp_path / "remote")
    for job in jobs_of(experiment, local):
        assert run_job(job, lambda: False, lambda _step, _steps: None)
    end, killed = time.monotonic() + 300.0, []

    def stop() -> bool:
        if not killed and list(remote.path.glob("checkpoints/*")):
            held = [remote.progress(entry.run_id) or {} for entry in remote.entries()]
            at_work = {found["pid"] for found in held if "pid" in found}
            killed.extend([worker.pid for worker in workers if worker.pid in at_work][:1])
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
        return time.monotonic() > end

    events = list(ClusterRuns(address).run(jobs_of(experiment, remote), stop))
    assert killed
    assert [event.kind for event in events[:2]] == ["started", "started"]
    assert events[2].kind == "done"  # two workers: the third run has not begun
    assert [event.kind for event in events if event.kind != "started"] == ["done"] * 6
    for entry in local.entries():
        assert differences(local.run_file(entry.run_id), remote.run_file(entry.run_id)) == []
    assert not list(remote.path.glob("checkpoints/*"))


@pytest.mark.slow
def test_ctrl_c_saves_runs_on_the_workers_and_the_command_goes_on(cluster, tmp_path: Path) -> None:
    address, _ = cluster
    (tmp_path / "small.yaml").write_text(EXPERIMENT.replace("1 d", "5 d").replace("0.1 s", "never"))
    out = Folder(tmp_path / "out")
    line = [sys.executable, "-m", "tme_sim", "batch", str(tmp_path / "small.yaml"), "--out", str(out.path)]
    line += ["--scheduler", address]

    def begin() -> subprocess.Popen:
        return subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)

    def under_way(process: subprocess.Popen) -> list[dict]:
        while process.poll() is None:
            held = [out.progress(entry.run_id) for entry in out.entries()] if out.manifest.exists() else []
            if len(steps := [found for found in held if found and found["step"] > 3]) == 2:
                return steps
            time.sleep(0.05)
        return []

    process = begin()
    assert under_way(process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "2 saved in the middle; go on with: tme-sim batch" in said
    assert len(list(out.path.glob("checkpoints/*.checkpoint"))) == 2

    process = begin()
    assert min(found["step"] for found in under_way(process)) > 3
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=4)
    assert process.returncode == 130


def test_scheduler_that_is_not_there_is_named() -> None:
    with pytest.raises(ClusterError, match="tcp://127.0.0.1:1: cannot be reached"):
        list(ClusterRuns("tcp://127.0.0.1:1").run([], lambda: False))
