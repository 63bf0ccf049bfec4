"""Lineages: how clones grew, and the trees of those that hold most resistant cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from tme_sim.analysis.figures.numbers import count_axis, round_ticks
from tme_sim.analysis.palette import BLACK, BLUE, GREY, PALE, VERMILLION
from tme_sim.analysis.style import panels, styled

RESISTANT_COLOURS = LinearSegmentedColormap.from_list("resistant share", ["#BFD3E6", "#F6D9A8", VERMILLION])
_WIDE_BAND = 0.02
_FATES = {"resistant": VERMILLION, "sensitive": BLUE, "not measured": GREY}


@dataclass(frozen=True)
class Tree:
    """The descendants of one founder, in an order in which every child lies below its mother.

    Attributes
    ----------
    name : str
    begins, ends : float64 (n,)
        Birth and end of each cell, days; the end of the run for those alive.
    mother : int64 (n,)
        Row of the mother; -1 for the founder.
    fate : (n,) of str
        ``dead``, ``resistant``, ``sensitive`` or ``not measured``.
    """

    name: str
    begins: np.ndarray
    ends: np.ndarray
    mother: np.ndarray
    fate: np.ndarray


@styled
def clones_figure(
    days: np.ndarray,
    sizes: np.ndarray,
    resistant: np.ndarray,
    names: Sequence[str],
    shaded: Sequence[tuple[float, float]],
    shade_label: str = "",
) -> Figure:
    """Return clones as bands on top of each other, as thick as they have cells.

    Parameters
    ----------
    days : float64 (n_times,)
    sizes : float64 (n_clones, n_times)
        Living cells, from the bottom up.
    resistant : float64 (n_clones,)
        Resistant share of each at the end; nan is drawn pale.
    names : sequence of str
        Written beside the bands; may be empty.
    shaded : sequence of (start, stop)
        Days with drug in the blood, marked above the bands.
    shade_label : str
        What these marks are.
    """
    figure, (ax,) = panels(1, 1, 78.0)
    norm = Normalize(0.0, max(0.05, float(np.nanmax([*resistant, 0.0]))))
    lower = np.zeros(len(days))
    for row, share, name in zip(sizes, resistant, names, strict=True):
        colour = RESISTANT_COLOURS(norm(share)) if np.isfinite(share) else PALE
        # White lines between bands of a few cells would make them look paler than their scale.
        edge = "white" if row.max() > _WIDE_BAND * np.max(sizes.sum(axis=0)) else colour
        ax.fill_between(days, lower, lower + row, facecolor=colour, lw=0.15, edgecolor=edge)
        if name and row[-1] > 0:
            ax.text(days[-1], lower[-1] + row[-1] / 2, f" {name}", va="center", fontsize="small")
        lower = lower + row
    top = 1.05 * float(lower.max()) or 1.0
    for start, stop in shaded:
        ax.axvspan(start, stop, ymin=0.985, color="0.3", lw=0)
    if shaded:
        ax.text(shaded[0][0], top, shade_label, va="bottom", fontsize="small")
    ax.set(
        xlabel="Time (days)", ylabel="Living tumour cells", xlim=(days[0], days[-1] or 1.0), ylim=(0.0, top)
    )
    ax.xaxis.set_major_locator(round_ticks(8))
    count_axis(ax.yaxis, top)
    if not np.isfinite(resistant).any():
        return figure
    bar = figure.colorbar(ScalarMappable(norm, RESISTANT_COLOURS), ax=ax, pad=0.12, aspect=22)
    bar.set_label("Resistant share of the clone at the end", fontsize="small")
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    bar.ax.tick_params(labelsize="small")
    return figure


@styled
def trees_figure(trees: Sequence[Tree], end_day: float) -> Figure:
    """Return the tree of each founder: a line per cell from birth to death or the end, branching at births."""
    figure, axes = panels(len(trees), 2, 46.0)
    for ax, tree in zip(axes, trees, strict=True):
        _draw_tree(ax, tree, end_day)
    shown = {str(fate) for tree in trees for fate in tree.fate}
    handles = [
        Line2D([], [], color=colour, lw=2.0, label=f"{fate} at the end")
        for fate, colour in _FATES.items()
        if fate in shown
    ]
    handles.append(Line2D([], [], color="0.7", lw=1.0, marker="x", mec=BLACK, ms=4.0, mew=0.8, label="died"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _draw_tree(ax: Axes, tree: Tree, end_day: float) -> None:
    rows = np.arange(len(tree.begins), dtype=float)
    colours = [_FATES.get(str(fate), "0.7") for fate in tree.fate]
    lives = [((b, y), (e, y)) for b, e, y in zip(tree.begins, tree.ends, rows, strict=True)]
    births = [
        ((tree.begins[i], rows[tree.mother[i]]), (tree.begins[i], rows[i]))
        for i in range(len(rows))
        if tree.mother[i] >= 0
    ]
    thin = float(np.clip(60.0 / max(1, len(rows)), 0.5, 1.6))
    ax.add_collection(LineCollection(births, colors="0.75", linewidths=0.4))
    ax.add_collection(LineCollection(lives, colors=colours, linewidths=thin))
    dead = tree.fate == "dead"
    ax.plot(tree.ends[dead], rows[dead], ls="none", marker="x", color=BLACK, ms=2.2, mew=0.5)
    ax.set(
        xlim=(0.0, end_day), ylim=(len(rows) - 0.5, -0.5), yticks=[], xlabel="Time (days)", title=tree.name
    )
    ax.xaxis.set_major_locator(round_ticks())
    ax.spines["left"].set_visible(False)
