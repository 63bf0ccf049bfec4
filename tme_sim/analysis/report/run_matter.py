"""Where the matter of a run went: vesicles from donors to recipients, drug from blood to cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tme_sim.analysis.figures.curves import Curve, Panel, curves_figure
from tme_sim.analysis.figures.flow import Flow, flow_figure
from tme_sim.analysis.palette import BLACK, BLUE, ORANGE, VERMILLION, type_colours
from tme_sim.analysis.report.opened import OpenedRun
from tme_sim.analysis.report.page import Item, Picture, Table, Words
from tme_sim.analysis.style import LINES

_FATES = {
    "decayed": "decayed", "left_vessel": "washed out by vessels", "left_boundary": "left at the boundary",
}  # fmt: skip
_REST, _GIVEN = "free or docked at the end", "given as treatment"


def vesicles(opened: OpenedRun) -> Iterator[Item]:
    """Yield the vesicle budget as ribbons, its table, and vesicles through time."""
    if not opened.run.layout.pools:
        yield Words("This scenario has no vesicles.")
        return
    flows = _flows(opened)
    if not flows:
        yield Words("No vesicle was released or given in this run.")
        return
    table = pd.DataFrame([vars(flow) for flow in flows]).drop(columns="column")
    table = table.rename(columns={"start": "from", "end": "to", "amount": "vesicles"})
    colours = type_colours(opened.run.layout.cell_types)
    named = {**colours, **{f"taken up by {name}": colour for name, colour in colours.items()}}
    pools = {flow.end: colours.get(flow.start, "#8C8C8C") for flow in flows if flow.column == 0}
    yield Picture(
        "vesicle_budget",
        "Who released vesicles, and who took them up",
        f"All vesicles up to day {opened.last.minutes / 1440:.1f}, from the books of the run, which "
        "close to rounding. Ribbons are as "
        "wide as the number of vesicles.",
        flow_figure(flows, ("released by", "pool", "what became of them"), {**named, **pools}, "vesicles"),
        table,
    )
    yield Table(
        "vesicle_uptake",
        "Vesicles taken up, by donor and recipient",
        "Whole vesicles internalised during the run.",
        _uptake(opened),
    )
    yield from _vesicles_through_time(opened)


def _flows(opened: OpenedRun) -> list[Flow]:
    run = opened.run
    books, flows = run.ledger("pools"), []
    flux: Any = run.flux
    taken: Any = flux.groupby(["pool", "recipient"], sort=False)["vesicles"].sum()
    for pool in run.layout.pools:
        account = {name: float(books.at[pool, name]) for name in books}
        released, given = account["released"], account["given"]
        donor = _donor(opened, pool)
        flows += [Flow(0, donor, pool, released), Flow(0, _GIVEN, pool, given)]
        flows += [
            Flow(1, pool, f"taken up by {name}", float(taken[pool, name])) for name in run.layout.cell_types
        ]
        flows += [Flow(1, pool, words, account[name]) for name, words in _FATES.items()]
        rest = released + given - account["internalised"] - sum(account[name] for name in _FATES)
        # What is left of a difference of large numbers is rounding.
        flows.append(Flow(1, pool, _REST, rest if rest > 1e-6 * (released + given) else 0.0))
    return [flow for flow in flows if flow.amount > 0.0]


def _donor(opened: OpenedRun, pool: str) -> str:
    """Return the cell type that releases a pool: the scenario names it, else the flux does."""
    if opened.scenario is not None:
        return opened.scenario.vesicles[pool].donor or "cells"
    flux: Any = opened.run.flux
    found = flux[(flux["pool"] == pool) & (flux["vesicles"] > 0.0)]["donor"].unique()
    return str(found[0]) if len(found) else "cells"


def _uptake(opened: OpenedRun) -> pd.DataFrame:
    flux = opened.run.flux
    flux = flux[flux["vesicles"] > 0.0]
    total = flux.groupby("pool")["vesicles"].transform("sum")
    return flux.assign(share_of_uptake=flux["vesicles"] / total).sort_values(
        ["pool", "vesicles"], ascending=[True, False]
    )


def _vesicles_through_time(opened: OpenedRun) -> Iterator[Item]:
    days, panels, table = opened.series_days, [], {"day": opened.series_days}
    for suffix, title in (("free", "Free"), ("docked", "Docked"), ("internalised", "Taken up so far")):
        curves = []
        for i, pool in enumerate(opened.run.layout.pools):
            values = opened.series(f"{pool}_{suffix}")
            if values is not None and values.max() > 0.0:
                look = (LINES[i % len(LINES)], ("-", "--", ":")[i // len(LINES) % 3])
                curves.append(Curve(pool.replace("_", " "), days, values, *look))
                table[f"{pool}_{suffix}"] = values
        if curves:
            panels.append(Panel(title, "Vesicles", curves))
    if panels:
        yield Picture(
            "vesicles_through_time",
            "Vesicles through time",
            f"Sums over the whole tissue, {opened.run.grid.n_sites:,} sites.",
            curves_figure(panels, "Time (days)", columns=3, panel_mm=48.0, legend="bottom"),
            pd.DataFrame(table),
        )


def drugs(opened: OpenedRun) -> Iterator[Item]:
    """Yield for every drug its level in blood, tissue and cells, and how exposure spreads over cells."""
    if not opened.run.layout.drugs:
        yield Words("This scenario has no drug.")
    for drug in opened.run.layout.drugs:
        panels, table = _exposure(opened, drug)
        if not panels:
            yield Words(f"No {drug} was given in this run.")
            continue
        yield Picture(
            f"exposure_{drug}",
            f"Exposure to {drug}",
            f"Means over all {opened.run.grid.n_sites:,} sites and over living tumour cells, {len(opened.living()):,} "
            "at the end. Free drug in blood and tissue; what a cell holds is per site volume; damage is dimensionless, "
            "its half-maximal effect at the half-max of the drug.",
            curves_figure(panels, "Time (days)", panel_mm=46.0, shade_label=f"{drug} in blood"),
            pd.DataFrame(table),
        )
    if opened.run.layout.drugs:
        books = opened.run.ledger("drugs").reset_index()
        yield Table(
            "drug_books",
            "The books of the drugs",
            "Amounts since the start, nM times sites: what was supplied and where it went.",
            books,
        )


def _exposure(opened: OpenedRun, drug: str) -> tuple[list[Panel], dict[str, np.ndarray]]:
    days, table = opened.series_days, {"day": opened.series_days}
    field = opened.field_of(drug)
    shown = (
        (
            "Around the cells",
            f"Free {drug} (nM)",
            (
                (f"{field}_plasma", "in blood", BLACK, "-"),
                (f"{field}_mean", "all sites", BLUE, "--"),
                (f"{field}_at_tumour", "at tumour cells", VERMILLION, ":"),
            ),
        ),
        ("In the cells", f"{drug} held (nM)", ((f"{drug}_held_in_tumour", "tumour cells", VERMILLION, "-"),)),
        ("Damage", f"Damage by {drug} (1)", ((f"{drug}_damage_in_tumour", "tumour cells", VERMILLION, "-"),)),
        (
            "Deaths so far",
            "Cells",
            (
                (f"deaths_by_{drug}", f"by {drug}", VERMILLION, "-"),
                ("deaths_by_drug", "by any drug", ORANGE, "--"),
            ),
        ),
    )
    panels, any_drug = [], False
    for title, y_label, lines in shown:
        curves = []
        for name, label, colour, style in lines:
            values = opened.series(name)
            if values is not None and not (name == "deaths_by_drug" and len(opened.run.layout.drugs) == 1):
                any_drug |= bool(values.max() > 0.0)
                curves.append(Curve(label, days, values, colour, style))
                table[name] = values
        if curves:
            panels.append(Panel(title, y_label, curves, shaded=opened.doses(drug)))
    return (panels, table) if any_drug else ([], {})
