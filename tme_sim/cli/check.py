"""The command ``check``: says what is wrong with a scenario, or that nothing is."""

from __future__ import annotations

from typing import Annotated

import typer

from tme_sim.cli.notes import print_notes
from tme_sim.cli.options import Config, Settings, overrides
from tme_sim.cli.scenario import build


def check(
    config: Config,
    *,
    settings: Settings = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print the scenario with libraries, defaults and overrides.")
    ] = False,
) -> None:
    """Tell every fault of a scenario at once.

    Faults go to stderr as file:line:column, with exit code 2. Nothing is written.
    """
    model = build(config, overrides(settings))
    for warning in model.warnings:
        typer.echo(f"warning: {warning}", err=True)
    print_notes(model.config.notes, err=True)
    if resolved:
        typer.echo(model.resolved_yaml, nl=False)
    else:
        typer.echo(f"{config}: no faults", err=True)
