"""Who lies beside whom: enrichment of neighbouring pairs over chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from tme_sim.analysis.figures.numbers import folded
from tme_sim.analysis.palette import BLUE, VERMILLION
from tme_sim.analysis.style import panels, styled

_COLOURS = LinearSegmentedColormap.from_list("enrichment", [BLUE, "#FFFFFF", VERMILLION])


@styled
def neighbours_figure(types: Sequence[str], count: np.ndarray, expected: np.ndarray, z: np.ndarray) -> Figure:
    """Return pairs of neighbours over those by chance, on a logarithmic scale, with their number in every cell.

    Parameters
    ----------
    count, expected, z : (n_types, n_types)
        Pairs of a cell of the row type with a neighbour of the column type; those by chance; deviations in standard
        deviations. Cells that deviate by less than two are written in grey.
    """
    figure, (ax,) = panels(1, 1, 22.0 + 8.5 * len(types), width_mm=32.0 + 20.0 * len(types))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log2(count / expected)
    reach = max(1.0, float(np.max(np.abs(ratio[np.isfinite(ratio)]), initial=0.0)))
    image = ax.imshow(np.clip(ratio, -reach, reach), cmap=_COLOURS, vmin=-reach, vmax=reach, aspect="auto")
    for (row, column), pairs in np.ndenumerate(count):
        sure = np.isfinite(z[row, column]) and abs(z[row, column]) >= 2.0
        strong = abs(ratio[row, column]) > 0.62 * reach
        ax.text(
            column, row, f"{pairs:,}", ha="center", va="center", fontsize="small",
            color="0.55" if not sure else "white" if strong else "black",
        )  # fmt: skip
    names = [folded(name, 14) for name in types]
    ax.set_xticks(range(len(types)), names)
    ax.set_yticks(range(len(types)), names)
    ax.set(xlabel="has as a neighbour", ylabel="a cell of the type")
    ax.spines[:].set_visible(True)
    bar = figure.colorbar(image, ax=ax, pad=0.02, aspect=20)
    ticks = [tick for tick in bar.get_ticks() if abs(tick) <= reach]
    bar.set_ticks(ticks, labels=[f"{2.0**tick:.3g}×" for tick in ticks])
    bar.set_label("Pairs over those by chance", fontsize="small")
    bar.ax.tick_params(labelsize="small")
    return figure
