"""Distributions of single cells' sensitivity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tme_sim.analysis.palette import BLACK, BLUE, VERMILLION
from tme_sim.analysis.style import PAGE_MM, panels, styled


@styled
def ratios_figure(groups: Mapping[str, np.ndarray], resistant_below: float, drug: str) -> Figure:
    """Return cumulative distributions of the log-kill ratio, one per group of cells, float (n,) each, none nan."""
    figure, (ax,) = panels(1, 1, 54.0, width_mm=PAGE_MM * 0.66)
    styles = ((BLACK, "-"), (VERMILLION, "--"), (BLUE, ":"))
    for (name, values), (colour, style) in zip(groups.items(), styles, strict=False):
        if len(values):
            ax.ecdf(values, color=colour, ls=style, label=f"{name} ({len(values):,})")
    ax.axvline(resistant_below, color="0.4", lw=0.8, ls=(0, (4, 3)))
    ax.annotate(
        "resistant", (resistant_below, 1.0), xycoords=("data", "axes fraction"), xytext=(-3, -1), ha="right", va="top",
        textcoords="offset points", fontsize="small", color="0.35",
    )  # fmt: skip
    ax.set(
        xlabel=f"Log-kill by {drug}, relative to a naive cell",
        ylabel="Share of cells below",
        xlim=(0.0, None),
    )
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
