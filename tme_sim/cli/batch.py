"""The command ``batch``: an experiment becomes a folder of run files and one merged file."""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tme_sim.cli.batch_progress import BatchProgress
from tme_sim.cli.errors import INTERRUPTED, CommandError
from tme_sim.cli.options import Settings, overrides
from tme_sim.cli.signals import StopRequest
from tme_sim.cli.wall_time import seconds_of

if TYPE_CHECKING:
    from tme_sim.batch.cluster import ClusterRuns
    from tme_sim.batch.folder import Folder
    from tme_sim.batch.local import Event, LocalRuns
    from tme_sim.batch.plan import Plan, Planned
    from tme_sim.batch.worker import Job

SOME_FAILED = 1
_LEAVE_FOR_SAVING_S = 30.0


def batch(
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help="Experiment file, or the name of one that ships.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the batch, new or its own.")],
    settings: Settings = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time on this machine. Default: its cores.")
    ] = None,
    memory: Annotated[
        float | None,
        typer.Option(min=100, metavar="MB", help="Memory that a run may take; default: no limit."),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run on the workers of this Dask scheduler.")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Only every N-th run, from the I-th (1 to N): for job arrays."),
    ] = None,
    walltime: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Save what runs and leave before this wall time is over."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run, how long and how large.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
) -> None:
    """Run an experiment; write a file per run and one merged results.h5.

    Given again, the same command goes on where it was broken off. Exit code 1 when some runs failed.
    """
    started = time.monotonic()
    from tme_sim.batch.loading import loading
    from tme_sim.cli.batch_plan import checked_plan, estimate, prepared

    part, deadline = _part(shard), _deadline(started, walltime)
    if scheduler is not None and (workers is not None or memory is not None):
        raise CommandError(
            "--workers and --memory are for this machine; the workers of --scheduler have their own"
        )
    here = scheduler is None and not dry_run
    # Before and after the runs there is nothing to save.
    with StopRequest(gently=False), loading() if here else nullcontext():
        plan = checked_plan(experiment, overrides(settings))
        if dry_run:
            estimate(plan, workers or _cores())
            return
        runner = _runner(workers, memory, scheduler)
        folder = prepared(out, plan)
        chosen = _chosen(plan, part)
        # Arms that come to the same scenario share runs.
        left = list({run.run_id: run for run in folder.left(chosen)}.values())
        runs = len({run.run_id for run in chosen})
        with StopRequest() as asked:

            def stop() -> bool:
                return asked() or time.monotonic() >= deadline

            events = runner.run(_jobs(left, plan, folder), stop)
            loading = bool(left) and scheduler is None
            title = plan.experiment.experiment
            with BatchProgress(title, runs, runs - len(left), quiet=quiet) as progress:
                complete, failures = _follow(events, progress, loading)
            if not complete or (stop() and _unfinished(plan, folder, part)):
                _leave(folder, asked())
        merged = _merge(folder, quiet, told=not failures)
        _tell_the_rest(folder, chosen, failures, merged)


def _tell_the_rest(
    folder: Folder, chosen: Sequence[Planned], failures: Mapping[str, str], merged: bool
) -> None:
    """Name the runs that are left to another process and those that failed, now (``failures``) or before.

    Raises
    ------
    CommandError
        When some failed.
    """
    states = folder.states()
    lost, done = ({entry.run_id for entry in states[state]} for state in ("failed", "done"))
    lost |= failures.keys() - done  # a full disk keeps no record of them
    failed = [run for run in chosen if run.run_id in lost]
    if others := [run for run in chosen if run.run_id not in lost | done]:
        typer.echo(
            f"{len(others)} runs are left to another process; at its end: tme-sim merge {folder.path}",
            err=True,
        )
    for run in failed[:20]:
        reason = failures.get(run.run_id) or folder.failure(run.run_id)
        typer.echo(f"failed: {run.arm}, replicate {run.replicate}: {reason}", err=True)
    if failed:
        rest = f"; the others are in {folder.results}" if merged else ""
        raise CommandError(f"{len(failed)} of {len(chosen)} runs failed{rest}", SOME_FAILED)


def _part(shard: str | None) -> tuple[int, int]:
    if shard is None:
        return (0, 1)
    first, _, second = shard.partition("/")
    if not (re.fullmatch(r"[0-9]{1,9}/[0-9]{1,9}", shard) and 1 <= int(first) <= int(second)):
        raise CommandError(f"--shard {shard}: expected I/N with I from 1 to N, such as 3/10")
    return int(first) - 1, int(second)


def _deadline(started: float, walltime: str | None) -> float:
    """Return when to stop, on the clock of ``started``; infinite without a wall time."""
    if walltime is None:
        return float("inf")
    seconds = seconds_of(walltime, "--walltime")
    if seconds <= _LEAVE_FOR_SAVING_S:
        kept = f"{_LEAVE_FOR_SAVING_S:g} s"
        raise CommandError(f"--walltime {walltime}: expected more than {kept}, which are kept for saving")
    return started + seconds - _LEAVE_FOR_SAVING_S


def _chosen(plan: Plan, part: tuple[int, int]) -> tuple[Planned, ...]:
    return plan.runs[part[0] :: part[1]]


def _unfinished(plan: Plan, folder: Folder, part: tuple[int, int]) -> bool:
    done = folder.shards()
    return any(run.run_id not in done for run in _chosen(plan, part))


def _cores() -> int:
    from tme_sim.batch.local import default_workers

    return default_workers()


def _runner(workers: int | None, memory: float | None, scheduler: str | None) -> LocalRuns | ClusterRuns:
    """Return what runs jobs.

    Raises
    ------
    CommandError
        When a scheduler cannot be reached.
    """
    from tme_sim.batch.cluster import ClusterError, ClusterRuns
    from tme_sim.batch.local import LocalRuns

    if scheduler is None:
        return LocalRuns(workers or _cores(), memory)
    runner = ClusterRuns(scheduler)
    try:
        runner.check()
    except ClusterError as error:
        raise CommandError(str(error)) from None
    return runner


def _jobs(left: Sequence[Planned], plan: Plan, folder: Folder) -> list[Job]:
    from tme_sim.batch.worker import Job
    from tme_sim.record.schedule import wall_time_s

    every_s = wall_time_s(plan.experiment.checkpoint)
    return [Job(folder, run, plan.scenario(run), plan.experiment.measures, every_s) for run in left]


def _follow(events: Iterator[Event], progress: BatchProgress, loading: bool) -> tuple[bool, dict[str, str]]:
    """Show what happens; return whether no run was stopped, and why which run failed, by run id."""
    stopped, failures = False, {}
    if loading:
        progress.say("loading kernels")
    for event in events:
        progress.take(event)
        stopped = stopped or event.kind == "stopped"
        if event.kind == "failed":
            failures[event.run.run_id] = event.reason
    return not stopped, failures


def _merge(folder: Folder, quiet: bool, *, told: bool) -> bool:
    """Merge what is finished and show it; return whether there is anything.

    Raises
    ------
    CommandError
        When it cannot be written and nothing else is to be ``told``.
    """
    from tme_sim.batch.merge import MergeError, merge
    from tme_sim.cli.batch_summary import show_summary

    try:
        merged = merge(folder)
    except MergeError as error:  # all failed, or a share of a job array has no run
        typer.echo(str(error), err=True)
        return False
    except OSError as error:
        reason = f"{folder.results}: {error.strerror}; the runs are safe: tme-sim merge {folder.path}"
        if told:
            raise CommandError(reason) from None
        typer.echo(reason, err=True)
        return False
    if not quiet:
        show_summary(folder, merged)
    return True


def _leave(folder: Folder, asked: bool) -> None:
    states = {state: len(runs) for state, runs in folder.states().items()}
    why = "interrupted" if asked else "wall time is over"
    raise CommandError(
        f"{why}: {states['done']} runs done, {states['stopped']} saved in the middle; "
        f"go on with: {shlex.join(['tme-sim', *sys.argv[1:]])}",
        INTERRUPTED,
    )
