"""The command ``report``: a run or a batch becomes a page, figures and tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tme_sim.cli.destination import check_folder
from tme_sim.cli.errors import CommandError
from tme_sim.cli.options import Json
from tme_sim.cli.runfile import opened, opened_batch

if TYPE_CHECKING:
    from tme_sim.analysis.report.page import Report


def report(
    source: Annotated[
        Path,
        typer.Argument(metavar="FILE|DIR", help="Run file, results.h5 of a batch, or folder of a batch."),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write, new or empty.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier report.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Json = False,
) -> None:
    """Draw a run or a batch as one page, with figures and tables.

    The page needs no network; every figure is there as PNG and SVG, every table as CSV.

    Damaged files of a batch are named and left out. The folder appears whole or not at all.
    """
    from tme_sim.analysis.report.folder import PlaceTaken, check_place, write_report

    def tell(text: str) -> None:
        if not quiet:
            typer.echo(text, err=True)

    try:
        check_place(out, force=force)
        check_folder(out)
        with _opened(source) as made:
            for warning in made.warnings:
                tell(f"note: {warning}")
            page = write_report(made, out, force=force, tell=tell)
    except PlaceTaken as error:
        raise CommandError(f"--out {error}") from None
    except OSError as error:
        raise CommandError(f"--out {out}: {error.strerror or error}; nothing was left behind") from None
    if as_json:
        files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
        typer.echo(json.dumps({"page": str(page), "warnings": list(made.warnings), "files": files}, indent=1))
    else:
        typer.echo(str(page))


@contextmanager
def _opened(source: Path) -> Iterator[Report]:
    """Yield the report of what lies there.

    Raises
    ------
    CommandError
        When it is missing, foreign or damaged.
    """
    from tme_sim.analysis.report.of_batch import report_of_batch
    from tme_sim.analysis.report.of_run import report_of_run
    from tme_sim.record.batch_reader import is_batch
    from tme_sim.record.seal import RunFileError

    if not source.exists():
        raise CommandError(f"{source}: there is no such file or folder")
    try:
        if is_batch(source):
            with opened_batch(source) as batch:
                yield report_of_batch(batch)
        else:
            with opened(source) as run:
                yield report_of_run(run)
    except RunFileError as error:  # a whole file that lacks what a figure needs
        raise CommandError(str(error)) from None
