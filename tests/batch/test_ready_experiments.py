"""Every experiment that ships can be planned, and its smallest form runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.batch.made_batch import jobs_of
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import make_plan
from tme_sim.batch.summary import ends_of, reported
from tme_sim.batch.worker import run_job
from tme_sim.resources import data_dir

READY = sorted(path.stem for path in data_dir("experiments").glob("*.yaml"))


def test_there_are_enough() -> None:
    assert len(READY) >= 7
    asked = (
        "quick relay_knockouts factorial dose_response therapeutic_vesicles dosing_schedules abcb1_transfer"
    )
    assert set(asked.split()) <= set(READY)


@pytest.mark.parametrize("name", [name for name in READY if name != "assumed"])
def test_experiment_can_be_planned(name: str) -> None:
    plan = make_plan(name)
    assert len({run.run_id for run in plan.runs}) == len(plan.runs) > 1
    assert set(plan.experiment.arms) == {run.arm for run in plan.runs}


@pytest.mark.slow
def test_draws_over_all_ranges_can_be_planned() -> None:
    assert len(make_plan("assumed").runs) == 400


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in READY if name != "assumed"])
def test_smallest_form_of_an_experiment_runs_and_reports(name: str, tmp_path: Path) -> None:
    plan, folder = make_plan(name, ("time.duration=24 min",)), Folder(tmp_path / "out")
    folder.prepare(plan)
    first = {
        run.arm: job for run, job in zip(reversed(plan.runs), reversed(jobs_of(plan, folder)), strict=True)
    }
    for job in first.values():
        assert run_job(job, lambda: False, lambda _step, _steps: None)
    assert merge(folder).passed_over == ()
    ends: pd.DataFrame = ends_of(folder)
    assert set(ends["arm"]) == set(plan.experiment.arms)
    assert np.isfinite(ends[reported(folder)].to_numpy(float)).any()
