"""The command ``info``: says what a run file holds."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from tme_sim.cli.notes import print_notes
from tme_sim.cli.options import File, Json
from tme_sim.cli.runfile import opened


def info(file: File, *, as_json: Json = False) -> None:
    """Show what a run file holds.

    Scenario, seed, version, times, tables, and the summary of its last moment.
    """
    from tme_sim.cli.summary import print_summary, summarise

    with opened(Path(file)) as run:
        scenario = json.loads(run.scenario_json)
        notes = {kind: scenario.get(kind, []) for kind in ("calibrated", "assumed", "unknown")}
        facts = {**summarise(run), "file": file, "notes": notes, "provenance": run.provenance}
    print_summary(facts, as_json=as_json)
    if not as_json:
        events = ", ".join(f"{count:,} {name}" for name, count in facts["events"].items())
        typer.echo(f"holds: {facts['times']:,} times of {facts['measures']} measures, ", nl=False)
        typer.echo(f"{facts['snapshots']} snapshots; {events}")
        print_notes(facts["notes"], err=False)
        for name, value in facts["provenance"].items():
            typer.echo(f"{name.replace('_', ' ')}: {value}")
