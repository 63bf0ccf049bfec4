"""The command ``run``: a scenario becomes an HDF5 file, a picture and a summary."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tme_sim.cli.begin import from_checkpoint, from_scenario, run_file_of
from tme_sim.cli.destination import already_done, check_place
from tme_sim.cli.errors import INTERRUPTED, CommandError
from tme_sim.cli.options import Json, Seed, Settings, Until, naming_as_typed, overrides
from tme_sim.cli.progress import Progress
from tme_sim.cli.runfile import opened
from tme_sim.cli.signals import StopRequest
from tme_sim.cli.wall_time import seconds_of

if TYPE_CHECKING:
    from tme_sim.record.session import Session


def run(
    config: Annotated[
        str | None,
        typer.Argument(metavar="CONFIG", help="Scenario file, or the name of one that ships with tme-sim."),
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="HDF5 file to write.")] = None,
    settings: Settings = None,
    until: Until = None,
    seed: Seed = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads; results do not depend on it. Default: all cores.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that holds another run.")] = False,
    checkpoint: Annotated[
        str, typer.Option(metavar="TIME", help="Wall time between checkpoints, or never.")
    ] = "5min",
    keep_state: Annotated[
        bool, typer.Option("--keep-state", help="Keep the last state, to extend the run or branch off it.")
    ] = False,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Go on with this run; longer with --until.")
    ] = None,
    branch: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Go on from this run's state under other settings.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    picture: Annotated[bool, typer.Option(help="Draw the overview picture beside the file.")] = True,
    as_json: Json = False,
) -> None:
    """Run a scenario; write its HDF5 file and a picture.

    A file that holds this very run already (same scenario, settings, seed and version) is left as it is. A run
    that was broken off goes on from its checkpoint when the same command is given again.
    """
    out = _destination(config, out, resume, branch)
    check_place(out)
    every_s = seconds_of(checkpoint, "--checkpoint")
    chosen = overrides(settings, until, seed)
    _use_threads(threads)
    started = time.monotonic()
    with StopRequest(gently=every_s != float("inf")) as stop:
        saved = resume or branch
        with naming_as_typed(until, seed):
            if saved is not None:
                start = from_checkpoint(saved, chosen, branch=branch is not None)
            else:
                start = from_scenario(str(config), chosen)
        done = already_done(out, start.run_id, force=force)
        if done:
            _tell(f"{out}: holds this run already, nothing to do", quiet)
        else:
            session = start.session(out, every_s)
            _simulate(session, stop, quiet)
            _finish(session, time.monotonic() - started, force=force, keep=keep_state)
    drawn = _draw(out, new=not done, wanted=picture)
    _report(out, drawn, quiet=quiet, as_json=as_json)


def _destination(config: str | None, out: Path | None, resume: Path | None, branch: Path | None) -> Path:
    """Return the run file to write; exactly one of the three says what to run."""
    if [config, resume, branch].count(None) != 2:
        raise CommandError("give either a CONFIG, or --resume FILE, or --branch FILE")
    if out is not None:
        return out
    if resume is None:
        raise CommandError("--out FILE is missing: the HDF5 file to write")
    return run_file_of(resume)


def _simulate(session: Session, stop: StopRequest, quiet: bool) -> None:
    """Step to the end; on a request to stop, save the state and leave."""
    model = session.model
    told: list[str] = []

    def show() -> None:
        progress.update(model.clock.step, int(model.tissue.cells.alive().sum()))
        for note in [*session.notes, *(f"warning: {text}" for text in model.warnings)]:
            if note not in told:
                progress.say(note)
                told.append(note)

    with Progress(
        model.config.scenario, model.config.time.n_steps, model.clock.dt_min, quiet=quiet
    ) as progress:
        progress.say("loading kernels (the first run on a machine compiles them, which takes up to a minute)")
        if not session.advance(stop, show):
            _leave(session)
        progress.say(f"ended after {model.clock.days:.2f} d: {model.stop_reason}")


def _leave(session: Session) -> None:
    try:
        session.save()
    except OSError as error:
        raise CommandError(
            f"interrupted; {session.checkpoint_file}: {error.strerror}, state lost", INTERRUPTED
        ) from None
    raise CommandError(
        f"interrupted at {session.model.clock.days:.2f} d; go on with: tme-sim run --resume {session.out}",
        INTERRUPTED,
    )


def _finish(session: Session, wall_s: float, *, force: bool, keep: bool) -> None:
    from tme_sim.record.machine import machine_facts
    from tme_sim.record.writer import RunExists

    try:
        session.finish(machine_facts(wall_s), force=force, keep=keep)
    except RunExists as error:
        raise CommandError(f"--out {error}") from None
    except OSError as error:
        raise CommandError(f"--out {session.out}: {error.strerror}; nothing was left behind") from None


def _draw(out: Path, *, new: bool, wanted: bool) -> Path | None:
    """Return the picture beside a run file, if one is wanted; that of a run which was there before does not stay."""
    from tme_sim.analysis.overview import save_overview

    path = out.with_suffix(".png")
    if new:
        path.unlink(missing_ok=True)
    if not wanted:
        return None
    if not path.exists():
        save_overview(out, path)
    return path


def _report(out: Path, picture: Path | None, *, quiet: bool, as_json: bool) -> None:
    from tme_sim.cli.summary import print_summary, summarise

    if quiet and not as_json:
        return
    with opened(out) as result:
        facts = summarise(result)
    facts["file"] = str(out)
    facts["picture"] = str(picture) if picture else None
    print_summary(facts, as_json=as_json)


def _use_threads(threads: int | None) -> None:
    import os

    from tme_sim.numerics.jit import MAX_THREADS, set_threads

    wanted = min(len(os.sched_getaffinity(0)), MAX_THREADS) if threads is None else threads
    try:
        set_threads(wanted)
    except ValueError as error:
        raise CommandError(f"--threads: {error}") from None


def _tell(text: str, quiet: bool) -> None:
    if not quiet:
        typer.echo(text, err=True)
