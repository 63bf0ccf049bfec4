"""Every experiment that ships can be planned."""

from __future__ import annotations

import pytest

from tme_sim.batch.plan import make_plan
from tme_sim.resources import data_dir

READY = sorted(path.stem for path in data_dir("experiments").glob("*.yaml"))


def test_there_are_enough() -> None:
    assert len(READY) >= 7


@pytest.mark.parametrize("name", [name for name in READY if name != "assumed"])
def test_experiment_can_be_planned(name: str) -> None:
    plan = make_plan(name)
    assert len({run.run_id for run in plan.runs}) == len(plan.runs) > 1
    assert set(plan.experiment.arms) == {run.arm for run in plan.runs}


@pytest.mark.slow
def test_draws_over_all_ranges_can_be_planned() -> None:
    assert len(make_plan("assumed").runs) == 400
