"""Sweeps over several parameters: heat maps over two, tornado of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tme_sim.analysis.figures.numbers import folded, signed
from tme_sim.analysis.palette import BLUE, VERMILLION
from tme_sim.analysis.style import PAGE_MM, panels, styled


@styled
def heat_figure(
    maps: Sequence[tuple[str, pd.DataFrame, pd.DataFrame]],
    x_label: str,
    y_label: str,
    label: str,
    share: bool,
) -> Figure:
    """Return one heat map per arm, on one scale, with the mean and the number of runs in every cell.

    Parameters
    ----------
    maps : sequence of (arm, means, counts)
        Tables over the two parameters, values ascending.
    """
    found = np.concatenate([means.to_numpy(float).ravel() for _, means, _ in maps])
    low, high = (float(np.nanmin(found)), float(np.nanmax(found))) if np.isfinite(found).any() else (0.0, 1.0)
    columns = min(len(maps), 2)
    wide = PAGE_MM / columns
    tall = 20.0 + min(0.72 * wide, 9.0 * max(len(means) for _, means, _ in maps) + 8.0)
    figure, axes = panels(len(maps), 2, tall, width_mm=PAGE_MM if columns == 2 else 130.0)
    image = None
    for ax, (arm, means, counts) in zip(axes, maps, strict=True):
        values = means.to_numpy(float)
        image = ax.imshow(
            values,
            origin="lower",
            cmap="cividis",
            vmin=low,
            vmax=high if high > low else low + 1.0,
            aspect="auto",
        )
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value) and values.size <= 100:
                text = f"{value:.0%}" if share and high > 0.1 else f"{value:.2%}" if share else f"{value:.3g}"
                dark = value < low + 0.55 * (high - low)
                n = int(counts.to_numpy()[row, column])
                ax.text(
                    column,
                    row,
                    f"{text}\nn={n}",
                    ha="center",
                    va="center",
                    fontsize="small",
                    color="white" if dark else "black",
                )
        ax.set_xticks(range(values.shape[1]), [_tick(x) for x in means.columns])
        ax.set_yticks(range(values.shape[0]), [_tick(y) for y in means.index])
        ax.set(title=folded(arm, 40), xlabel=folded(x_label, 44), ylabel=folded(y_label, 30))
        ax.spines[:].set_visible(True)
    if image is not None:
        bar = figure.colorbar(image, ax=axes, pad=0.015, aspect=26)
        bar.set_label(folded(label, 40), fontsize="small")
        bar.ax.tick_params(labelsize="small")
        if share:
            bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if high > 0.1 else 1))
    return figure


def _tick(value: object) -> str:
    return (
        f"{value:.4g}"
        if isinstance(value, float | int) and not isinstance(value, bool)
        else folded(str(value), 14)
    )


@styled
def tornado_figure(table: pd.DataFrame, label: str, share: bool, middle: float) -> Figure:
    """Return, per parameter, how far a measure moves between its lowest and its highest quarter of runs.

    Parameters
    ----------
    table : DataFrame
        ``key, low, high, from, to, rank_correlation, correlation_low, correlation_high``, the strongest first.
    middle : float
        Mean of the measure over all runs.
    """
    figure, (ax,) = panels(1, 1, 20.0 + 5.2 * len(table))
    y = np.arange(len(table), dtype=float)
    # Half a bar each: both ends may lie on the same side of the mean.
    for values, colour, words, above in (
        (table["low"], BLUE, "lowest quarter", -0.19),
        (table["high"], VERMILLION, "highest quarter", 0.19),
    ):
        ax.barh(
            y + above,
            values.to_numpy(float) - middle,
            left=middle,
            height=0.38,
            color=colour,
            label=f"{words} of the parameter",
        )
    ax.axvline(middle, color="0.3", lw=0.8)
    ax.set(
        yticks=y,
        yticklabels=[folded(key, 52) for key in table["key"]],
        ylim=(len(table) - 0.4, -0.6),
        xlabel=folded(label, 70),
    )
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.05)
    if share:
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if np.ptp(ax.get_xlim()) > 0.1 else 1))
    style = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "va": "center",
        "fontsize": "small",
    }
    for at, row in zip(y, table.to_dict("records"), strict=True):
        rank, *span = (
            signed(row[name], 2) for name in ("rank_correlation", "correlation_low", "correlation_high")
        )
        text = f"{rank} ({' to '.join(span)})"
        ax.annotate(text, (1.0, at), xytext=(6, 0), annotation_clip=False, **style)
    ax.annotate(
        "rank correlation (95 %)",
        (1.0, -0.9),
        xytext=(6, 0),
        annotation_clip=False,
        fontweight="bold",
        **style,
    )
    figure.legend(loc="outside lower center", ncols=2)
    return figure
