"""A small batch from the experiment file to the merged file, broken off and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.batch.made_batch import SMALL
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import make_plan
from tme_sim.batch.worker import Job, run_job
from tme_sim.record.compare import differences

EXPERIMENT = f"""{SMALL}arms:
  relay: {{}}
  blocked: {{activate: [block_exosomes]}}
sweep:
  - {{key: fields.oxygen.vessel.value, values: [30 mmHg, 40 mmHg]}}
replicates: 2
measures: [tumour_cells, tumour_oxygen_mean]
report: [tumour_cells]
checkpoint: 0.1 s
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(EXPERIMENT.replace("DURATION", "2 h"))
    return path


def run_all(folder: Folder, experiment: Path) -> None:
    plan = make_plan(experiment)
    folder.prepare(plan)
    for run in plan.runs:
        job = Job(folder, run, plan.scenario(run), plan.experiment.measures, 1e9)
        assert run_job(job, lambda: False, lambda _step, _steps: None)


def command(experiment: Path, out: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "tme_sim",
        "batch",
        str(experiment),
        "--out",
        str(out),
        "--workers",
        "2",
        *more,
    ]


def test_plan_crosses_arms_points_and_replicates(experiment: Path) -> None:
    plan = make_plan(experiment)
    assert len(plan.runs) == 2 * 2 * 2
    assert len({run.run_id for run in plan.runs}) == 8
    assert [run.seed for run in plan.runs] == [1] * 4 + [2] * 4


def test_runs_are_those_of_the_command_run(experiment: Path) -> None:
    from tme_sim.model.tumor import TumorMicroenvironment
    from tme_sim.record.session import identity
    from tme_sim.scenario.load import load_scenario

    plan = make_plan(experiment)
    run = plan.runs[-1]
    settings = (
        *(f"{k}={v}" for k, v in plan.experiment.settings.items()),
        "interventions.block_exosomes.active=true",
    )
    same = load_scenario("s0_relay", (*settings, "fields.oxygen.vessel.value=40 mmHg", "seed=2"))
    assert identity(TumorMicroenvironment(same)) == run.run_id


def test_merged_file_holds_every_run_and_number(experiment: Path, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "batch")
    run_all(folder, experiment)
    merged = merge(folder)
    assert (merged.runs, merged.passed_over) == (8, ())
    with h5py.File(folder.results) as file:
        assert file["timeseries/tumour_cells"].shape == (8, 3)
        assert np.isfinite(file["end/tumour_oxygen_mean"][()]).all()
        assert file["parameters/fields.oxygen.vessel.value"][()].tolist() == [30.0, 40.0] * 4
        assert file["parameters/fields.oxygen.vessel.value"].attrs["units"] == b"mmHg"
        first = folder.entries()[0]
        with h5py.File(folder.run_file(first.run_id)) as run:
            assert np.array_equal(
                run["timeseries/tumour_oxygen_mean"][()], file["timeseries/tumour_oxygen_mean"][0]
            )


def test_damaged_run_is_named_passed_over_and_made_again(experiment: Path, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "batch")
    run_all(folder, experiment)
    victim = folder.run_file(folder.entries()[3].run_id)
    raw = bytearray(victim.read_bytes())
    raw[1000] ^= 1
    victim.write_bytes(raw)
    assert victim.name in folder.damaged()[0]
    assert merge(folder).runs == 7
    assert len(folder.sound()) == 7
    run_all(folder, experiment)
    assert merge(folder).runs == 8


def test_folder_of_another_experiment_is_refused(experiment: Path, tmp_path: Path) -> None:
    folder = tmp_path / "batch"
    Folder(folder).prepare(make_plan(experiment))
    experiment.write_text(EXPERIMENT.replace("DURATION", "3 h"))
    done = subprocess.run(command(experiment, folder), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "differs" in done.stderr


def test_folder_with_other_files_is_refused(experiment: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("precious")
    done = subprocess.run(command(experiment, tmp_path / "full"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "thesis.tex" in done.stderr
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.tex"]


def test_batch_killed_with_its_children_goes_on_to_the_same_bytes(experiment: Path, tmp_path: Path) -> None:
    experiment.write_text(EXPERIMENT.replace("DURATION", "12 h"))
    whole, broken = Folder(tmp_path / "whole"), Folder(tmp_path / "broken")
    run_all(whole, experiment)
    process = subprocess.Popen(command(experiment, broken.path, "-q"), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120.0
    while not list(broken.path.glob("checkpoints/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    children = _children_of(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 5.0
    while any(_alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children
    assert not any(_alive(pid) for pid in children)
    again = subprocess.run(
        command(experiment, broken.path, "-q"), capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    for entry in whole.entries():
        assert differences(whole.run_file(entry.run_id), broken.run_file(entry.run_id)) == []


def _children_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            child = int(path.parent.name)
            found += [child, *_children_of(child)]
    return found


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
