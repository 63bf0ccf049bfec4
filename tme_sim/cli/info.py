"""The command ``info``: says what a run file or a batch holds, from what, and how big it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tme_sim.cli.notes import print_notes
from tme_sim.cli.options import Json
from tme_sim.cli.runfile import opened, opened_batch

if TYPE_CHECKING:
    from tme_sim.record.batch_reader import Batch


def info(
    file: Annotated[str, typer.Argument(metavar="FILE|DIR", help="Run file, or folder of a batch.")],
    *,
    as_json: Json = False,
) -> None:
    """Show what a run file or a batch holds.

    Of a run: scenario, seed, version, times, tables, and the summary of its last moment. Of a batch: arms, swept
    keys, runs by state, machine time.
    """
    from tme_sim.record.batch_reader import is_batch

    path = Path(file)
    if is_batch(path):
        with opened_batch(path) as batch:
            _show_batch(batch, _of_batch(batch, path), as_json=as_json)
    else:
        _show_run(path, as_json=as_json)


def _show_run(path: Path, *, as_json: bool) -> None:
    from tme_sim.cli.summary import print_summary, summarise
    from tme_sim.record.contents import stored_bytes

    with opened(path) as run:
        scenario = json.loads(run.scenario_json)
        notes = {kind: scenario.get(kind, []) for kind in ("calibrated", "assumed", "unknown")}
        facts = {
            **summarise(run),
            "scenario": scenario.get("scenario", ""),
            "file": str(path),
            "notes": notes,
            "provenance": run.provenance,
            "bytes": path.stat().st_size,
            "stored": stored_bytes(path),
        }
    print_summary(facts, as_json=as_json)
    if not as_json:
        events = ", ".join(f"{count:,} {name}" for name, count in facts["events"].items())
        typer.echo(f"from: scenario {facts['scenario']}")
        typer.echo(f"holds: {facts['times']:,} times of {facts['measures']} measures, ", nl=False)
        typer.echo(f"{facts['snapshots']} snapshots; {events}")
        largest = [f"{name} {_size(n)}" for name, n in list(facts["stored"].items())[:4]]
        rest = facts["bytes"] - sum(facts["stored"].values())
        typer.echo(f"size: {_size(facts['bytes'])} ({', '.join(largest)}, names and structure {_size(rest)})")
        print_notes(facts["notes"], err=False)
        for name, value in facts["provenance"].items():
            typer.echo(f"{name.replace('_', ' ')}: {value}")


def _of_batch(batch: Batch, path: Path) -> dict[str, Any]:
    design = batch.design
    told = ("experiment", "title", "scenario", "control", "source", "numerics_version")
    levels = {key: list(dict.fromkeys(design[key].tolist())) for key in batch.keys}
    files = [item for item in (path.rglob("*.h5") if path.is_dir() else (path,)) if item.is_file()]
    ended = batch.ends["ended"].to_numpy()
    return {
        **{name: batch.attributes.get(name, "") for name in told},
        "file": str(path),
        "read_from": str(batch.path),
        "runs": len(design),
        "states": design["status"].value_counts().to_dict(),
        "arms": {arm: int((batch.finished["arm"] == arm).sum()) for arm in batch.arms},
        "changes": batch.changes,
        "keys": {key: {"unit": batch.units[key], "values": values} for key, values in levels.items()},
        "replicates": design["replicate"].nunique(),
        "measures": len(batch.measures),
        "times": int(batch.timeseries.sizes["time"]),
        "days": float(ended[ended == ended].max()) / 1440.0,
        "reported": list(batch.reported),
        "files": len(files),
        "bytes": sum(item.stat().st_size for item in files),
        "skipped": list(batch.skipped),
    }


def _show_batch(batch: Batch, facts: dict[str, Any], *, as_json: bool) -> None:
    from tme_sim.cli.summary import finite

    if as_json:
        typer.echo(json.dumps(finite(facts), indent=2, ensure_ascii=False))
        return
    states = ", ".join(f"{count} {state}" for state, count in facts["states"].items())
    typer.echo(f"{facts['experiment']}: {facts['title'] or 'no title'}")
    typer.echo(f"from: scenario {facts['scenario']}, {facts['source']}, numerics {facts['numerics_version']}")
    typer.echo(f"runs: {facts['runs']} ({states}), {facts['replicates']} replicates")
    typer.echo("arms: " + ", ".join(f"{arm} ({n} runs)" for arm, n in facts["arms"].items()), nl=False)
    typer.echo(f"; control {facts['control']}")
    for arm, changes in (facts["changes"] or {}).items():
        told = ", ".join(f"{key}={value}" for key, value in changes.items())
        typer.echo(f"arm {arm}: {told or 'changes nothing'}")
    for key, axis in facts["keys"].items():
        unit = "" if axis["unit"] == "1" else f" {axis['unit']}"
        typer.echo(f"swept: {key}: {_values(axis['values'])}{unit}")
    typer.echo(
        f"holds: {facts['times']:,} times of {facts['measures']} measures over {facts['days']:.4g} days"
    )
    typer.echo(f"size: {_size(facts['bytes'])} in {facts['files']} files, read from {facts['read_from']}")
    typer.echo(f"reports: {', '.join(facts['reported'])}")
    for text in facts["skipped"]:
        typer.echo(f"skipped: {text}")


def _values(values: list[Any]) -> str:
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return ", ".join(texts) if len(texts) <= 8 else f"{len(texts)} values, {texts[0]} to {texts[-1]}"


def _size(n_bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000.0 or unit == "GB":
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000.0
    return ""
