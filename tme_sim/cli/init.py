"""The command ``init``: writes a commented scenario to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tme_sim.cli.errors import CommandError


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Scenario to write.")] = Path("scenario.yaml"),
) -> None:
    """Write a commented scenario to start from.

    An existing file is left as it is.
    """
    from tme_sim.scenario.describe import template

    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(template())
    except FileExistsError:
        raise CommandError(f"{file}: exists already; name another file") from None
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    typer.echo(str(file))
    typer.echo(f"try: tme-sim check {file}; tme-sim run {file} --until 1d --out run.h5", err=True)
