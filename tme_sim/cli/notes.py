"""Prints what a scenario says is calibrated, assumed and unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import typer


def print_notes(notes: Mapping[str, Sequence[str]], *, err: bool) -> None:
    """Print one line per note, its kind first; nothing where there are none."""
    for kind, lines in notes.items():
        for line in lines:
            typer.echo(f"{kind}: {line}", err=err)
