"""Arms of a batch side by side: runs with mean and interval, and paired differences from the control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tme_sim.analysis.figures.numbers import count_axis, folded, round_ticks, share_axis, signed
from tme_sim.analysis.palette import BLACK
from tme_sim.analysis.style import LINES, panels, styled

_ROW_MM, _LINE_MM = 6.5, 3.2
_COLUMNS_PT = (44, 86, 110)  # right ends of the columns beside the differences


def arm_colours(arms: Sequence[str]) -> dict[str, str]:
    """Return one colour per arm, the same in every figure of a batch; the control is black."""
    return {arm: LINES[i % len(LINES)] for i, arm in enumerate(arms)}


def arm_styles(arms: Sequence[str]) -> dict[str, str]:
    """Return one line style per arm, so that lines that cover each other are told apart."""
    return {arm: ("-", "--", ":", "-.")[i % 4] for i, arm in enumerate(arms)}


@styled
def arms_figure(
    values: Mapping[str, Mapping[str, np.ndarray]],
    summary: pd.DataFrame,
    labels: Mapping[str, tuple[str, bool]],
) -> Figure:
    """Return one panel per measure: each run a dot, mean and interval beside it, one row per arm.

    Parameters
    ----------
    values : mapping
        By measure, then arm: float64 (n,), one value per run.
    summary : DataFrame
        ``arm, measure, mean, low, high``.
    labels : mapping
        By measure: axis label with unit, and whether it is a share.
    """
    arms = list(dict.fromkeys(summary["arm"]))
    colours = arm_colours(arms)
    figure, axes = panels(len(values), 2, 15.0 + _row_mm(arms, 24) * len(arms), sharey=True)
    for ax, (measure, by_arm) in zip(axes, values.items(), strict=True):
        rows = summary[summary["measure"] == measure].set_index("arm")
        for y, arm in enumerate(arms):
            found = by_arm[arm][np.isfinite(by_arm[arm])]
            spread = 0.14 * np.resize([-1.0, 0.0, 1.0], len(found))
            ax.plot(
                found, y + 0.16 + spread, ls="none", marker="o", ms=2.6, mew=0, color=colours[arm], alpha=0.45
            )
            mean, low, high = (float(rows.at[arm, name]) for name in ("mean", "low", "high"))
            ax.plot(mean, y - 0.22, marker="D", ms=4.0, color=colours[arm])
            if np.isfinite(low):
                ax.plot([low, high], [y - 0.22] * 2, color=colours[arm], lw=1.6, solid_capstyle="butt")
        label, share = labels[measure]
        ax.set_xlabel(folded(label, 46))
        ax.set(yticks=range(len(arms)), ylim=(len(arms) - 0.4, -0.6))
        ax.set_yticklabels([f"{folded(arm, 24)} ({int(rows.at[arm, 'n'])})" for arm in arms])
        ax.tick_params(axis="y", length=0)
        _value_axis(ax, share)
    return figure


def _row_mm(names: Sequence[str], width: int) -> float:
    """Return how tall a row must be for names folded to a width."""
    return max(_ROW_MM, 1.5 + _LINE_MM * max(folded(name, width).count("\n") + 1 for name in names))


def _value_axis(ax: Axes, share: bool) -> None:
    low, high = ax.get_xlim()
    ax.grid(axis="x", color="0.92", lw=0.6)
    if share:
        low, high = max(-0.02 * max(high, 0.05), low), min(1.02, max(high, 0.05 if low < 0.0 else high))
        ax.set_xlim(low, high)
        share_axis(ax.xaxis, high - low)
    else:
        ax.xaxis.set_major_locator(round_ticks())
        count_axis(ax.xaxis, high)


@styled
def differences_figure(table: pd.DataFrame, labels: Mapping[str, tuple[str, bool]], control: str) -> Figure:
    """Return paired differences from the control with their intervals, one panel per measure.

    Parameters
    ----------
    table : DataFrame
        ``label`` (of the row), ``measure, difference, low, high, effect, p_adjusted, n``.
    labels : mapping
        As in `arms_figure`.
    """
    measures, rows = list(dict.fromkeys(table["measure"])), list(dict.fromkeys(table["label"]))
    figure, axes = panels(len(measures), 1, 17.0 + _row_mm(rows, 40) * len(rows), width_mm=178.0)
    for ax, measure in zip(axes, measures, strict=True):
        of_measure = table[table["measure"] == measure].set_index("label")
        ax.axvline(0.0, color="0.4", lw=0.8)
        for y, row in enumerate(rows):
            if row in of_measure.index:
                _difference(ax, y, of_measure.loc[row])
        label, share = labels[measure]
        ax.set(
            yticks=range(len(rows)), yticklabels=[folded(row, 40) for row in rows], ylim=(len(rows) - 0.4, -0.7),
            xlabel=folded(f"{label}: difference from {control}", 80),
        )  # fmt: skip
        ax.tick_params(axis="y", length=0)
        ax.margins(x=0.08)
        if share:
            ax.xaxis.set_major_formatter(
                lambda value, _: f"{100 * value:+.3g} pts".replace("-", "−") if value else "0"
            )
        for head, x in zip(("effect $d_z$", "adjusted p", "pairs"), _COLUMNS_PT, strict=True):
            ax.annotate(
                head, (1.0, 1.0), xycoords="axes fraction", xytext=(x, 1), va="bottom", ha="right",
                textcoords="offset points", fontsize="small", fontweight="bold",
            )  # fmt: skip
    return figure


def _difference(ax: Axes, y: float, row: Any) -> None:
    difference, low, high = (float(row[name]) for name in ("difference", "low", "high"))
    clear = np.isfinite(low) and (low > 0.0 or high < 0.0)
    style = {"marker": "D", "ms": 4.0, "color": BLACK, "mfc": BLACK if clear else "white"}
    if np.isfinite(low):
        ax.plot([low, high], [y, y], color=BLACK, lw=1.6, solid_capstyle="butt")
    if np.isfinite(difference):
        ax.plot(difference, y, **style)
    effect = signed(row["effect"], 2) if np.isfinite(row["effect"]) else "–"
    p = (
        "–"
        if not np.isfinite(row["p_adjusted"])
        else "<0.001"
        if row["p_adjusted"] < 1e-3
        else f"{row['p_adjusted']:.3f}"
    )
    for text, x in zip((effect, p, f"{int(row['n'])}"), _COLUMNS_PT, strict=True):
        ax.annotate(
            text, (1.0, y), xycoords=("axes fraction", "data"), xytext=(x, 0), textcoords="offset points", va="center",
            ha="right", fontsize="small", annotation_clip=False,
        )  # fmt: skip
