"""Strips through time: cells by type, and the share of resistant or of hypoxic tumour cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter

from tme_sim.analysis.palette import BLACK, BLUE, PALE, VERMILLION, type_colours
from tme_sim.analysis.section import Section

_NICHES = (
    ("resistant_fraction_{}", "all tumour cells", BLACK, "-"),
    ("resistant_fraction_rim_{}", "in the rim", VERMILLION, "--"),
    ("resistant_fraction_perfused_{}", "near vessels", BLUE, ":"),
)
_LEVELS = (
    ("hypoxic_share_10", "below 10 mmHg", BLUE, ":"),
    ("hypoxic_share_2p5", "below 2.5 mmHg", VERMILLION, "-"),
)


def draw_counts(ax: Axes, section: Section) -> None:
    """Draw living cells of each type through time, on a logarithmic scale."""
    colours = type_colours(section.cell_types)
    for name in section.cell_types:
        counts = section.series.get(f"{name}_cells")
        if counts is not None and counts.max() > 0:
            shown = np.where(counts > 0, counts, np.nan)
            ax.plot(section.series_minutes / 1440.0, shown, color=colours[name], lw=2, label=name)
    ax.set(yscale="log", ylabel="Living cells")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}" if count >= 1.0 else ""))
    ax.yaxis.set_minor_locator(NullLocator())
    _finish(ax, section, "Cells by type")


def draw_resistance(ax: Axes, section: Section) -> None:
    """Draw the share of resistant tumour cells through time, by niche."""
    drug = section.drug
    _draw_shares(ax, section, [(pattern.format(drug), *style) for pattern, *style in _NICHES])
    ax.set_ylabel("Resistant share")
    _finish(ax, section, f"Tumour cells resistant to {drug}")


def draw_hypoxia(ax: Axes, section: Section) -> None:
    """Draw the share of tumour cells below two levels of oxygen through time."""
    _draw_shares(ax, section, _LEVELS)
    ax.set_ylabel("Hypoxic share")
    _finish(ax, section, "Tumour cells by their oxygen")


def _draw_shares(ax: Axes, section: Section, lines: Iterable[Sequence[str]]) -> None:
    """Draw measures that are shares: name, label, colour and style of each."""
    for name, label, colour, style in lines:
        share = section.series.get(name)
        if share is not None and np.isfinite(share).any():
            measured = np.isfinite(share)
            days = section.series_minutes[measured] / 1440.0
            ax.plot(days, share[measured], color=colour, ls=style, lw=2, label=label, **_mark(days))
    top = _top_share([line.get_ydata() for line in ax.lines])
    ax.set_ylim(-0.02 * top, 1.02 * top)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _top_share(shares: list) -> float:
    """Return the end of the axis: one, or less where all shares are small."""
    largest = max((float(np.max(share)) for share in shares), default=1.0)
    return 1.0 if largest > 0.4 else max(0.1, 2.0 * largest)


def _mark(days: np.ndarray) -> dict[str, Any]:
    """Mark single values while there are few of them, so that one alone is seen."""
    return {"marker": "o", "ms": 4} if len(days) <= 30 else {}


def _finish(ax: Axes, section: Section, title: str) -> None:
    days = section.series_minutes / 1440.0
    _shade_doses(ax, section, days)
    ax.axvline(section.minutes / 1440.0, color="0.4", lw=1.0, ls=(0, (4, 3)))
    ax.set_xlim(days[0], max(days[-1], days[0] + 1e-6))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.set_xlabel("Time (days)")
    ax.set_title(title, fontsize=13, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize=9.5, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.05), handlelength=1.6)


def _shade_doses(ax: Axes, section: Section, days: np.ndarray) -> None:
    level = section.series.get(f"{section.drug}_plasma")
    if level is None or not (level > 0).any():
        return
    ax.fill_between(
        days, 0, 1, where=level > 0, step="post", transform=ax.get_xaxis_transform(),
        color=PALE, lw=0, zorder=0, label=f"{section.drug} in blood",
    )  # fmt: skip
