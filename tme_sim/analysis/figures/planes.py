"""One plane of several fields side by side, each with its own scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from tme_sim.analysis.figures.montage import draw_edge
from tme_sim.analysis.figures.numbers import folded, round_ticks
from tme_sim.analysis.figures.scale_bar import draw_scale_bar
from tme_sim.analysis.style import panels, styled


@dataclass(frozen=True)
class Plane:
    """A plane, float (ny, nx), with a label that names its unit."""

    name: str
    label: str
    values: np.ndarray


@styled
def planes_figure(
    planes: Sequence[Plane],
    edge_um: np.ndarray,
    spacing_um: float,
    extent_um: tuple[float, float, float, float],
) -> Figure:
    """Return one map per plane, with the line where a signed distance, float64 (ny, nx), passes zero."""
    left, right, bottom, top = extent_um
    figure, axes = panels(len(planes), 3, 50.0 * min(1.4, (top - bottom) / (right - left)) + 6.0)
    for ax, plane in zip(axes, planes, strict=True):
        colours = "cividis" if plane.name == "oxygen" else "magma"
        low = min(0.0, float(plane.values.min()))
        image = ax.imshow(
            plane.values, origin="lower", extent=extent_um, cmap=colours, vmin=low,
            vmax=max(float(plane.values.max()), low + 1e-12), interpolation="nearest",
        )  # fmt: skip
        draw_edge(ax, edge_um, spacing_um)
        ax.set(title=folded(plane.label, 28), xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
        ax.title.set_fontsize("medium")
        bar = figure.colorbar(image, ax=ax, pad=0.02, aspect=22, shrink=0.95)
        bar.ax.yaxis.set_major_locator(round_ticks())
        bar.ax.tick_params(labelsize="small")
        draw_scale_bar(ax, extent_um)
    return figure
