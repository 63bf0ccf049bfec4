"""The numbers that a run ends with, read back from its file."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from tme_sim.cli import table

if TYPE_CHECKING:
    from tme_sim.record.reader import Run

# A variable counts as on in a cell above this value: a reading of the summary that no rule uses.
_ON = 0.5
_OXYGEN = (
    "tumour_oxygen_mean",
    "tumour_oxygen_min",
    "hypoxic_share_10",
    "hypoxic_share_5",
    "hypoxic_share_2p5",
)
_FOLD = "median_ic50_fold"
_RESISTANCE = ("resistant_fraction", "mean_resistance", "mean_survival", _FOLD, "rim_cells")
_NICHES = ("", "_rim", "_perfused")
# What medians of folds say where they are no number of times.
_NO_NUMBER = {
    "inf": "no dose kills half of such cells",
    "0": "no dose kills half of a naive cell there, but one kills half of these",
    "-": "no cell has one, as none is there or no dose kills half of it nor of a naive cell",
}


def summarise(run: Run) -> dict[str, Any]:
    """Return the last state of a run as plain data: cells, oxygen, vesicles, resistance, attribution."""
    last, assessed = run.timeseries.shape[0] - 1, _last_assessed(run)
    return {
        "run_id": run.run_id,
        "title": run.title,
        "seed": run.seed,
        "source": run.attributes["source"],
        "days": float(run.timeseries.index[-1]) / 1440.0,
        "measures": run.timeseries.shape[1],
        "times": run.timeseries.shape[0],
        "snapshots": len(run.snapshot_minutes),
        "events": {name: len(run.events(name)) for name in ("births", "deaths", "transitions")},
        "cells": _cells(run),
        "oxygen": _pick(run, last, lambda name: name in _OXYGEN),
        "vesicles": _vesicles(run),
        "resistance": _resistance(run, assessed),
        "attribution": _attribution(run, assessed),
        "classes": _classes(run),
    }


def print_summary(facts: dict[str, Any], *, as_json: bool) -> None:
    """Print a summary on stdout, as tables or as JSON."""
    if as_json:
        typer.echo(json.dumps(finite(facts), indent=2, ensure_ascii=False))
        return
    typer.echo(
        f"{facts['title']}: seed {facts['seed']}, day {facts['days']:.2f}, run {facts['run_id'][:12]} "
        f"({facts['source']})"
    )
    _print_cells(facts["cells"])
    _print_values("Oxygen", facts["oxygen"])
    _print_resistance(facts["resistance"])
    _print_attribution(facts["attribution"])
    _print_classes(facts["classes"])
    if facts["vesicles"]:
        header = (
            "Vesicles",
            ">released",
            ">taken up",
            ">decayed",
            ">left",
            ">free or docked",
            ">blocked",
            "taken up by",
        )
        table.show(header, [_vesicle_row(entry) for entry in facts["vesicles"]])
    typer.echo("")
    for name in ("file", "picture"):
        if facts.get(name):
            typer.echo(f"{name}: {facts[name]}")
    sys.stdout.flush()


def _cells(run: Run) -> list[dict[str, Any]]:
    frame = run.cells()
    living = (frame["death"] == "alive").to_numpy()
    rows = []
    for name in run.layout.cell_types:
        of_type = (frame["type"] == name).to_numpy()
        alive = of_type & living
        stages, counts = np.unique(frame["stage"].to_numpy(str)[alive], return_counts=True)
        on = {
            v: float(np.mean(frame[v].to_numpy()[alive] > _ON)) for v in run.layout.variables if alive.any()
        }
        rows.append(
            {
                "type": name,
                "living": int(alive.sum()),
                "stages": dict(zip(stages.tolist(), counts.tolist(), strict=True)),
                "remains": int((of_type & ~living).sum()),
                "on": {variable: float(share) for variable, share in on.items() if share > 0.0},
            }
        )
    return rows


def _vesicles(run: Run) -> list[dict[str, Any]]:
    books, flux = run.ledger("pools"), run.flux
    shape = (len(run.layout.pools), len(run.layout.cell_types), len(run.layout.cell_types))
    by_recipient = flux["vesicles"].to_numpy().reshape(shape).sum(axis=1)
    accounts = [str(name) for name in books.columns]
    return [
        {
            "pool": pool,
            **dict(zip(accounts, books.to_numpy(float)[row].tolist(), strict=True)),
            "recipients": {
                name: float(count)
                for name, count in zip(run.layout.cell_types, by_recipient[row], strict=True)
                if count > 0.0
            },
        }
        for row, pool in enumerate(run.layout.pools)
    ]


def _last_assessed(run: Run) -> int:
    """Return the last recorded time at which resistance was measured, often before the last of all."""
    names = [str(name) for name in run.timeseries.columns if str(name).startswith("mean_resistance")]
    taken = np.flatnonzero(np.isfinite(run.timeseries[names].to_numpy()).any(axis=1))
    return int(taken[-1]) if len(taken) else run.timeseries.shape[0] - 1


def _resistance(run: Run, row: int) -> dict[str, Any]:
    day = float(run.timeseries.index.to_numpy()[row]) / 1440.0
    return {"day": day, "values": _pick(run, row, lambda name: name.startswith(_RESISTANCE))}


def _attribution(run: Run, row: int) -> list[dict[str, Any]]:
    """Return what protects the resistant cells of each drug, largest first, with the mechanisms on the way."""
    routes = run.routes
    if routes.empty:
        return []
    last = dict(zip(map(str, run.timeseries.columns), run.timeseries.to_numpy()[row].tolist(), strict=True))
    found: list[dict[str, Any]] = []
    for drug, route, evidence in zip(routes["drug"], routes["route"], routes["evidence"], strict=True):
        found.append({"drug": drug, "route": route, "evidence": evidence.split()})
    found += [{"drug": drug, "route": "memory", "evidence": []} for drug in dict.fromkeys(routes["drug"])]
    for entry in found:
        for niche in ("", "_rim"):
            name = f"attribution_{entry['route'].replace(' ', '_')}{niche}_{entry['drug']}"
            entry[niche or "all"] = float(last.get(name, math.nan))
    return sorted(
        (entry for entry in found if abs(entry["all"]) > 1e-9 or abs(entry["_rim"]) > 1e-9),
        key=lambda entry: -abs(entry["all"]),
    )


def _classes(run: Run) -> list[dict[str, Any]]:
    """Return how many tumour cells are of each class of resistance, by drug; empty without a washout or any cell.

    ``given`` says whether any of that drug came: without it no class is an answer to the drug. ``first_dose_days`` says
    when it came first.
    """
    from tme_sim.record.classes import counts_of

    if run.classes.empty:
        return []
    return [
        {
            "drug": found["drug"],
            "given": math.isfinite(found["first_dose_min"]),
            "first_dose_days": found["first_dose_min"] / 1440.0,
            "class": found["class"],
            "cells": found["cells"],
        }
        for found in counts_of(run)
    ]


def _pick(run: Run, row: int, wanted: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Return the wanted measures at one recorded time."""
    units, meanings = run.timeseries.attrs["units"], run.timeseries.attrs["long_names"]
    values = run.timeseries.to_numpy()[row]
    return [
        {"name": name, "meaning": meanings[name], "value": float(value), "unit": _unit(units[name])}
        for name, value in zip(map(str, run.timeseries.columns), values, strict=True)
        if wanted(name)
    ]


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _print_cells(cells: list[dict[str, Any]]) -> None:
    rows = []
    for entry in cells:
        stages = entry["stages"]
        cycle = " ".join(f"{stage} {stages[stage]:,}" for stage in ("G1", "S", "G2M") if stage in stages)
        states = sorted(entry["on"].items(), key=lambda item: (-item[1], item[0]))
        on = ", ".join(f"{name} {share:.0%}" for name, share in states if share >= 0.005)
        rows.append((entry["type"], f"{entry['living']:,}", f"{entry['remains']:,}", cycle, on))
    header = ("Cells", ">living", ">remains", "cycle", f"share of the living with a variable above {_ON:g}")
    table.show(header, rows)


def _print_values(title: str, entries: list[dict[str, Any]]) -> None:
    rows = [(entry["meaning"], _number(entry["value"]), entry["unit"]) for entry in entries]
    if rows:
        table.show((title, "> ", ""), rows)


def _print_resistance(facts: dict[str, Any]) -> None:
    """Print one row per measure, with its values over all tumour cells, in the rim and near vessels."""
    rows: dict[str, dict[str, str]] = {}
    for entry in facts["values"]:
        niche = next((word for word in _NICHES if word and word in entry["name"]), "")
        row = rows.setdefault(entry["name"].replace(niche, ""), {"meaning": entry["meaning"]})
        row[niche] = _number(entry["value"])
    if rows:
        header = (f"Resistance, day {facts['day']:.2f}", ">all", ">rim", ">near vessels")
        table.show(
            header, [(row["meaning"], *(row.get(niche, "") for niche in _NICHES)) for row in rows.values()]
        )
    folds = {row.get(niche, "") for name, row in rows.items() if _FOLD in name for niche in _NICHES}
    if met := [f"{value}: {words}" for value, words in _NO_NUMBER.items() if value in folds]:
        typer.echo(f"IC50 over that of a naive cell: {'; '.join(met)}.")


def _print_attribution(entries: list[dict[str, Any]]) -> None:
    """Print what protects resistant cells: shares of a naive log-kill, positive protects."""
    rows = [
        (
            f"{entry['route']} ({entry['drug']})",
            _signed(entry["all"]),
            _signed(entry["_rim"]),
            " ".join(entry["evidence"]),
        )
        for entry in entries
    ]
    if rows:
        table.show(("Why the resistant cells resist", ">all", ">rim", "mechanisms on the way"), rows)


def _print_classes(entries: list[dict[str, Any]]) -> None:
    rows = [(entry["drug"], entry["class"], f"{entry['cells']:,}") for entry in entries]
    if not rows:
        return
    table.show(("Classes of resistance", "after a washout", ">cells"), rows)
    typer.echo(
        "Protected before: by state and surroundings, already before the first dose. Induced: since then, by the drug "
        "or by a niche found later; the washout tells lasting from passing."
    )
    for drug, days in {entry["drug"]: entry["first_dose_days"] for entry in entries}.items():
        if math.isfinite(days):
            typer.echo(f"First dose of {drug}: day {days:.4g}.")
        else:
            typer.echo(f"No {drug} was given: none of this is an answer to it.")


def _signed(value: float) -> str:
    return f"{value:+.3f}" if math.isfinite(value) else "-"


def _vesicle_row(entry: dict[str, Any]) -> tuple[str, ...]:
    recipients = ", ".join(f"{name} {_number(count)}" for name, count in entry["recipients"].items())
    left = entry["left_vessel"] + entry["left_boundary"]
    released, taken, decayed = entry["released"] + entry["given"], entry["internalised"], entry["decayed"]
    amounts = (released, taken, decayed, left, released - taken - decayed - left, entry["blocked"])
    return (entry["pool"], *map(_number, amounts), recipients)


def _number(value: float) -> str:
    """Return four digits: ``0.1234``, ``12.34``, ``1,234,567``; ``inf``; ``-`` where not defined."""
    if value == math.inf:
        return "inf"
    if not math.isfinite(value):
        return "-"
    if value == 0.0 or abs(value) >= 1000.0:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def finite(value: Any) -> Any:
    """Return plain data with None where JSON has no number."""
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
