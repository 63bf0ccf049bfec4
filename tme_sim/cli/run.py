"""The command ``run``: a scenario becomes an HDF5 file, a picture and a summary."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tme_sim.cli.destination import already_done, check_place
from tme_sim.cli.errors import CommandError
from tme_sim.cli.options import Config, Json, Seed, Settings, Until, overrides
from tme_sim.cli.progress import Progress
from tme_sim.cli.runfile import opened
from tme_sim.cli.scenario import build

if TYPE_CHECKING:
    from tme_sim.model.tumor import TumorMicroenvironment
    from tme_sim.record.recorder import Recorder
    from tme_sim.record.recording import Recording


def run(
    config: Config,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="HDF5 file to write.")],
    settings: Settings = None,
    until: Until = None,
    seed: Seed = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads; results do not depend on it. Default: all cores.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that holds another run.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    picture: Annotated[bool, typer.Option(help="Draw the overview picture beside the file.")] = True,
    as_json: Json = False,
) -> None:
    """Run a scenario; write its HDF5 file and a picture.

    A file that holds this very run already (same scenario, settings, seed and version) is left as it is.
    """
    check_place(out)
    chosen = overrides(settings, until, seed)
    _use_threads(threads)
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()
    model = build(config, chosen)
    if already_done(out, _identity(model), force=force):
        _tell(f"{out}: holds this run already, nothing to do", quiet)
    else:
        recording = _simulate(model, quiet)
        _write(out, recording, time.monotonic() - started, force=force)
    drawn = _draw(out, replace=force) if picture else None
    _report(out, drawn, quiet=quiet, as_json=as_json)


def _simulate(model: TumorMicroenvironment, quiet: bool) -> Recording:
    recorder = _recorder(model)
    recorder.start(model)
    told = 0
    with Progress(
        model.config.scenario, model.config.time.n_steps, model.clock.dt_min, quiet=quiet
    ) as progress:
        progress.say("loading kernels (the first run on a machine compiles them, which takes up to a minute)")
        while model.running:
            model.step()
            recorder.observe(model.tissue)
            progress.update(model.clock.step, int(model.tissue.cells.alive().sum()))
            for warning in model.warnings[told:]:
                progress.say(f"warning: {warning}")
            told = len(model.warnings)
        progress.say(f"ended after {model.clock.days:.2f} d: {model.stop_reason}")
    return recorder.finish()


def _recorder(model: TumorMicroenvironment) -> Recorder:
    from tme_sim.record.recorder import Recorder
    from tme_sim.record.schedule import Every

    kept = model.config.record
    return Recorder(Every(float(kept.measures)), Every(float(kept.snapshots)), context=model.measure_context)


def _identity(model: TumorMicroenvironment) -> str:
    from tme_sim.record.identity import run_id

    return run_id(model.resolved_json, model.seed, model.numerics_version)


def _write(out: Path, recording: Recording, wall_s: float, *, force: bool) -> None:
    from tme_sim.record.writer import RunExists, write_run

    try:
        write_run(recording, out, force=force, provenance=_provenance(wall_s))
    except RunExists as error:
        raise CommandError(f"--out {error}") from None
    except OSError as error:
        raise CommandError(f"--out {out}: {error.strerror}; nothing was left behind") from None


def _provenance(wall_s: float) -> dict[str, str | float]:
    import platform
    import resource
    from datetime import UTC, datetime

    return {
        "wall_time_s": wall_s,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


def _draw(out: Path, *, replace: bool) -> Path:
    from tme_sim.analysis.overview import save_overview

    path = out.with_suffix(".png")
    if replace or not path.exists():
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


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _tell(text: str, quiet: bool) -> None:
    if not quiet:
        typer.echo(text, err=True)
