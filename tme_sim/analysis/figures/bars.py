"""Horizontal bars: shares by niche, and what protects resistant cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tme_sim.analysis.figures.numbers import round_ticks
from tme_sim.analysis.palette import BLACK, GREY, SKY, VERMILLION
from tme_sim.analysis.style import PAGE_MM, panels, styled

_BAR_MM = 4.6


@dataclass(frozen=True)
class Share:
    """A share of some cells: ``group`` heads its block, ``cells`` is how many it is a share of."""

    group: str
    label: str
    share: float
    cells: int


@styled
def shares_figure(shares: Sequence[Share], x_label: str) -> Figure:
    """Return one bar per share, in blocks, with the number of cells at its end."""
    groups = list(dict.fromkeys(share.group for share in shares))
    figure, (ax,) = panels(1, 1, 13.0 + _BAR_MM * (len(shares) + 0.8 * len(groups)), width_mm=PAGE_MM * 0.72)
    top = max([share.share for share in shares if np.isfinite(share.share)], default=1.0)
    at, places, labels = 0.0, [], []
    for group in groups:
        ax.text(0.0, at, f" {group}", va="center", fontweight="bold", fontsize="small")
        at += 0.8
        for share in (share for share in shares if share.group == group):
            known = np.isfinite(share.share)
            ax.barh(
                at,
                share.share if known else 0.0,
                height=0.72,
                color=VERMILLION if group == groups[0] else SKY,
            )
            text = _of_cells(share) if known else "no such cells"
            ax.text(
                share.share if known else 0.0, at, f" {text}", va="center", fontsize="small", color="0.25"
            )
            places.append(at)
            labels.append(share.label)
            at += 1.0
    ax.set(yticks=places, yticklabels=labels, xlabel=x_label, xlim=(0.0, min(1.45, max(1.6 * top, 0.05))))
    ax.set_ylim(at - 0.2, -0.6)
    ax.tick_params(axis="y", length=0)
    ticks = round_ticks().tick_values(0.0, min(top, 1.0))
    ax.set_xticks([tick for tick in ticks if 0.0 <= tick <= 1.0])
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.spines["bottom"].set_bounds(0.0, min(1.0, ax.get_xlim()[1]))
    return figure


def _of_cells(share: Share) -> str:
    count = round(share.share * share.cells)
    return f"{count:,} of {share.cells:,} ({share.share:.{1 if 0 < share.share < 0.095 else 0}%})"


@styled
def attribution_figure(
    routes: Sequence[str], values: dict[str, np.ndarray], evidence: Sequence[str], drug: str
) -> Figure:
    """Return how much each route protects resistant cells, in shares of a naive cell's log-kill.

    Parameters
    ----------
    values : dict of float64 (n_routes,)
        Contribution by group of cells; positive protects.
    evidence : sequence of str
        Mechanism ids on the way of each route.
    """
    figure, (ax,) = panels(1, 1, 17.0 + (_BAR_MM * 0.9) * len(routes) * max(1, len(values)))
    height = 0.8 / max(1, len(values))
    at = np.arange(len(routes), dtype=float)
    for i, (label, contribution) in enumerate(values.items()):
        place = at + (i - (len(values) - 1) / 2) * height
        bars = ax.barh(
            place, contribution, height=height * 0.92, color=(BLACK, VERMILLION, GREY)[i % 3], label=label
        )
        ax.bar_label(bars, fmt="%+.3f", padding=2, fontsize="small", color="0.25")
    ax.axvline(0.0, color="0.4", lw=0.7)
    ax.margins(x=0.12)
    ax.set(yticks=at, yticklabels=routes, xlabel=f"Protection from {drug} (share of a naive cell's log-kill)")
    ax.set_ylim(len(routes) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    _cite(ax, at, evidence)
    if len(values) > 1:
        ax.legend(loc="lower right")
    return figure


def _cite(ax: Axes, at: np.ndarray, evidence: Sequence[str]) -> None:
    """Write the mechanism ids at the right of the bars."""
    for y, ids in zip(at, evidence, strict=True):
        ax.annotate(
            _folded(ids), (1.0, y), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize="small", color="0.25",
        )  # fmt: skip
    if any(evidence):
        ax.annotate(
            "mechanisms on the way", (1.0, 1.0), xycoords="axes fraction", xytext=(6, 2), textcoords="offset points",
            va="bottom", fontsize="small", fontweight="bold",
        )  # fmt: skip


def _folded(ids: str) -> str:
    words = ids.split()
    more = f" +{len(words) - 5}" if len(words) > 5 else ""
    return " ".join(words[:5]) + more
