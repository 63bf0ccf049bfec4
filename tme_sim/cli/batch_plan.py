"""Plans a batch for a command: faults become messages, and a dry run says what it would take."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tme_sim.cli.errors import CommandError

if TYPE_CHECKING:
    from tme_sim.batch.folder import Folder
    from tme_sim.batch.plan import Plan
    from tme_sim.model.tumor import TumorMicroenvironment

_TRIAL_STEPS = 5


def checked_plan(experiment: str, overrides: tuple[str, ...]) -> Plan:
    """Return the runs of an experiment.

    Raises
    ------
    CommandError
        With every fault of it and of the scenarios it asks for.
    """
    from tme_sim.batch.plan import make_plan
    from tme_sim.scenario.faults import ScenarioError

    try:
        return make_plan(experiment, overrides)
    except ScenarioError as error:
        raise CommandError(str(error)) from error


def prepared(out: Path, plan: Plan) -> Folder:
    """Return the batch's folder, ready.

    Raises
    ------
    CommandError
        When it belongs to something else, cannot be written, or the tissue does not fit its grid.
    """
    from tme_sim.batch.folder import Folder
    from tme_sim.record.manifest import FolderError

    _first_model(plan)
    folder = Folder(out)
    try:
        folder.prepare(plan)
    except FolderError as error:
        raise CommandError(str(error)) from None
    return folder


def _first_model(plan: Plan) -> TumorMicroenvironment:
    """Return the model of the first run.

    Raises
    ------
    CommandError
        When its tissue does not fit its grid.
    """
    from tme_sim.batch.plan import first_model
    from tme_sim.model.assemble import PlanError
    from tme_sim.model.site_table import PlacementError

    try:
        return first_model(plan)
    except (PlacementError, PlanError) as error:
        raise CommandError(f"{plan.experiment.scenario}: {error}") from error


def estimate(plan: Plan, workers: int) -> None:
    """Print the runs by arm, and the hours and gigabytes that they will about take."""
    from tme_sim.numerics.jit import set_threads

    set_threads(1)  # as runs of a batch do
    model = _first_model(plan)
    model.step()
    started = time.monotonic()
    for _ in range(_TRIAL_STEPS):
        model.step()
    per_step = (time.monotonic() - started) / _TRIAL_STEPS
    steps = sum(plan.scenarios[run.variant].time.n_steps for run in plan.runs)
    points = len(plan.scenarios) // len(plan.experiment.arms)
    typer.echo(f"{plan.experiment.experiment}: {plan.experiment.title}".rstrip(": "))
    for arm in plan.experiment.arms:
        typer.echo(f"  {arm}: {points} points x {plan.experiment.runs_per_point} replicates")
    for key in plan.keys:
        values = list(dict.fromkeys(run.point[key] for run in plan.runs if key in run.point))
        shown = ", ".join(values[:6]) + (", ..." if len(values) > 6 else "")
        typer.echo(f"  {key}: {shown}")
    hours = per_step * steps / workers / 3600.0
    gigabytes = _bytes_per_run(plan, model) * len(plan.runs) / 1e9
    typer.echo(
        f"{len(plan.runs):,} runs, {steps:,} steps; about {hours:.2g} h on {workers} workers (as the first steps "
        f"take; tumours grow), at most about {gigabytes:.2g} GB"
    )


def _bytes_per_run(plan: Plan, model: TumorMicroenvironment) -> float:
    """Return about what a run's file takes: snapshots of fields and cells, series of measures; compressed by half."""
    from tme_sim.measures.registry import measures_for

    tissue = model.tissue
    record, minutes = model.config.record, model.config.time.n_steps * float(model.config.time.step)
    layout = tissue.layout
    per_snapshot = 4 * tissue.grid.n_sites * (len(layout.fields) + len(layout.pools) + 2)
    per_snapshot += 8 * tissue.cells.n * (20 + len(layout.variables) + len(layout.cargo) + len(layout.pools))
    snapshots = 2 + (minutes / float(record.snapshots) if float(record.snapshots) else 0)
    measures = len(plan.experiment.measures or measures_for(layout))
    times = 2 + (minutes / float(record.measures) if float(record.measures) else 0)
    return 0.5 * (per_snapshot * snapshots + 8 * measures * times)
