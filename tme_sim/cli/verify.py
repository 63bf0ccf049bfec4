"""The command ``verify``: says whether a run file, or every file of a batch, is whole and undamaged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tme_sim.cli.errors import CommandError
from tme_sim.cli.runfile import opened, opened_batch


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE|DIR", help="Run file, or folder of a batch.")],
) -> None:
    """Check that a run file, or a batch, is whole and undamaged.

    Exit code 2 when one is damaged or foreign.
    """
    from tme_sim.record.batch_reader import is_batch

    path = Path(file)
    if not is_batch(path):
        with opened(path) as run:
            what = f"run {run.run_id}"
    elif path.is_dir():
        _verify_batch(path)
        return
    else:
        with opened_batch(path) as batch:
            what = f"results of batch {batch.attributes['experiment']}"
    typer.echo(f"{file}: whole, {what}")


def _verify_batch(path: Path) -> None:
    from tme_sim.cli.status import open_folder

    folder = open_folder(path)
    faults = folder.damaged()
    if faults:
        raise CommandError("\n".join([*faults, "give the batch command again: it makes them again"]))
    done = len(folder.states()["done"])
    typer.echo(f"{path}: {done} of {len(folder.entries())} runs done, all whole")
