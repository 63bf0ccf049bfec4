"""A tissue through time: one column per moment, one row per thing that is shown, all on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from scipy.ndimage import gaussian_filter

from tme_sim.analysis.figures.scale_bar import draw_scale_bar
from tme_sim.analysis.palette import PALE
from tme_sim.analysis.style import PAGE_MM, panels, styled

Window = tuple[float, float, float, float]


@dataclass(frozen=True)
class Row:
    """One row of maps on one scale.

    Attributes
    ----------
    label : str
        What is shown, with its unit.
    planes : sequence of float64 (ny, nx)
        One per moment; nan is left blank.
    colours : Colormap or its name
    norm : Normalize
    classes : dict
        Colour by word, for maps of classes; empty for maps of numbers, which get a colour bar.
    edges : sequence of float64 (ny, nx), optional
        Signed distance to an edge that is drawn, negative inside.
    """

    label: str
    planes: Sequence[np.ndarray]
    colours: Colormap | str
    norm: Normalize
    classes: dict[str, str]
    edges: Sequence[np.ndarray] | None = None


@styled
def montage_figure(heads: Sequence[str], rows: Sequence[Row], spacing_um: float, window_um: Window) -> Figure:
    """Return maps of the part of a plane inside a window (left, right, bottom, top, µm)."""
    left, right, bottom, top = window_um
    columns = len(heads) + 1
    tall = PAGE_MM * 0.8 / len(heads) * (top - bottom) / (right - left) + 3.0
    ratios = [1.0] * len(heads) + [0.16 * len(heads)]
    figure, axes = panels(columns * len(rows), columns, tall, width_ratios=ratios)
    for at, row in enumerate(rows):
        *in_row, beside = axes[at * columns : (at + 1) * columns]
        for ax, plane, i in zip(in_row, row.planes, range(len(heads)), strict=True):
            _draw(ax, plane, row, spacing_um, window_um)
            if row.edges is not None:
                draw_edge(ax, row.edges[i], spacing_um)
        in_row[0].set_ylabel(row.label)
        _explain(beside, row)
    for ax, head in zip(axes[: len(heads)], heads, strict=True):
        ax.set_title(head)
    draw_scale_bar(axes[0], window_um)
    return figure


def _explain(ax: Axes, row: Row) -> None:
    """Put a legend or a colour bar into the panel at the end of a row."""
    ax.set_axis_off()
    if row.classes:
        handles = [Patch(color=colour, label=word) for word, colour in row.classes.items()]
        ax.legend(
            handles=handles, loc="center left", bbox_to_anchor=(-0.1, 0.5), fontsize="small", handlelength=1.0
        )
    else:
        bar = Colorbar(ax.inset_axes((0.0, 0.05, 0.12, 0.9)), ScalarMappable(row.norm, row.colours))
        bar.ax.tick_params(labelsize="small")


@styled
def still_figure(
    head: str, rows: Sequence[Row], spacing_um: float, window_um: Window
) -> tuple[Figure, list[AxesImage], Text]:
    """Return the rows of one moment side by side, with the images and the heading, which a film changes."""
    left, right, bottom, top = window_um
    tall = PAGE_MM * 0.62 / len(rows) * min(1.4, (top - bottom) / (right - left))
    figure, axes = panels(len(rows), len(rows), tall + 16.0)
    images = []
    for ax, row in zip(axes, rows, strict=True):
        images.append(_draw(ax, row.planes[0], row, spacing_um, window_um))
        ax.set_title(row.label)
        if row.classes:
            handles = [Patch(color=colour, label=word) for word, colour in row.classes.items()]
            ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.02), fontsize="small")
        else:
            figure.colorbar(ScalarMappable(row.norm, row.colours), ax=ax, aspect=18, pad=0.02, shrink=0.9)
    draw_scale_bar(axes[0], window_um)
    return figure, images, figure.suptitle(head, x=0.01, ha="left", fontweight="bold")


def _draw(ax: Axes, plane: np.ndarray, row: Row, spacing_um: float, window_um: Window) -> AxesImage:
    ny, nx = plane.shape
    image = ax.imshow(
        plane, origin="lower", extent=(0.0, nx * spacing_um, 0.0, ny * spacing_um), interpolation="nearest",
        cmap=row.colours, norm=row.norm,
    )  # fmt: skip
    ax.set(xlim=window_um[:2], ylim=window_um[2:], xticks=[], yticks=[], facecolor=PALE)
    ax.spines[:].set_visible(True)
    return image


def draw_edge(ax: Axes, distance_um: np.ndarray, spacing_um: float) -> None:
    """Draw a smooth white line where a signed distance, float64 (ny, nx), passes zero."""
    if min(distance_um.shape) > 2 and np.isfinite(distance_um).all():
        ny, nx = distance_um.shape
        x, y = (np.arange(nx) + 0.5) * spacing_um, (np.arange(ny) + 0.5) * spacing_um
        edge = ax.contour(
            x, y, gaussian_filter(distance_um, 1.2), levels=[0.0], colors="white", linewidths=0.8
        )
        edge.set_path_effects([withStroke(linewidth=1.5, foreground="0.25")])  # seen on pale ground too
