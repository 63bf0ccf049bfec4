"""The command ``diff``: says in what two runs, or two batches, differ."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tme_sim.cli.errors import CommandError
from tme_sim.cli.options import Json

if TYPE_CHECKING:
    from tme_sim.analysis.difference import Difference

_DIFFER = 1
_MOST_ROWS, _FEW = 20, 6


def diff(
    left: Annotated[Path, typer.Argument(metavar="A", help="Run file, merged file or folder of a batch.")],
    right: Annotated[Path, typer.Argument(metavar="B", help="Another of the same kind.")],
    *,
    as_json: Json = False,
) -> None:
    """Say in what two runs, or two batches, differ.

    Settings, versions and results are compared; facts about the machine do not count. As diff(1): exit code 0 when they
    are the same, 1 when they differ, 2 when one cannot be read.
    """
    from tme_sim.analysis.difference import between_batches, between_runs
    from tme_sim.cli.runfile import opened, opened_batch
    from tme_sim.record.batch_reader import is_batch

    kinds = [is_batch(left), is_batch(right)]
    if kinds[0] != kinds[1] and left.exists() and right.exists():
        which = {True: "a batch", False: "a run"}
        raise CommandError(f"{left} is {which[kinds[0]]}, {right} {which[kinds[1]]}; expected two of a kind")
    with ExitStack() as stack:
        if all(kinds):
            one, other = (stack.enter_context(opened_batch(path)) for path in (left, right))
            found = between_batches(one, other)
            for text in (*one.skipped, *other.skipped):
                typer.echo(f"skipped: {text}", err=True)
        else:
            found = between_runs(*(stack.enter_context(opened(path)) for path in (left, right)))
    if as_json:
        typer.echo(json.dumps(_plain(found), indent=1, ensure_ascii=False))
    else:
        _show(found, str(left), str(right))
    if not found.same:
        raise typer.Exit(_DIFFER)


def _plain(found: Difference) -> dict[str, Any]:
    from dataclasses import asdict

    from tme_sim.cli.summary import finite

    return finite({"same": found.same, **{name: list(rows) for name, rows in asdict(found).items()}})


def _show(found: Difference, left: str, right: str) -> None:
    from tme_sim.cli import table

    if found.same:
        typer.echo(f"{left} and {right} are the same")
        return
    typer.echo(f"A: {left}\nB: {right}")
    for title, changes in (("Settings", found.settings), ("Versions", found.versions)):
        if changes:
            rows = [(c.name, _short(c.left), _short(c.right)) for c in changes]
            table.show((title, "A", "B"), rows)
    if found.results:
        ranked = sorted(found.results, key=lambda change: -_relative(change.left, change.right))
        rows = [
            (c.name, f"{c.left:.4g}", f"{c.right:.4g}", f"{c.largest:.3g}", _hours(c.first_min), c.unit)
            for c in ranked[:_MOST_ROWS]
        ]
        header = (f"Results at the end ({len(found.results)} measures differ)", ">A", ">B")
        table.show((*header, ">largest gap", ">first at", "unit"), rows)
        if len(ranked) > _MOST_ROWS:
            typer.echo(f"and {len(ranked) - _MOST_ROWS} more that differ less; --json has all")
    _show_other(found.other)


def _show_other(lines: tuple[str, ...]) -> None:
    """Count what else differs by group of the file; a few lines are shown as they are."""
    if len(lines) <= _FEW:
        for line in lines:
            typer.echo(line)
        return
    groups = [line.removeprefix("/").split("/")[0].split(":")[0] for line in lines]
    counted = ", ".join(f"{name} {groups.count(name)}" for name in dict.fromkeys(groups))
    typer.echo(f"{len(lines)} other parts differ ({counted}); --json has all")


def _relative(a: float, b: float) -> float:
    """Return the difference relative to the larger; one where a side has no value."""
    gap, scale = abs(a - b), max(abs(a), abs(b))
    return gap / scale if gap > 0.0 else float(gap != gap)


def _short(value: Any) -> str:
    text = (
        "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    )
    return text if len(text) <= 60 else f"{text[:57]}..."


def _hours(minutes: float) -> str:
    return f"{minutes / 60.0:.4g} h" if minutes == minutes else "-"
