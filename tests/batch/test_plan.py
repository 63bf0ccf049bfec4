"""What a plan refuses: every fault of an experiment at once, each at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.batch.made_batch import experiment_text
from tme_sim.batch.plan import Plan, make_plan
from tme_sim.scenario.faults import ScenarioError


def plan_of(folder: Path, more: str = "", overrides: tuple[str, ...] = (), **changes: str) -> Plan:
    text = experiment_text()
    for old, new in changes.items():
        text = text.replace(f"{old}:", new)
    path = folder / "small.yaml"
    path.write_text(text + more)
    return make_plan(path, overrides)


def faults_of(folder: Path, more: str = "", overrides: tuple[str, ...] = (), **changes: str) -> list[str]:
    with pytest.raises(ScenarioError) as refused:
        plan_of(folder, more, overrides, **changes)
    return str(refused.value).splitlines()


def test_faults_of_all_arms_are_told_at_once(tmp_path: Path) -> None:
    arms = "  a: {settings: {vessels.spacing: 80 nM}}\n  b: {settings: {nothing.at.all: 1}}\n  relay:"
    found = faults_of(tmp_path, relay=arms.strip())
    assert len(found) == 2
    assert "arms.a" in found[0]
    assert "arms.b" in found[1]


def test_faults_of_an_axis_are_told_once_and_at_its_place(tmp_path: Path) -> None:
    found = faults_of(tmp_path, "sweep:\n  - {key: vessels.spacing, values: [80 um, 80 nM, -3 um]}\n")
    assert len(found) == 2
    for fault, value in zip(found, ("80 nM", "-3 um"), strict=True):
        assert "sweep" in fault.split(": ")[1]
        assert value in fault


def test_axis_that_would_replace_what_an_arm_sets_is_refused(tmp_path: Path) -> None:
    sweep = "sweep: [{key: interventions.block_exosomes.active, values: [true, false]}]\n"
    assert "arms.blocked: sets interventions.block_exosomes.active" in faults_of(tmp_path, sweep)[0]


@pytest.mark.parametrize(
    ("more", "overrides"),
    [("sweep: [{key: seed, values: [4, 5]}]\n", ()), ("converge: {seed: [4, 5]}\n", ()), ("", ("seed=4",))],
)
def test_seed_that_replicates_would_replace_is_refused(tmp_path: Path, more: str, overrides: tuple) -> None:
    assert "first_seed" in faults_of(tmp_path, more, overrides)[0]


def test_reported_measure_that_is_not_kept_is_refused(tmp_path: Path) -> None:
    found = faults_of(tmp_path, report="report: [living_cells] #")
    assert "living_cells is not among the measures that are kept" in found[0]


def test_the_word_assumed_draws_every_documented_range(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "sweep: assumed\n", replicates="replicates: 1 #")
    assert len(plan.runs) == 2 * 128
    assert len(plan.keys) > 50


def test_converging_replicates_are_runs_of_every_point(tmp_path: Path) -> None:
    more = "converge: {time.step: [12 min, 6 min], replicates: [2, 5]}\n"
    plan = plan_of(tmp_path, more, replicates="#")
    assert len(plan.runs) == 2 * 2 * 5
    assert {run.replicate for run in plan.runs} == set(range(5))
    assert all("replicates" not in run.point for run in plan.runs)


@pytest.mark.parametrize("counts", ["[1, 2]", "[4, 2]", "[3, 3]", "[2.5]", "[two]"])
def test_converging_replicates_must_rise(tmp_path: Path, counts: str) -> None:
    assert "whole numbers above 1" in faults_of(tmp_path, f"converge: {{replicates: {counts}}}\n")[0]


def test_converging_replicates_exclude_a_number_of_them(tmp_path: Path) -> None:
    assert "exclude each other" in faults_of(tmp_path, "converge: {replicates: [2, 3]}\n")[0]
