"""The command ``export``: writes a run, or the tables of a batch, in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tme_sim.cli.errors import CommandError
from tme_sim.cli.runfile import opened, opened_batch

if TYPE_CHECKING:
    from tme_sim.record.reader import Run

_FORMATS = ("anndata", "spatialdata", "vtk", "csv", "ome-zarr")


def export(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Run file; for csv also the folder of a batch.")
    ],
    *,
    to: Annotated[str, typer.Option(metavar="FORMAT", help=f"One of {', '.join(_FORMATS)}.")],
    out: Annotated[Path | None, typer.Option(help="File or folder to make; default: beside FILE.")] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The snapshot nearest to this time, e.g. 5d; default: the last, of vtk and ome-zarr all.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Write a run for scanpy, squidpy, napari, ParaView or R."""
    from tme_sim.analysis.export.target import TARGETS, appearing, writer_of
    from tme_sim.record.batch_reader import is_batch

    if to not in TARGETS:
        raise CommandError(f"--to {to}: expected one of {', '.join(_FORMATS)}")
    target = TARGETS[to]
    out = out or file.with_name(f"{file.stem}{target.suffix}")
    minutes = None if at is None else _minutes(at)
    try:
        write = writer_of(to)
    except ImportError as error:
        library = (error.name or "").partition(".")[0] or "a library"
        raise CommandError(f"--to {to}: needs {library}; pip install 'tme-sim[{target.extra}]'") from None
    try:
        if is_batch(file):
            if to != "csv":
                raise CommandError(f"{file}: a batch is exported to csv alone; export its runs one by one")
            if at is not None:
                raise CommandError(f"--at {at}: a batch is exported over all of its time; leave --at out")
            from tme_sim.analysis.export.to_csv import write_batch

            with opened_batch(file) as batch, appearing(out, replace=force) as path:
                write_batch(batch, path)
                for text in batch.skipped:
                    typer.echo(f"skipped: {text}", err=True)
        else:
            with opened(file) as run:
                taken = None if minutes is None else _snapshot(run, minutes)
                with appearing(out, replace=force) as path:
                    write(run, path, taken)
    except FileExistsError:
        raise CommandError(f"--out {out}: exists; choose another name or replace it with --force") from None
    except OSError as error:
        raise CommandError(f"--out {out}: {error.strerror or error}") from None
    typer.echo(f"{out}: {target.holds}")


def _snapshot(run: Run, minutes: float) -> float:
    """Return the time of the snapshot that is meant, and say which where it is not the time itself.

    Raises
    ------
    CommandError
        When the time lies outside of the run.
    """
    times = run.snapshot_minutes
    first, last = float(times[0]), float(times[-1])
    if not first <= minutes <= max(last, float(run.timeseries.index[-1])):
        raise CommandError(
            f"--at {minutes / 1440:g} d: outside of the run; expected a time from {first / 1440:.4g} d to "
            f"{last / 1440:.4g} d"
        )
    taken = float(times[run.snapshot_index(minutes)])
    if abs(taken - minutes) > 1e-6:
        typer.echo(
            f"--at {minutes / 1440:g} d: the nearest snapshot is that of {taken / 1440:.4g} d", err=True
        )
    return taken


def _minutes(text: str) -> float:
    from tme_sim.record.schedule import At, ScheduleError, parse_schedule

    try:
        schedule = parse_schedule(f"at {text}")
    except ScheduleError as error:
        raise CommandError(f"--at {text}: {str(error).partition(': ')[2]}") from None
    if not isinstance(schedule, At) or len(schedule.times_min) != 1:
        raise CommandError(f"--at {text}: expected one time, such as 5d")
    return schedule.times_min[0]
