"""Processes that take one run after the other, which lose nothing by it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import pytest

from tests.batch.made_batch import jobs_of, run_all, small_plan
from tme_sim.batch.folder import Folder
from tme_sim.batch.local import LocalRuns
from tme_sim.batch.plan import Plan
from tme_sim.batch.worker import Job
from tme_sim.record.compare import differences


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return small_plan(tmp_path_factory.mktemp("plan"))


@pytest.fixture
def folder(plan: Plan, tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "out")
    folder.prepare(plan)
    return folder


def followed(
    runs: LocalRuns, jobs: list[Job], at_start: Callable[[int, int], None] = lambda _number, _pid: None
) -> tuple[list[str], list[int]]:
    """Return what happened, and the process that each start of a run was given to."""
    kinds, pids = [], []
    for event in runs.run(jobs, lambda: False):
        if event.kind == "started":
            (pid,) = [
                worker.process.pid for worker in runs._staff if worker.job and worker.job.run == event.run
            ]
            pids.append(pid or 0)
            at_start(len(pids), pids[-1])
        if event.kind != "progress":
            kinds.append(event.kind)
    return kinds, pids


def test_one_process_does_all_runs_to_the_bytes_of_others(plan: Plan, folder: Folder, tmp_path: Path) -> None:
    here = Folder(tmp_path / "here")
    run_all(plan, here)
    kinds, pids = followed(LocalRuns(1), list(reversed(jobs_of(plan, folder))))
    assert kinds == ["started", "done"] * 4
    assert len(set(pids)) == 1
    for run in plan.runs:
        assert differences(here.run_file(run.run_id), folder.run_file(run.run_id)) == []


def test_process_ends_after_its_number_of_runs(plan: Plan, folder: Folder) -> None:
    runs = LocalRuns(1)
    runs._most_runs = 2
    _, pids = followed(runs, jobs_of(plan, folder))
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_killed_process_costs_the_run_it_was_doing_alone(plan: Plan, folder: Folder) -> None:
    def kill(number: int, pid: int) -> None:
        if number == 2:
            os.kill(pid, signal.SIGKILL)

    kinds, pids = followed(LocalRuns(1), jobs_of(plan, folder), kill)
    assert kinds == [
        "started",
        "done",
        "started",
        "retried",
        "started",
        "done",
        "started",
        "done",
        "started",
        "done",
    ]
    assert pids[0] == pids[1] != pids[2] == pids[3] == pids[4]
    assert folder.sound() == {run.run_id for run in plan.runs}


def test_run_that_is_tried_again_has_a_new_process_though_another_is_free(plan: Plan, folder: Folder) -> None:
    runs, pids = LocalRuns(2), []
    for event in runs.run(jobs_of(plan, folder)[:2], lambda: False):
        if event.kind == "started":
            pids.append(runs._staff[-1].process.pid)
            if len(pids) == 2:
                os.kill(pids[1], signal.SIGSTOP)
        if event.kind == "done" and len(pids) == 2:
            os.kill(pids[1], signal.SIGKILL)
    assert len(set(pids)) == 3


def test_fork_server_killed_costs_no_run(plan: Plan, folder: Folder) -> None:
    """Its processes live on; they are ended, or they would hold the runs that are tried again."""

    def kill(number: int, _pid: int) -> None:
        if number == 2:
            os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)

    kinds, pids = followed(LocalRuns(2), jobs_of(plan, folder), kill)
    assert kinds.count("done") == 4
    assert "failed" not in kinds
    assert "taken" not in kinds
    for pid in set(pids[:2]):
        stat = Path(f"/proc/{pid}/stat")
        assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_run_killed_twice_fails_and_the_others_finish(plan: Plan, folder: Folder) -> None:
    def kill(number: int, pid: int) -> None:
        if number in (2, 3):
            os.kill(pid, signal.SIGKILL)

    kinds, _ = followed(LocalRuns(1), jobs_of(plan, folder), kill)
    assert (kinds.count("failed"), kinds.count("done")) == (1, 3)
    assert folder.failure(plan.runs[1].run_id) == "killed by SIGKILL"


def test_nothing_runs_in_a_process_after_a_run_that_failed(
    plan: Plan, folder: Folder, tmp_path: Path
) -> None:
    first, *others = jobs_of(plan, folder)
    kinds, pids = followed(LocalRuns(1), [replace(first, folder=Folder(tmp_path / "none")), *others])
    assert kinds == ["started", "failed", *["started", "done"] * 3]
    assert pids[0] not in pids[1:]
