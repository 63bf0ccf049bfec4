"""The commands ``status`` and ``merge``: what has become of a batch's runs, and their one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tme_sim.cli.errors import CommandError
from tme_sim.cli.options import Json

if TYPE_CHECKING:
    from tme_sim.batch.folder import Folder

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a batch.")]


def status(path: Dir, *, as_json: Json = False) -> None:
    """Say what has become of the runs of a batch."""
    folder = open_folder(path)
    states = folder.states()
    facts: dict[str, Any] = {
        "experiment": folder.read_manifest()["experiment"],
        "runs": sum(map(len, states.values())),
        **{state: len(runs) for state, runs in states.items()},
        "failures": [
            {"arm": e.arm, "replicate": e.replicate, "run_id": e.run_id, "reason": folder.failure(e.run_id)}
            for e in states["failed"]
        ],
        "under_way": [
            {"arm": e.arm, "replicate": e.replicate, "run_id": e.run_id, **(folder.progress(e.run_id) or {})}
            for e in states["running"]
        ],
    }
    if as_json:
        typer.echo(json.dumps(facts, indent=1))
        return
    _show(facts, {arm: _by_state(states, arm) for arm in dict.fromkeys(e.arm for e in folder.entries())})


def merge(
    path: Dir,
    *,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Then pack the run files into archives, for quotas of files.")
    ] = False,
) -> None:
    """Merge the finished runs of a batch into one file.

    It replaces an earlier results.h5.
    """
    from tme_sim.batch.merge import MergeError
    from tme_sim.batch.merge import merge as merge_runs

    folder = open_folder(path)
    try:
        merged = merge_runs(folder)
    except MergeError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(
            f"{folder.results}: {error.strerror}; an earlier file was left as it was"
        ) from None
    for text in merged.passed_over:
        typer.echo(f"passed over: {text}", err=True)
    typer.echo(f"{merged.runs} of {len(folder.entries())} runs in {merged.path}")
    if bundle:
        _bundle(folder)


def _bundle(folder: Folder) -> None:
    from tme_sim.batch.bundle import bundle
    from tme_sim.record.seal import RunFileError

    try:
        packed = bundle(folder)
    except RunFileError as error:
        raise CommandError(f"{error}; give the batch command again: it makes the run again") from None
    except OSError as error:
        raise CommandError(f"{folder.bundles}: {error.strerror}; all run files are still there") from None
    typer.echo(f"run files packed into {len(packed)} archives in {folder.bundles}")


def open_folder(path: Path) -> Folder:
    """Return the folder of a batch.

    Raises
    ------
    CommandError
        When it holds none.
    """
    from tme_sim.batch.folder import Folder
    from tme_sim.record.manifest import FolderError

    folder = Folder(path)
    try:
        folder.read_manifest()
    except FolderError as error:
        raise CommandError(str(error)) from None
    return folder


def _by_state(states: dict[str, list[Any]], arm: str) -> dict[str, int]:
    return {state: sum(entry.arm == arm for entry in runs) for state, runs in states.items()}


def _show(facts: dict[str, Any], arms: dict[str, dict[str, int]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from tme_sim.cli.batch_summary import narrower, show_rows

    console = Console(soft_wrap=True, highlight=False)
    names = list(next(iter(arms.values())))
    rows = [[arm, *(str(counts[name]) for name in names)] for arm, counts in arms.items()]
    console.print(f"{facts['experiment']}: {facts['done']} of {facts['runs']} runs done")
    show_rows(console, Table(), *narrower(["arm", *names], rows))
    for run in facts["under_way"]:
        if "steps" in run:
            console.print(
                f"running: {run['arm']}, replicate {run['replicate']}: step {run['step']} of {run['steps']}"
            )
    for run in facts["failures"]:
        console.print(f"failed: {run['arm']}, replicate {run['replicate']}: {run['reason']}", highlight=False)
