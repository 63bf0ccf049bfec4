"""The command batch: what it refuses before anything is written, and how shares of a job array end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.batch.made_batch import experiment_text, small_plan
from tme_sim.batch.folder import Folder
from tme_sim.cli.batch import SOME_FAILED, _tell_the_rest
from tme_sim.cli.batch_plan import estimate
from tme_sim.cli.errors import CommandError
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


def test_failure_that_a_full_disk_keeps_no_record_of_counts(tmp_path: Path) -> None:
    plan, folder = small_plan(tmp_path), Folder(tmp_path / "out")
    folder.prepare(plan)
    failures = {run.run_id: "OSError: No space left on device" for run in plan.runs}
    with pytest.raises(CommandError, match="4 of 4 runs failed") as caught:
        _tell_the_rest(folder, plan.runs, failures, merged=False)
    assert caught.value.code == SOME_FAILED


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("measures: [tumour_cells, tumour_oxygen_mean]\nreport: [tumour_cells]", "measures: []", "measures"),
        ("report:", "sweep: [{key: vessels.spacing, values: [80 um, 0.08 mm]}]\nreport:", "are the same"),
    ],
)
def test_experiment_that_asks_for_nothing_or_twice_is_refused(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(experiment_text().replace(old, new))
    assert new in path.read_text()
    line = [sys.executable, "-m", "tme_sim", "batch", str(path), "--out", str(tmp_path / "out")]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2, done.stderr
    assert reason in done.stderr
    assert not (tmp_path / "out").exists()
