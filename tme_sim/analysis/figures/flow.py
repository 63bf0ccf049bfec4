"""Where vesicles went: ribbons from the cells that released them, through pools, to what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from tme_sim.analysis.figures.numbers import folded
from tme_sim.analysis.palette import GREY
from tme_sim.analysis.style import panels, styled

_GAP, _BAR = 0.045, 0.022  # a gap is as tall as a label, so that labels of thin nodes lie apart


@dataclass(frozen=True)
class Flow:
    """An amount that passes from a node of one column to a node of the next."""

    column: int
    start: str
    end: str
    amount: float


@styled
def flow_figure(flows: Sequence[Flow], heads: Sequence[str], colours: Mapping[str, str], unit: str) -> Figure:
    """Return ribbons between columns of nodes, as wide as the amounts.

    Parameters
    ----------
    heads : sequence of str
        Heading of each column of nodes.
    colours : mapping
        Colour by node; a ribbon has the colour of its start. Others are grey.
    """
    nodes = [_nodes(flows, column) for column in range(len(heads))]
    total = sum(flow.amount for flow in flows if flow.column == 0) or 1.0
    figure, (ax,) = panels(1, 1, 26.0 + 11.0 * max(len(column) for column in nodes))
    places = [_placed(column, total) for column in nodes]
    x = np.linspace(0.0, 1.0, len(heads))
    used: dict[tuple[int, str, str], float] = {}
    order = [{name: i for i, name in enumerate(column)} for column in nodes]
    for flow in sorted(flows, key=lambda f: (f.column, order[f.column][f.start], order[f.column + 1][f.end])):
        thick = flow.amount / total
        ends = []
        for column, name, side in ((flow.column, flow.start, "out"), (flow.column + 1, flow.end, "in")):
            key = (column, name, side)
            top = places[column][name][0] - used.get(key, 0.0)
            used[key] = used.get(key, 0.0) + thick
            ends.append(top)
        _ribbon(ax, (x[flow.column] + _BAR, x[flow.column + 1]), ends, thick, colours.get(flow.start, GREY))
    for column, (of_column, head) in enumerate(zip(places, heads, strict=True)):
        _draw_nodes(
            ax, float(x[column]), of_column, nodes[column], colours, total, last=column == len(heads) - 1
        )
        ax.text(x[column], 1.03, head, ha="left", va="bottom", fontweight="bold")
    low = min(bottom for place in places for _, bottom in place.values())
    ax.set(xlim=(-0.01, 1.32), ylim=(low - 0.1, 1.1))
    ax.set_axis_off()
    ax.text(0.0, low - 0.02, f"{short(total)} {unit} in all", va="top", color="0.35")
    return figure


def _nodes(flows: Sequence[Flow], column: int) -> dict[str, float]:
    """Return the amount of every node of a column, the largest first."""
    out: dict[str, float] = {}
    inflow = {f.end for f in flows if f.column == column - 1}
    for flow in flows:
        if flow.column == column - 1:
            out[flow.end] = out.get(flow.end, 0.0) + flow.amount
        elif flow.column == column and flow.start not in inflow:
            out[flow.start] = out.get(flow.start, 0.0) + flow.amount
    return dict(sorted(out.items(), key=lambda item: -item[1]))


def _placed(nodes: Mapping[str, float], total: float) -> dict[str, tuple[float, float]]:
    """Return top and bottom of every node, gaps between them; the largest on top."""
    out, top = {}, 1.0
    for name, amount in nodes.items():
        out[name] = (top, top - amount / total)
        top -= amount / total + _GAP
    return out


def _ribbon(ax: Axes, x: tuple[float, float], tops: Sequence[float], thick: float, colour: str) -> None:
    (left, right), middle = x, sum(x) / 2
    a, b = tops
    points = [
        (left, a), (middle, a), (middle, b), (right, b),
        (right, b - thick), (middle, b - thick), (middle, a - thick), (left, a - thick), (left, a),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    ax.add_patch(PathPatch(Path(points, codes), facecolor=colour, alpha=0.42, lw=0))


def _draw_nodes(
    ax: Axes,
    x: float,
    places: Mapping[str, tuple[float, float]],
    amounts: Mapping[str, float],
    colours: Mapping[str, str],
    total: float,
    *,
    last: bool,
) -> None:
    for name, (top, low) in places.items():
        ax.add_patch(Rectangle((x, low), _BAR, top - low, facecolor=colours.get(name, GREY), lw=0))
        share = amounts[name] / total
        # Two lines where there is room for them, lest the text run into the next column of nodes.
        between = " " if last or share < 2 * _GAP else "\n"
        text = f"{folded(name, 40)}:{between}{short(amounts[name])} ({share:.1%})"
        ax.text(x + _BAR + 0.012, (top + low) / 2, text, va="center", ha="left", fontsize="small")


def short(amount: float) -> str:
    """Return an amount in words of three digits: 7.65 million."""
    for size, word in ((1e9, " billion"), (1e6, " million"), (1e3, " thousand")):
        if amount >= size:
            return f"{amount / size:.3g}{word}"
    return f"{amount:.3g}"
