"""The command batch: what it refuses before anything is written, and how shares of a job array end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.batch.made_batch import experiment_text, small_plan
from tme_sim.cli.batch_plan import estimate
from tme_sim.numerics.jit import set_threads, threads


def batch(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    path = folder / "small.yaml"
    path.write_text(experiment_text(replicates=1))
    line = [sys.executable, "-m", "tme_sim", "batch", str(path), "--out", str(folder / "out"), *more]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (("--walltime", "20s"), "more than 30 s"),
        (("--walltime", "soon"), "--walltime 'soon': 'soon'; expected a number"),
        (("--scheduler", "tcp://127.0.0.1:1", "--memory", "500"), "for this machine"),
    ],
)
def test_option_that_could_not_work_is_refused(tmp_path: Path, more: tuple[str, ...], reason: str) -> None:
    done = batch(tmp_path, *more)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not (tmp_path / "out").exists()


def test_share_without_runs_is_no_failure_and_claims_none_done(tmp_path: Path) -> None:
    done = batch(tmp_path, "--shard", "3/3")
    assert done.returncode == 0, done.stderr
    assert "done already" not in done.stderr


def test_scheduler_that_cannot_be_an_address_is_named_without_a_traceback(tmp_path: Path) -> None:
    done = batch(tmp_path, "--scheduler", "nonsense")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "--scheduler nonsense: cannot be reached: missing port number in address 'nonsense'"
    ]


def test_scheduler_that_is_not_there_leaves_no_folder(tmp_path: Path) -> None:
    done = batch(tmp_path, "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert "--scheduler tcp://127.0.0.1:1: cannot be reached" in done.stderr
    assert not (tmp_path / "out").exists()


def test_dry_run_measures_a_run_as_the_batch_makes_it(tmp_path: Path) -> None:
    before = threads()
    try:
        set_threads(2)
        estimate(small_plan(tmp_path), 2)
        assert threads() == 1
    finally:
        set_threads(before)
