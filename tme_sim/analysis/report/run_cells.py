"""What became of the cells of a run: populations, resistance by niche and class, and what carries it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tme_sim.analysis.figures.bars import Share, attribution_figure, shares_figure
from tme_sim.analysis.figures.curves import Curve, Panel, curves_figure
from tme_sim.analysis.figures.ratios import ratios_figure
from tme_sim.analysis.palette import BLACK, BLUE, DEATHS, ORANGE, VERMILLION
from tme_sim.analysis.report.citations import citations
from tme_sim.analysis.report.opened import OpenedRun
from tme_sim.analysis.report.page import Item, Picture, Table, Words
from tme_sim.analysis.timeline import counts_panel, hypoxia_panel
from tme_sim.measures.ic50 import RANGE, median
from tme_sim.measures.niches import DISTANCES_UM, OXYGEN_MMHG
from tme_sim.state.codes import CLASSES_IN_ORDER

_NICHES = (
    ("", "all tumour cells", BLACK, "-"),
    ("_rim", "in the rim", VERMILLION, "--"),
    ("_perfused", "near vessels", BLUE, ":"),
)
# Colours of these lie close together for some readers; the style of the line tells them apart.
_STAGES = (("G1", "G1", BLUE, "-"), ("S", "S", VERMILLION, "--"), ("G2M", "G2/M", ORANGE, ":"))
_DEATH_STYLES = {"necrosis": "-", "apoptosis": ":", "drug": "--"}
_LEAST, _SHOWN = 1e-6, 1e-3  # contributions that are more than rounding, and that are drawn
_OF_PLACE = {"Distance to a perfused vessel": " from a vessel", "Oxygen": " of oxygen"}
_AGAINST = (
    ("resistant_fraction", "against a naive cell in normoxia"),
    ("resistant_fraction_own_oxygen", "against a naive cell at the same oxygen"),
)


def populations(opened: OpenedRun) -> Iterator[Item]:
    """Yield cells by type, births and deaths by cause, stages of the cycle, and hypoxia."""
    days, drug = opened.series_days, opened.last.drug
    shaded = opened.doses(drug)
    panels = [counts_panel(opened.last), _turnover(opened), _stages(opened), hypoxia_panel(opened.last)]
    shown = [Panel(p.title, p.y_label, p.curves, p.scale, shaded) for p in panels if p.curves]
    table = {"day": days}
    for panel in shown:
        table |= {f"{panel.title}: {c.label}": c.y for c in panel.curves if len(c.y) == len(days)}
    end = opened.series("tumour_cells")
    n = (
        f"{end[0]:,.0f} living tumour cells at the start, {end[-1]:,.0f} at the end. "
        if end is not None
        else ""
    )
    yield Picture(
        "populations",
        "Cells, births and deaths",
        n + "Births and deaths are those of all cells, per day, from their running totals.",
        curves_figure(shown, "Time (days)", panel_mm=46.0, shade_label=f"{drug} in blood", share_x=True),
        pd.DataFrame(table),
    )


def _turnover(opened: OpenedRun) -> Panel:
    """Return births and deaths by cause per day."""
    days = opened.series_days
    curves = []
    for name, label, colour, style in (
        ("births", "births", ORANGE, "-"),
        *((f"deaths_by_{c}", f"deaths: {c}", k, _DEATH_STYLES.get(c, "-.")) for c, k in DEATHS.items()),
    ):
        total = opened.series(name)
        if total is not None and total.max() > total.min() and len(days) > 2:
            step = max(1, round(0.5 / float(np.median(np.diff(days)))))  # half a day or one reading
            at = np.arange(0, len(days), step)
            at = np.append(
                at[:-1] if len(at) > 1 and len(days) - 1 - at[-1] < step / 2 else at, len(days) - 1
            )
            rate = np.diff(total[at]) / np.diff(days[at])
            curves.append(Curve(label, (days[at][1:] + days[at][:-1]) / 2.0, rate, colour, style))
    return Panel("Births and deaths", "Cells per day", curves)


def _stages(opened: OpenedRun) -> Panel:
    curves = [
        Curve(label, opened.series_days, share, colour, style)
        for name, label, colour, style in _STAGES
        if (share := opened.series(f"share_in_{name}")) is not None
    ]
    return Panel("Tumour cells by stage", "Share of tumour cells", curves, "share")


def resistance(opened: OpenedRun) -> Iterator[Item]:
    """Yield the resistant fraction through time, by niche, and by class, for every drug."""
    if not opened.drugs:
        yield Words("No drug of this scenario has a reference exposure, so resistance was not measured.")
    for drug in opened.drugs:
        yield from _through_time(opened, drug)
        yield from _by_niche(opened, drug)
        yield from _folds(opened, drug)
        yield from _by_class(opened, drug)


def _through_time(opened: OpenedRun, drug: str) -> Iterator[Item]:
    panels, table = [], {"day": opened.series_days}
    for name, against in _AGAINST:
        curves = []
        for niche, label, colour, style in _NICHES:
            values = opened.series(f"{name}{niche}_{drug}")
            if values is not None:
                curves.append(Curve(label, opened.series_days, values, colour, style))
                table[f"{name}{niche}"] = values
        panels.append(Panel(against.capitalize(), "Resistant share", curves, "share", opened.doses(drug)))
    if not any(panel.curves for panel in panels):
        return
    rim = opened.observed.rim_from_vessel
    bare = (
        "" if opened.run.vessels().any() else " This tissue has no vessel, so that every cell counts as rim."
    )
    yield Picture(
        f"resistant_fraction_{drug}",
        f"Resistant fraction, {drug}",
        "A tumour cell counts as resistant when its log-kill under the reference exposure is below "
        f"{opened.resistant_below:g} "
        f"of a naive cell's. The rim: farther than {float(rim):g} µm from a perfused vessel.{bare} What is "
        "resistant on the left and not on the right is protected by its low oxygen alone.",
        curves_figure(
            panels,
            "Time (days)",
            panel_mm=52.0,
            legend="bottom",
            shade_label=f"{drug} in blood",
            share_y=True,
        ),
        pd.DataFrame(table).dropna(how="all", subset=[c for c in table if c != "day"]),
    )
    section, alive = opened.last, opened.living()
    ratio = alive[f"resistance_{drug}"].to_numpy(float)
    if np.isfinite(ratio).sum() > 1:
        rim = alive["rim"].to_numpy(float) > 0.5
        groups = {"all tumour cells": ratio, "in the rim": ratio[rim], "near vessels": ratio[~rim]}
        groups = {name: values[np.isfinite(values)] for name, values in groups.items()}
        counts = ", ".join(f"{name}: {len(values):,}" for name, values in groups.items())
        yield Picture(
            f"ratios_{drug}",
            f"How sensitive single cells are to {drug}",
            f"Cumulative distribution over cells at day {section.minutes / 1440:.1f}; {counts}. At 1 a "
            "cell is as sensitive as a naive one; "
            "left of the line it counts as resistant.",
            ratios_figure(groups, opened.resistant_below, drug),
        )


def _by_niche(opened: OpenedRun, drug: str) -> Iterator[Item]:
    shares = _niche_shares(opened, drug)
    if shares:
        table = pd.DataFrame([vars(share) for share in shares])
        yield Picture(
            f"niches_{drug}",
            f"Where the cells resistant to {drug} are",
            f"Resistant share of the living tumour cells of each place at day {opened.last.minutes / 1440:.1f}; "
            "the number after each bar is how many cells it is a share of.",
            shares_figure(shares, f"Share resistant to {drug}"),
            table,
        )


def _niche_shares(opened: OpenedRun, drug: str) -> list[Share]:
    """Return resistant shares by place and by heritable state at the end, from the cells themselves."""
    ratio = opened.living()[f"resistance_{drug}"].to_numpy(float)
    if not np.isfinite(ratio).any():
        return []
    resistant = ratio < opened.resistant_below
    return [
        Share(group, label, float(resistant[mask].mean()) if mask.any() else float("nan"), int(mask.sum()))
        for group, label, mask in _places(opened)
    ]


def _folds(opened: OpenedRun, drug: str) -> Iterator[Item]:
    """Yield the IC50 over a naive cell's by place, from the cells themselves."""
    alive, names = opened.living(), [f"ic50_fold_{drug}", f"ic50_fold_own_oxygen_{drug}"]
    if not set(names) <= set(alive) or alive[names[0]].isna().all():
        return
    fold, own_oxygen = (alive[name].to_numpy(float) for name in names)
    frame = pd.DataFrame(
        {
            "group": group,
            "place": label + _OF_PLACE.get(group, ""),
            "cells": int(mask.sum()),
            "median": median(fold[mask]),
            "median_own_oxygen": median(own_oxygen[mask]),
            "no_number_own_oxygen": int(np.isnan(own_oxygen[mask]).sum()),
            "share_above_2": float(np.mean(fold[mask] > 2.0)),
            "share_inf": float(np.mean(np.isinf(fold[mask]))),
        }
        for group, label, mask in _places(opened)
        if mask.any()
    )
    yield Table(
        f"ic50_{drug}",
        f"IC50 of {drug}, over that of a naive cell",
        f"The dose that half of such cells survive, state held and time with {drug} as in the reference exposure, over "
        "that of a naive cell in normoxia, or at the same oxygen; living tumour cells at day "
        f"{opened.last.minutes / 1440:.1f}. At inf no dose up to {RANGE:,.0f} times the reference kills half, be it "
        "that cells stand still or that damage saturates; medians count them as above every number. At 0 "
        "no dose kills half of a naive cell there, but one kills half of these. Where none does of either there is no "
        "number: medians leave such cells out, the column no number own oxygen counts them (at the same oxygen), and a "
        "median is empty, a dash, where all are such cells.",
        frame,
        in_file=("group",),
    )


def _places(opened: OpenedRun) -> list[tuple[str, str, np.ndarray]]:
    """Return (group, label, which of the living tumour cells) by place, heritable state and type at the end."""
    run, alive = opened.run, opened.living()
    rim = alive["rim"].to_numpy(float) > 0.5
    every = np.ones(len(alive), bool)
    out = [("Tumour", "all cells", every), ("Tumour", "in the rim", rim), ("Tumour", "near vessels", ~rim)]
    places = [("Distance to a perfused vessel", DISTANCES_UM, alive["vessel_distance"].to_numpy(float), "µm")]
    if "oxygen" in run.layout.fields:
        oxygen = run.field("oxygen").ravel()[alive["site"].to_numpy()]
        places.append(("Oxygen", OXYGEN_MMHG, oxygen, "mmHg"))
    for group, edges, values, unit in places:
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            label = f"{low:g} {unit} and more" if np.isinf(high) else f"{low:g} to {high:g} {unit}"
            out.append((group, label, (values >= low) & (values < high)))
    if run.layout.clones:
        out += [("Heritable state", name, (alive["clone"] == name).to_numpy()) for name in run.layout.clones]
    if len(opened.tumour) > 1:
        out += [("Cell type", name, (alive["type"] == name).to_numpy()) for name in opened.tumour]
    return out


def _by_class(opened: OpenedRun, drug: str) -> Iterator[Item]:
    found: Any = opened.run.classes
    found = found[found["drug"] == drug]
    if found.empty and opened.observed.washout is not None:
        yield Words(
            f"No tumour cell lived at the end, so that there is none to class by its resistance to {drug}."
        )
        return
    if found.empty:
        yield Words(
            f"Whether cells resist {drug} by what they inherit or through their state and surroundings, and whether "
            "that lasts, is told by a drug-free washout after the run; this scenario asks for none "
            "(resistance: {washout: …})."
        )
        return
    counts: Any = found["class"].value_counts().reindex(CLASSES_IN_ORDER, fill_value=0)
    total = int(counts.sum())
    shares = [Share("Class of the cell", name, count / total, total) for name, count in counts.items()]
    table = pd.DataFrame(
        {"class": counts.index, "cells": counts.to_numpy(), "share": counts.to_numpy() / total}
    )
    yield Picture(
        f"classes_{drug}",
        f"Classes of resistance to {drug}",
        f"The {total:,} living tumour cells at the end of the run, and what became of them in a copy of it that "
        f"went on without drug{_for(opened)}. Pre-existing: resistant by heritable traits alone, all else naive. "
        "Protected before: by state and surroundings, as the cell or its ancestor was just before the first dose of "
        f"{drug}{_first_dose(opened, drug)}. Induced: through state and surroundings since then; stable when at least "
        "half of its living descendants still resist after the washout, transient when fewer do. Lost in washout: "
        f"induced, and none of its descendants lives. Induced does not mean by {drug}: a niche that has grown since, "
        "or that a daughter was pushed into, is among it; an arm without drug and the same seed, with "
        "resistance: {before: …}, tells them apart.",
        shares_figure(shares, "Share of living tumour cells"),
        table,
    )


def _for(opened: OpenedRun) -> str:
    washout = opened.observed.washout
    return "" if washout is None else f" for {float(washout) / 1440.0:g} days"


def _first_dose(opened: OpenedRun, drug: str) -> str:
    """Return when a drug came first, or that it never did, so that nothing is taken for an answer to it."""
    minutes = opened.run.classes.attrs["first_dose_min"][drug]
    if np.isfinite(minutes):
        return f", on day {minutes / 1440.0:.4g}"
    if opened.observed.before is not None:
        return f", for which day {float(opened.observed.before) / 1440.0:.4g} stands: here without any {drug}"
    return f"; here without any {drug}, so that it is all that resists otherwise"


def attribution(opened: OpenedRun) -> Iterator[Item]:
    """Yield how much each route protects the resistant cells, and the statements its mechanisms stand on."""
    routes = opened.run.routes
    cited: set[str] = set()
    for drug in opened.drugs:
        table = _contributions(opened, drug)
        if table.empty:
            yield Words(
                f"No tumour cell was resistant to {drug} when it was last measured: there is nothing to attribute."
            )
            continue
        cited |= {i for ids in table["mechanisms"] for i in ids.split()}
        groups = {
            "all resistant cells": table["all"].to_numpy(float),
            "in the rim": table["rim"].to_numpy(float),
        }
        groups = {name: values for name, values in groups.items() if np.isfinite(values).any()}
        if len(groups) == 2 and np.allclose(*groups.values(), equal_nan=True):
            groups = {"all resistant cells (all lie in the rim)": groups["all resistant cells"]}
        day, cells = table.attrs["day"], table.attrs["cells"]
        seen = (table[["all", "rim"]].abs().max(axis=1) >= _SHOWN).to_numpy()
        shown = table[seen]
        groups = {name: values[seen] for name, values in groups.items()}
        yield Picture(
            f"attribution_{drug}",
            f"Why the cells resistant to {drug} resist",
            f"Shapley value of each route, mean over the {cells} resistant tumour cells at day "
            f"{day:.1f}; negative values "
            "sensitise. Routes and memory add up to one minus the cells' log-kill over that of a "
            "naive cell. Routes that "
            f"reach no cell are left out, those below {_SHOWN:g} are in the table only.",
            attribution_figure(shown["route"].tolist(), groups, shown["mechanisms"].tolist(), drug),
            table,
        )
        yield from _attribution_through_time(opened, drug, shown["route"].tolist())
    if cited:
        yield Table(
            "mechanisms",
            "The statements behind these routes",
            "Every mechanism on the way from a route to the drug's effect, in our words, and the "
            "document it comes from.",
            citations(cited),
        )
    if routes.empty and opened.drugs:
        yield Words("The rules of this scenario leave no route from outside a cell to the drug's effect.")


def measure_of(route: str, niche: str, drug: str) -> str:
    """Return the name of the measure of a route's contribution."""
    return f"attribution_{route.replace(' ', '_')}{niche}_{drug}"


def _contributions(opened: OpenedRun, drug: str) -> pd.DataFrame:
    """Return the last contributions, the largest first: route, all, rim, mechanisms; day and cells in ``attrs``."""
    frame, routes = opened.run.timeseries, opened.run.routes
    routes = (
        routes[routes["drug"] == drug] if not routes.empty else pd.DataFrame({"route": [], "evidence": []})
    )
    evidence = dict(zip(routes["route"], routes["evidence"], strict=True))
    names = [*evidence, "drug history", "contacts", "distance to vessel", "inherited traits", "memory"]
    rows = []
    known = [name for name in dict.fromkeys(names) if measure_of(name, "", drug) in frame]
    measured = (
        frame[[measure_of(name, "", drug) for name in known]].dropna(how="all") if known else frame.iloc[:0]
    )
    if measured.empty:
        return pd.DataFrame(columns=pd.Index(["route", "all", "rim", "mechanisms"]))
    at = measured.index[-1]
    for name in known:
        both = [float(frame.at[at, measure_of(name, niche, drug)]) for niche in ("", "_rim")]
        if np.nanmax(np.abs([*both, 0.0])) > _LEAST:
            rows.append((name, *both, evidence.get(name, "")))
    table = pd.DataFrame(rows, columns=pd.Index(["route", "all", "rim", "mechanisms"]))
    table = table.sort_values("all", key=lambda c: -c.abs(), kind="stable", ignore_index=True)
    share, cells = frame.at[at, f"resistant_fraction_{drug}"], frame.at[at, "tumour_cells"]
    table.attrs |= {"day": float(at) / 1440.0, "cells": f"{share * cells:,.0f}"}
    return table


def _attribution_through_time(opened: OpenedRun, drug: str, routes: list[str]) -> Iterator[Item]:
    curves, table = [], {"day": opened.series_days}
    for route in routes[:6]:
        values = opened.series(measure_of(route, "", drug))
        if values is not None and np.isfinite(values).sum() > 2:
            curves.append(Curve(route, opened.series_days, values))
            table[route] = values
    if curves:
        yield Picture(
            f"attribution_through_time_{drug}",
            f"What protects from {drug}, through time",
            "Means over the tumour cells that are resistant at each time, the share of which is the resistant fraction "
            "above; the six largest routes; gaps where none is.",
            curves_figure(
                [Panel("", "Protection (share of a naive log-kill)", curves, "signed", opened.doses(drug))],
                "Time (days)",
                columns=1,
                panel_mm=56.0,
                shade_label=f"{drug} in blood",
            ),
            pd.DataFrame(table).dropna(how="all", subset=list(table)[1:]),
        )
