"""Kaplan-Meier curves with the number at risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tme_sim.analysis.figures.arms import arm_styles
from tme_sim.analysis.figures.numbers import cut, folded, round_ticks
from tme_sim.analysis.style import panels, styled


@styled
def survival_figure(curves: Any, colours: Mapping[str, str], since: str) -> Figure:
    """Return the share without progression through time by arm, with bands and, below, how many are at risk.

    Parameters
    ----------
    curves : DataFrame
        ``arm, minutes, free, low, high, at_risk``, as `analysis.survival.kaplan_meier` gives them.
    since : str
        From when time counts.
    """
    arms = list(dict.fromkeys(curves["arm"]))
    styles = arm_styles(arms)
    figure, (ax,) = panels(1, 1, 68.0 + 7.0 * len(arms), width_mm=140.0)
    end = float(curves["minutes"].max()) / 1440.0
    for arm in arms:
        rows = curves[curves["arm"] == arm]
        days = rows["minutes"].to_numpy(float) / 1440.0
        ax.step(days, rows["free"], where="post", color=colours[arm], ls=styles[arm], label=folded(arm, 44))
        ax.fill_between(days, rows["low"], rows["high"], step="post", color=colours[arm], alpha=0.14, lw=0)
    ax.set(xlabel=f"Time from {since} (days)", ylabel="Share without progression", ylim=(-0.02, 1.04))
    ax.set_xlim(0.0, end or 1.0)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.xaxis.set_major_locator(round_ticks(6))
    ticks = [tick for tick in ax.get_xticks() if 0.0 <= tick <= (end or 1.0)]
    ax.set_xticks(ticks)
    if len(arms) > 1:
        figure.legend(loc="outside upper left", ncols=2 if max(map(len, arms)) <= 30 else 1)
    style = {
        "xycoords": ("data", "axes fraction"),
        "textcoords": "offset points",
        "ha": "center",
        "va": "top",
    }
    ax.annotate(
        "at risk",
        (0.0, 0.0),
        xytext=(-8, -36),
        fontsize="small",
        fontweight="bold",
        **{**style, "ha": "right"},
    )
    for row, arm in enumerate(arms):
        of_arm = curves[curves["arm"] == arm]
        for tick in ticks:
            at = np.flatnonzero(of_arm["minutes"].to_numpy(float) / 1440.0 >= tick - 1e-9)
            n = int(of_arm["at_risk"].to_numpy()[at[0]]) if len(at) else 0
            ax.annotate(
                f"{n}",
                (tick, 0.0),
                xytext=(0, -36 - 10 * (row + 1)),
                fontsize="small",
                color=colours[arm],
                **style,
            )
        ax.annotate(
            cut(arm, 26),
            (0.0, 0.0),
            xytext=(-8, -36 - 10 * (row + 1)),
            fontsize="small",
            color=colours[arm],
            **{**style, "ha": "right"},
        )
    return figure
