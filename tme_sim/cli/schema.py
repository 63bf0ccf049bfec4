"""The command ``schema``: prints the JSON Schema of scenarios, for editors."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the JSON Schema of scenarios, for editors."""
    import json

    from tme_sim.scenario.resolved import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
