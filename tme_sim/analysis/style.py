"""The look that all figures share: fonts, sizes at print, colours that every reader tells apart."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from cycler import cycler
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tme_sim.analysis.palette import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION

# Widths of a page and of a column in print; text is 7.5 points there.
PAGE_MM, COLUMN_MM = 178.0, 86.0
PNG_DPI = 200
LINES = (BLACK, VERMILLION, BLUE, ORANGE, GREEN, PURPLE, SKY)
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": "large",
    "axes.titlelocation": "left",
    "axes.labelsize": "medium",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=LINES),
    "axes.axisbelow": True,
    "xtick.labelsize": "medium",
    "ytick.labelsize": "medium",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.0,
    "legend.fontsize": "medium",
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.constrained_layout.hspace": 0.04,
    "figure.constrained_layout.wspace": 0.03,
    "svg.hashsalt": "tme-sim",
    "svg.fonttype": "path",
}


@contextmanager
def in_shared_style() -> Iterator[None]:
    """Draw in the shared style on top of matplotlib's defaults; letters that the font lacks are boxes, unannounced."""
    with style.context(["default", STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def styled[**P, R](draw: Callable[P, R]) -> Callable[P, R]:
    """Make a function draw in the shared style, whatever the caller's own settings."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> R:
        with in_shared_style():
            return draw(*args, **kwargs)

    return in_style


def panels(
    count: int, columns: int, panel_mm: float, width_mm: float = PAGE_MM, **options: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure of ``count`` panels in rows of at most ``columns``, each row ``panel_mm`` tall."""
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    figure = Figure(figsize=(width_mm / 25.4, rows * panel_mm / 25.4), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False, **options).ravel()
    for ax in grid[count:]:
        ax.remove()
    # Ticks are made when a figure is drawn, perhaps outside the style: their look is fixed here.
    for ax in grid[:count]:
        ax.tick_params(which="both", labelsize=STYLE["font.size"], width=STYLE["xtick.major.width"])
    return figure, list(grid[:count])


@styled
def save(figure: Figure, target: Path | BinaryIO, kind: str, dpi: int = PNG_DPI) -> None:
    """Write a figure as ``png`` or ``svg``; the same figure gives the same bytes."""
    metadata = {"Date": None, "Creator": "tme-sim"} if kind == "svg" else {"Software": "tme-sim"}
    figure.savefig(target, format=kind, dpi=dpi, metadata=metadata)


@styled
def settle(figure: Figure) -> None:
    """Lay a figure out once and for all: laying out takes as long as drawing, and is done anew for every file."""
    figure.set_dpi(PNG_DPI)  # letters are a few percent narrower at the usual 100: labels would be cut
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def days(minutes: np.ndarray | float) -> np.ndarray:
    """Return minutes as days."""
    return np.asarray(minutes, float) / 1440.0


def note(ax: Axes, text: str) -> None:
    """Say in an empty panel why it is empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color="0.35", wrap=True)
