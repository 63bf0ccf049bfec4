"""A batch of short runs of a small tissue."""

from __future__ import annotations

from pathlib import Path

from tme_sim.batch.folder import Folder
from tme_sim.batch.plan import Plan, make_plan
from tme_sim.batch.worker import Job, run_job

SMALL = """
experiment: small
scenario: s0_relay
settings:
  grid.size: [300 um, 300 um]
  tissue.tumour.nodules: [{centre: middle, radius: 60 um, filling: 90 %}]
  time.duration: DURATION
  record.snapshots: never
  stop: [extinct]
"""
EXPERIMENT = f"""{SMALL}arms:
  relay: {{}}
  blocked: {{activate: [block_exosomes]}}
replicates: REPLICATES
measures: [tumour_cells, tumour_oxygen_mean]
report: [tumour_cells]
checkpoint: CHECKPOINT
"""


def experiment_text(duration: str = "12 min", replicates: int = 2, checkpoint: str = "never") -> str:
    text = EXPERIMENT.replace("DURATION", duration).replace("REPLICATES", str(replicates))
    return text.replace("CHECKPOINT", checkpoint)


def small_plan(folder: Path, *arguments, **options) -> Plan:
    """Return the plan of a small experiment, written to ``folder``."""
    path = folder / "small.yaml"
    path.write_text(experiment_text(*arguments, **options))
    return make_plan(path)


def jobs_of(plan: Plan, folder: Folder, checkpoint_s: float = float("inf")) -> list[Job]:
    return [Job(folder, run, plan.scenario(run), plan.experiment.measures, checkpoint_s) for run in plan.runs]


def run_all(plan: Plan, folder: Folder) -> None:
    """Make every run of a plan that is not done, in this process."""
    folder.prepare(plan)
    left = folder.left(plan.runs)
    for job in jobs_of(plan, folder):
        if job.run in left:
            assert run_job(job, lambda: False, lambda _step, _steps: None)
