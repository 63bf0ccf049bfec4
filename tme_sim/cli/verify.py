"""The command ``verify``: says whether a run file is whole and undamaged."""

from __future__ import annotations

from pathlib import Path

import typer

from tme_sim.cli.options import File
from tme_sim.cli.runfile import opened


def verify(file: File) -> None:
    """Check that a run file is whole and undamaged.

    Exit code 2 when it is damaged or foreign.
    """
    with opened(Path(file)) as run:
        typer.echo(f"{file}: whole, run {run.run_id}")
