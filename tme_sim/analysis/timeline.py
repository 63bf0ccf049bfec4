"""A run's course in time as panels: cells by type, and the share of resistant or of hypoxic tumour cells."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tme_sim.analysis.figures.curves import Curve, Panel
from tme_sim.analysis.palette import BLACK, BLUE, VERMILLION, type_colours
from tme_sim.analysis.section import Section
from tme_sim.analysis.style import days

_NICHES = (
    ("resistant_fraction_{}", "all tumour cells", BLACK, "-"),
    ("resistant_fraction_rim_{}", "in the rim", VERMILLION, "--"),
    ("resistant_fraction_perfused_{}", "near vessels", BLUE, ":"),
)
_LEVELS = (
    ("hypoxic_share_10", "below 10 mmHg", BLUE, ":"),
    ("hypoxic_share_2p5", "below 2.5 mmHg", VERMILLION, "-"),
)


def counts_panel(section: Section) -> Panel:
    """Return living cells of each type through time, on a logarithmic scale."""
    colours = type_colours(section.cell_types)
    counts = {name: section.series.get(f"{name}_cells") for name in section.cell_types}
    curves = [
        Curve(name, days(section.series_minutes), count, colours[name], ("-", "--", "-.", ":")[i % 4])
        for i, (name, count) in enumerate(counts.items())
        if count is not None and count.max() > 0
    ]
    return _panel(section, "Cells by type", "Living cells", curves, "log")


def resistance_panel(section: Section) -> Panel:
    """Return the share of resistant tumour cells through time, by niche."""
    drug = section.drug
    lines = ((pattern.format(drug), *style) for pattern, *style in _NICHES)
    return _panel(
        section, f"Tumour cells resistant to {drug}", "Resistant share", _shares(section, lines), "share"
    )


def hypoxia_panel(section: Section) -> Panel:
    """Return the share of tumour cells below two levels of oxygen through time."""
    return _panel(
        section, "Tumour cells by their oxygen", "Hypoxic share", _shares(section, _LEVELS), "share"
    )


def doses(minutes: np.ndarray, level: np.ndarray | None) -> list[tuple[float, float]]:
    """Return the spans of time, days, in which a level is above a hundredth of its peak: tails that fade never end."""
    if level is None or len(minutes) < 2:
        return []
    on = np.concatenate([[False], level[:-1] > 0.01 * level.max(), [False]])
    starts, stops = np.flatnonzero(on[1:] & ~on[:-1]), np.flatnonzero(on[:-1] & ~on[1:])
    return [(float(days(minutes[a])), float(days(minutes[b]))) for a, b in zip(starts, stops, strict=True)]


def _shares(section: Section, lines: Iterable[tuple[str, ...]]) -> list[Curve]:
    """Return measures that are shares: name, label, colour and style of each."""
    found = ((section.series.get(name), *style) for name, *style in lines)
    return [
        Curve(label, days(section.series_minutes), share, colour, style)
        for share, label, colour, style in found
        if share is not None and np.isfinite(share).any()
    ]


def _panel(section: Section, title: str, y_label: str, curves: list[Curve], scale: str) -> Panel:
    shaded = doses(section.series_minutes, section.series.get(f"{section.drug}_plasma"))
    return Panel(title, y_label, curves, scale, shaded, float(days(section.minutes)))
