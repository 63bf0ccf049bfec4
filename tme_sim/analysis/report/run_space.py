"""What a run looked like: the tissue through time, its fields, profiles around vessels and the tumour's edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure

from tme_sim.analysis.figures.curves import Curve, Panel, curves_figure
from tme_sim.analysis.figures.maps import OXYGEN, RATIO_COLOURS, VESICLE_COLOURS, kinds
from tme_sim.analysis.figures.montage import Row, montage_figure
from tme_sim.analysis.figures.numbers import fitting_unit
from tme_sim.analysis.figures.planes import Plane, planes_figure
from tme_sim.analysis.overview import overview_figure
from tme_sim.analysis.palette import BLUE, VERMILLION
from tme_sim.analysis.profiles import edge_distance_um, profile
from tme_sim.analysis.report.film import write_film
from tme_sim.analysis.report.opened import OpenedRun
from tme_sim.analysis.report.page import Film, Item, Picture
from tme_sim.analysis.section import Section, section_of
from tme_sim.measures.measure import field_unit

_COLUMNS, _FRAMES = 4, 60
_AGES = ("#9ECAE1", "#4292C6", "#08306B")  # early to late
_PLACES = (("at_tumour", "at tumour cells", VERMILLION), ("mean", "all sites", BLUE))
_VESSEL, _EDGE = "vessels", "the tumour's edge"


def tissue(opened: OpenedRun) -> Iterator[Item]:
    """Yield the maps at the end, the tissue through time, and a film."""
    last = opened.last
    plane = "the middle plane of the tissue" if last.planes > 1 else "the tissue"
    cells = int(len(last.tumour_rows()))
    yield Picture(
        "overview",
        "The tissue at the end",
        f"Maps of {plane} at day {last.minutes / 1440:.1f} with {cells:,} living tumour cells, and "
        "their course in time. "
        "Numbers in brackets count cells; remains of dead cells hold their site until they are cleared.",
        overview_figure(last),
    )
    if len(opened.run.snapshot_minutes) > 1:
        sections = [section_of(opened.run, minutes) for minutes in opened.moments(_COLUMNS)]
        heads = [f"day {section.minutes / 1440:.3g}" for section in sections]
        counts = ", ".join(f"{len(section.tumour_rows()):,}" for section in sections)
        yield Picture(
            "tissue_through_time",
            "The tissue through time",
            f"All maps of a row share one scale. White lines: edge of the tumour. Living tumour cells: {counts}.",
            montage_figure(heads, _rows(sections, opened.drugs), last.spacing_um, last.window_um),
        )
        yield Film(
            "film",
            "The tissue as a film",
            f"One frame per snapshot, at most {_FRAMES}.",
            partial(_film, opened),
        )


def _film(opened: OpenedRun, stem: Path) -> Path:
    sections = [section_of(opened.run, minutes) for minutes in opened.moments(_FRAMES)]
    heads = [f"Day {section.minutes / 1440:.2f}" for section in sections]
    rows = _rows(sections, opened.drugs)
    shown = [rows[0], rows[-1] if opened.drugs else rows[min(1, len(rows) - 1)]][: len(rows)]
    return write_film(stem, heads, shown, opened.last.spacing_um, opened.last.window_um)


def _rows(sections: Sequence[Section], drugs: Sequence[str]) -> list[Row]:
    """Return cells, oxygen, vesicles and resistance of several moments, each on one scale."""
    edges = [edge_distance_um(section.tumour_mask(), section.spacing_um) for section in sections]
    rows = [_cells_row(sections)]
    oxygen = [section.fields[OXYGEN] for section in sections if OXYGEN in section.fields]
    if oxygen:
        top = max(float(plane.max()) for plane in oxygen) or 1.0
        rows.append(Row("Oxygen (mmHg)", oxygen, "cividis", Normalize(0.0, top), {}, edges))
    free = [np.sum(list(section.pools.values()), axis=0) for section in sections if section.pools]
    top = max((float(plane.max()) for plane in free), default=0.0)
    if top > 0.0:
        low = top / 1e3
        shown = [np.maximum(plane, low) for plane in free]
        rows.append(Row("Free vesicles per site", shown, VESICLE_COLOURS, LogNorm(low, top), {}))
    for drug in drugs:
        planes = [section.tumour_raster(f"resistance_{drug}") for section in sections]
        rows.append(
            Row(f"Log-kill by {drug},\nrelative to naive", planes, RATIO_COLOURS, Normalize(0.0, 1.0), {})
        )
    return rows


def _cells_row(sections: Sequence[Section]) -> Row:
    found = [kinds(section) for section in sections]
    classes = {name: colour for of_moment in found for name, colour, _ in of_moment}
    codes = {name: code for code, name in enumerate(classes)}
    planes = []
    for section, of_moment in zip(sections, found, strict=True):
        plane = np.full(section.shape, np.nan)
        for name, _, mask in of_moment:
            plane[section.cells["iy"][mask], section.cells["ix"][mask]] = codes[name]
        planes.append(plane)
    colours = ListedColormap(list(classes.values()) or ["#FFFFFF"])
    return Row("Cells", planes, colours, Normalize(-0.5, max(len(classes), 1) - 0.5), classes)


def fields(opened: OpenedRun) -> Iterator[Item]:
    """Yield every field and pool at the end, and their means through time."""
    last, run = opened.last, opened.run
    planes, empty = [], [name for name, plane in (last.fields | last.pools).items() if not plane.any()]
    for name, plane in last.fields.items():
        unit, size = fitting_unit(field_unit(name), plane)
        planes.append(Plane(name, f"{name} ({unit})", plane / size))
    planes += [
        Plane(name, f"free {name.replace('_', ' ')} (per site)", plane) for name, plane in last.pools.items()
    ]
    planes = [plane for plane in planes if plane.name not in empty]
    if planes:
        edge = edge_distance_um(last.tumour_mask(), last.spacing_um)
        yield Picture(
            "fields",
            "Fields and free vesicles at the end",
            f"Day {last.minutes / 1440:.1f}, {last.shape[0] * last.shape[1]:,} sites of {last.spacing_um:g} µm; white "
            "lines: edge of the tumour. Scales differ."
            + (f" Zero everywhere: {', '.join(empty)}." if empty else ""),
            planes_figure(planes, edge, last.spacing_um, last.extent_um),
        )
    panels, table = [], {"day": opened.series_days}
    for name in run.layout.fields:
        found = {
            suffix: values
            for suffix, _, _ in _PLACES
            if (values := opened.series(f"{name}_{suffix}")) is not None
        }
        table |= {f"{name}_{suffix}_{field_unit(name)}": values for suffix, values in found.items()}
        unit, size = fitting_unit(field_unit(name), *found.values())
        curves = [
            Curve(label, opened.series_days, found[s] / size, colour)
            for s, label, colour in _PLACES
            if s in found
        ]
        if curves:
            panels.append(Panel("", f"{name} ({unit})", curves))
    if panels:
        yield Picture(
            "fields_through_time",
            "Fields through time",
            f"Means over all {run.grid.n_sites:,} sites, and over those held by living tumour cells.",
            curves_figure(panels, "Time (days)", columns=3, panel_mm=44.0, legend="bottom"),
            pd.DataFrame(table),
        )


def profiles(opened: OpenedRun) -> Iterator[Item]:
    """Yield how fields, vesicles and resistance run with distance from vessels and from the tumour's edge."""
    for place, name in ((_VESSEL, "vessels"), (_EDGE, "edge")):
        found = _profiles(opened, place)
        if not found.empty:
            days = found["day"].unique()
            yield Picture(
                f"profile_{name}",
                f"Around {place}",
                "Means over sites (cells for resistance) by class of distance, with at least five "
                "sites or twenty cells (how many is in the table); "
                f"the band holds the middle half at day {days[-1]:.3g}. "
                + (
                    "Negative distances lie inside the tumour."
                    if place == _EDGE
                    else "Distance to the nearest perfused vessel."
                ),
                _profile_figure(found, place),
                found,
            )


def _profiles(opened: OpenedRun, place: str) -> Any:
    """Return the profiles at three moments, one row per moment, value and class of distance."""
    run, parts = opened.run, []
    width_um = run.grid.spacing_um * (2.0 if place == _EDGE else 1.0)
    # At the very start fields have not been solved yet.
    for minutes in [m for m in opened.moments(4) if m > 0.0] or opened.moments(1):
        alive = opened.living(minutes)
        if place == _VESSEL:
            distance = run.vessels("distance", minutes)
        else:
            mask = np.zeros(run.grid.n_sites, bool)
            mask[alive["site"]] = True
            distance = edge_distance_um(mask.reshape(run.grid.shape), run.grid.spacing_um)
        values = {f"{name} ({field_unit(name)})": run.field(name, minutes) for name in run.layout.fields}
        values |= {f"free {name} (per site)": run.pool(name, minutes) for name in run.layout.pools}
        found = {name: (distance.ravel(), value.ravel()) for name, value in values.items()}
        for drug in opened.drugs:
            ratio = alive[f"resistance_{drug}"].to_numpy(float)
            share = np.where(np.isfinite(ratio), ratio < opened.resistant_below, np.nan)
            found[f"resistant to {drug} (share)"] = (distance.ravel()[alive["site"]], share)
        for name, (at, value) in found.items():
            rows = profile(at, value, width_um, least=20 if "share" in name else 5)
            parts.append(rows.assign(day=minutes / 1440.0, value=name))
    found = pd.concat(parts, ignore_index=True)
    return found[["day", "value", "distance_um", "mean", "low", "high", "n"]]


def _profile_figure(found: Any, place: str) -> Figure:
    moments = found["day"].unique()
    ages = _AGES[-len(moments) :]
    panels = []
    for name, rows in found.groupby("value", sort=False):
        if not rows["mean"].any():
            continue
        label, _, unit = str(name).rstrip(")").rpartition(" (")
        unit, size = fitting_unit(unit, rows["high"].to_numpy())
        curves = []
        for day, colour in zip(moments, ages, strict=True):
            of_day = rows[rows["day"] == day]
            x = of_day["distance_um"].to_numpy(float)
            mean, low, high = (of_day[column].to_numpy(float) / size for column in ("mean", "low", "high"))
            band = (low, high) if day == moments[-1] and unit != "share" else (None, None)
            if len(x):
                curves.append(Curve(f"day {day:.3g}", x, mean, colour, low=band[0], high=band[1]))
        scale = "share" if unit == "share" else "linear"
        panels.append(Panel("", f"{label} ({unit})", curves, scale, mark=0.0 if place == _EDGE else None))
    return curves_figure(
        panels,
        f"Distance from {'vessels' if place == _VESSEL else 'the edge'} (µm)",
        columns=3,
        panel_mm=42.0,
        legend="bottom",
        share_x=True,
    )
