"""The bar that says how long a map is."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tme_sim.analysis.palette import BLACK


def draw_scale_bar(ax: Axes, window_um: tuple[float, float, float, float]) -> None:
    """Draw a bar of a round length into the lower left corner of a map (left, right, bottom, top, µm)."""
    left, right, bottom, top = window_um
    wide, tall = right - left, top - bottom
    length = round_length(0.3 * wide)
    x, y = left + 0.04 * wide, bottom + 0.035 * tall
    # The letters decide how tall the white ground is: they are as large on a small map as on a large one.
    ax.annotate(
        f"{length:g} µm", (x, y), xytext=(0, 2.5), textcoords="offset points", ha="left", va="bottom",
        fontsize="small", zorder=9, bbox={"facecolor": "white", "alpha": 0.88, "lw": 0, "pad": 1.5},
    )  # fmt: skip
    ax.add_patch(
        Rectangle((x, y), length, 0.014 * tall, facecolor=BLACK, edgecolor="white", lw=0.4, zorder=10)
    )


def round_length(about_um: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, … µm up to a length."""
    power = 10.0 ** np.floor(np.log10(about_um))
    return float(max(step * power for step in (1.0, 2.0, 5.0) if step * power <= about_um * 1.0001))
