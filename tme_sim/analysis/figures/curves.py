"""Small panels of lines: anything that runs through time or along a distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from tme_sim.analysis.figures.numbers import count_axis, folded, round_ticks, share_axis, thousands
from tme_sim.analysis.palette import PALE, on_white
from tme_sim.analysis.style import panels, styled

_FEW = 12  # so few points that each is marked


@dataclass(frozen=True)
class Curve:
    """One line.

    Attributes
    ----------
    x, y : float64 (n,)
        nan where there is no value.
    low, high : float64 (n,), optional
        Band around it.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    colour: str | None = None
    style: str = "-"
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes
    ----------
    y_label : str
        What is shown, with its unit.
    scale : str
        ``linear``, ``log``, or ``share`` for an axis in percent.
    shaded : sequence of (start, stop)
        Spans of x that are shaded, such as those with drug in the blood.
    mark : float, optional
        A place on x that is marked by a line.
    level : float, optional
        A value on y that is marked by a line.
    """

    title: str
    y_label: str
    curves: Sequence[Curve]
    scale: str = "linear"
    shaded: Sequence[tuple[float, float]] = field(default=())
    mark: float | None = None
    level: float | None = None


@styled
def curves_figure(
    shown: Sequence[Panel],
    x_label: str,
    columns: int = 2,
    panel_mm: float = 52.0,
    legend: str = "each",
    shade_label: str = "",
    share_x: bool = False,
    share_y: bool = False,
) -> Figure:
    """Return panels of lines that share x.

    Parameters
    ----------
    legend : str
        ``each`` panel has its own, or one for all at the ``bottom`` where all show the same lines.
    shade_label : str
        What the shaded spans are.
    share_x : bool
        Whether all panels show the same span of x.
    share_y : bool
        Whether all panels show the same span of y, that of the tallest one.
    """
    figure, axes = panels(len(shown), columns, panel_mm)
    for ax, panel in zip(axes, shown, strict=True):
        draw_panel(ax, panel, x_label, shade_label, legend=legend == "each")
    if share_y:
        for ax, panel in zip(axes, shown, strict=True):
            _scale(ax, replace(panel, curves=[curve for p in shown for curve in p.curves]))
    if share_x:
        _limit(axes, [curve.x for panel in shown for curve in panel.curves])
    if legend != "each":
        found = {
            label: handle
            for ax in axes
            for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
        }
        if len(found) > 1:
            longest = max(len(line) for label in found for line in label.split("\n"))
            columns = max(1, min(len(found), 5, 96 // (6 + longest)))
            lines = sum(1 + label.count("\n") for label in found)
            figure.set_figheight(figure.get_figheight() + 0.15 * max(0, -(-lines // columns) - 1))
            figure.legend(found.values(), found, loc="outside lower center", ncols=columns)
    return figure


def draw_panel(ax: Axes, panel: Panel, x_label: str, shade_label: str = "", *, legend: bool = True) -> None:
    """Draw one panel, its legend at its right."""
    for curve in panel.curves:
        seen = np.isfinite(curve.y)
        if panel.scale == "log":
            seen &= curve.y > 0.0
        few: dict[str, Any] = {"marker": "o"} if seen.sum() <= _FEW else {}
        (line,) = ax.plot(
            curve.x[seen],
            curve.y[seen],
            color=on_white(curve.colour),
            ls=curve.style,
            label=curve.label,
            **few,
        )
        if curve.low is not None and curve.high is not None:
            ax.fill_between(curve.x, curve.low, curve.high, color=line.get_color(), alpha=0.18, lw=0)
    for i, (start, stop) in enumerate(panel.shaded):
        ax.axvspan(start, stop, color=PALE, lw=0, zorder=0, label=shade_label if i == 0 else None)
    if panel.mark is not None:
        ax.axvline(panel.mark, color="0.4", lw=0.8, ls=(0, (4, 3)))
    if panel.level is not None:
        ax.axhline(panel.level, color="0.4", lw=0.8, ls=(0, (4, 3)))
    _scale(ax, panel)
    ax.set(title=panel.title, xlabel=x_label, ylabel=folded(panel.y_label, 22))
    ax.xaxis.set_major_locator(round_ticks())
    _limit([ax], [curve.x for curve in panel.curves])
    if legend:
        _legend_beside(ax)


def _limit(axes: Sequence[Axes], xs: Sequence[np.ndarray]) -> None:
    found = [x for x in xs if len(x)]
    if found:
        low, high = min(float(x.min()) for x in found), max(float(x.max()) for x in found)
        for ax in axes:
            ax.set_xlim(low, high if high > low else low + 1.0)


def _scale(ax: Axes, panel: Panel) -> None:
    if panel.scale == "log":
        ax.set_yscale("log")
        low, high = ax.get_ylim()
        # Over less than a decade 1, 2 and 5 leave an axis with one tick or none.
        ax.yaxis.set_major_locator(
            LogLocator(subs=(1.0, 2.0, 5.0), numticks=6) if high > 10.0 * low else round_ticks(4)
        )
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: thousands(value)))
        ax.yaxis.set_minor_locator(NullLocator())
        return
    values = [part for curve in panel.curves for part in (curve.y, curve.low, curve.high) if part is not None]
    finite = np.concatenate([value[np.isfinite(value)] for value in values]) if values else np.zeros(0)
    if panel.scale == "share":
        top = float(finite.max()) if len(finite) else 1.0
        top = 1.0 if top > 0.4 else max(0.05, 1.5 * top)
        ax.set_ylim(-0.02 * top, 1.02 * top)
        share_axis(ax.yaxis, top)
    elif len(finite) and finite.min() >= 0.0:
        ax.set_ylim(0.0, 1.05 * float(finite.max()) or 1.0)
        count_axis(ax.yaxis, float(finite.max()))


def _legend_beside(ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if len(handles) > 1:
        # A long one reaches down to the last tick label, which is half as wide as the gap.
        ax.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(1.04, 1.03),
            borderaxespad=0.2,
            frameon=False,
            fontsize="small",
        )
