"""Measures over the refinement of one key, coarse to fine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from tme_sim.analysis.figures.arms import arm_colours
from tme_sim.analysis.figures.numbers import folded, value_axis
from tme_sim.analysis.palette import PALE
from tme_sim.analysis.replicates import mean_and_interval
from tme_sim.analysis.style import panels, styled


@styled
def convergence_figure(
    levels: Sequence[str],
    x_label: str,
    values: Mapping[str, Mapping[str, Sequence[np.ndarray]]],
    labels: Mapping[str, tuple[str, bool]],
    tolerance: float,
) -> Figure:
    """Return one panel per measure: runs as dots, means with intervals, and the tolerance around the finest mean.

    Parameters
    ----------
    levels : sequence of str
        Values of the refined key, coarse to fine, or numbers of replicates.
    values : mapping
        By measure, then arm: for each level float64 (n_runs,).
    labels : mapping
        By measure: axis label with unit, and whether it is a share.
    tolerance : float
        Relative; drawn around the finest mean of the first arm.
    """
    arms = list(next(iter(values.values())))
    colours = arm_colours(arms)
    figure, axes = panels(len(values), 2, 58.0)
    for ax, (measure, by_arm) in zip(axes, values.items(), strict=True):
        label, share = labels[measure]
        for i, (arm, runs) in enumerate(by_arm.items()):
            at = np.arange(len(levels)) + 0.12 * (i - (len(arms) - 1) / 2.0)
            for x, of_level in zip(at, runs, strict=True):
                ax.plot(np.full(len(of_level), x - 0.04), of_level, ".", ms=4, color=colours[arm], alpha=0.4)
            mean, low, high = np.array([mean_and_interval(of_level, share=share) for of_level in runs]).T
            errors = np.nan_to_num([mean - low, high - mean])
            ax.errorbar(
                at, mean, yerr=errors, marker="D", ms=4, lw=1.2, color=colours[arm], label=folded(arm, 40)
            )
            if i == 0 and np.isfinite(mean[-1]):
                near = abs(mean[-1]) * tolerance
                ax.axhspan(mean[-1] - near, mean[-1] + near, color=PALE, lw=0, zorder=0)
        ax.set_xticks(range(len(levels)), [folded(level, 16) for level in levels])
        ax.set(xlim=(-0.5, len(levels) - 0.5), xlabel=folded(x_label, 50))
        ax.set_ylabel(folded(label, 32))
        value_axis(ax, share)
    if len(arms) > 1:
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=min(3, len(arms)))
    return figure
