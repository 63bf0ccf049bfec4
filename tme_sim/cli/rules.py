"""The command ``rules``: lists the rules in words, with evidence; imports and exports PhysiCell's CSV."""

from __future__ import annotations

import typer

from tme_sim.cli.options import Config, Json, Settings


def rules(config: Config = "liver_metastasis", *, settings: Settings = None, as_json: Json = False) -> None:
    """List, audit, import and export rules."""
    typer.echo("")
