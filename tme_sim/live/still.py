"""One picture of the page as a figure, with scale bar, colour bars and legend."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from tme_sim.analysis.figures.scale_bar import round_length
from tme_sim.live.picture import Bar, Picture

_MAP, _LEFT, _BELOW, _ABOVE, _BARS = 6.6, 0.2, 1.25, 0.5, 1.9
VESSEL, VESSEL_EDGE = "#FFFFFF", "#0B2545"


def view_figure(picture: Picture, title: str) -> Figure:
    """Return a figure of a picture."""
    ny, nx = picture.layer.shape
    tall = float(np.clip(_MAP * ny / nx, 0.3 * _MAP, 1.6 * _MAP))
    width, height = _LEFT + _MAP + _BARS, _BELOW + tall + _ABOVE
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    ax = figure.add_axes((_LEFT / width, _BELOW / height, _MAP / width, tall / height))
    extent = (0.0, nx * picture.spacing_um, 0.0, ny * picture.spacing_um)
    cells = np.dstack(
        [picture.cell_colours[picture.cells], np.where(picture.cells > 0, 255, 0).astype(np.uint8)]
    )
    for image in (picture.layer_colours[picture.layer], cells):
        ax.imshow(image, origin="lower", extent=extent, interpolation="nearest")
    ax.set(xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
    ax.set_title(f"{title}: day {picture.minutes / 1440.0:.2f}", loc="left", fontsize=12)
    _scale_bar(ax, extent)
    handles = [
        Line2D([], [], color=colour, marker="o", ls="none", label=f"{label} ({n:,})")
        for label, colour, n in picture.kinds
    ]
    handles += _vessels(ax, picture, nx)
    ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(-0.01, -0.01), ncols=4, fontsize=8, frameon=False
    )
    for slot, bar in enumerate(bar for bar in (picture.layer_bar, picture.cell_bar) if bar is not None):
        _colour_bar(ax, bar, slot)
    return figure


def png_of(figure: Figure, dpi: int = 150) -> bytes:
    """Return a figure as PNG."""
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi)
    return file.getvalue()


def _scale_bar(ax: Axes, extent: tuple[float, float, float, float]) -> None:
    _, wide, _, tall = extent
    length = round_length(0.2 * wide)
    x, y = 0.03 * wide, 0.03 * tall
    backing = (x - 0.01 * wide, y - 0.01 * tall), length + 0.02 * wide, 0.065 * tall
    ax.add_patch(Rectangle(*backing, color="white", alpha=0.9, lw=0, zorder=6))
    ax.add_patch(Rectangle((x, y), length, 0.01 * tall, color="black", lw=0, zorder=7))
    middle = (x + length / 2, y + 0.015 * tall)
    ax.text(*middle, f"{length:g} µm", ha="center", va="bottom", fontsize=9, zorder=7)


def _vessels(ax: Axes, picture: Picture, nx: int) -> list[Line2D]:
    if len(picture.vessels) == 0:
        return []
    iy, ix = np.divmod(picture.vessels, nx)
    points = 72.0 * _MAP / nx
    style = {
        "marker": "o",
        "ls": "none",
        "color": VESSEL,
        "markeredgecolor": VESSEL_EDGE,
        "markeredgewidth": 1.6,
        "ms": float(np.clip(1.1 * points, 2.5, 8.0)),
    }
    h = picture.spacing_um
    ax.plot((ix + 0.5) * h, (iy + 0.5) * h, **style)
    return [Line2D([], [], label=f"perfused vessel ({len(ix):,})", **style)]


def _colour_bar(ax: Axes, bar: Bar, slot: int) -> None:
    norm = LogNorm(bar.low, bar.high) if bar.logarithmic else Normalize(bar.low, bar.high)
    colours = LinearSegmentedColormap.from_list("ramp", list(bar.colours))
    drawn = Colorbar(ax.inset_axes((1.02 + 0.15 * slot, 0.0, 0.03, 1.0)), ScalarMappable(norm, colours))
    drawn.set_label(f"{bar.label} ({bar.unit})" if bar.unit else bar.label, fontsize=9)
    drawn.ax.tick_params(labelsize=8)
