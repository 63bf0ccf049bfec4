"""Writes the manifest of a plan."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tme_sim.batch.plan import Plan
from tme_sim.record.manifest import Entry, sealed_manifest


def manifest_of(plan: Plan) -> bytes:
    """Return the manifest of a plan, as its file holds it."""
    return sealed_manifest(_facts(plan))


def _facts(plan: Plan) -> dict[str, Any]:
    experiment = plan.experiment
    entries = [
        asdict(Entry(run.index, run.arm, dict(run.point), run.replicate, run.seed, run.run_id))
        for run in plan.runs
    ]
    return {
        "plan_id": plan.plan_id,
        "experiment": experiment.experiment,
        "title": experiment.title,
        "scenario": experiment.scenario,
        "control": next(iter(experiment.arms)),
        "settings": experiment.settings | dict(text.split("=", 1) for text in plan.overrides),
        "arms": {name: arm.overrides() for name, arm in experiment.arms.items()},
        "converge": dict(experiment.converge),
        "tolerance": experiment.tolerance,
        "report": experiment.report,
        "interval_min": min(float(scenario.record.measures) for scenario in plan.scenarios),
        "duration_min": max(scenario.time.n_steps * float(scenario.time.step) for scenario in plan.scenarios),
        "runs": entries,
    }
