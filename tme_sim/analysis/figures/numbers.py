"""Numbers on axes as readers want them: fitting units, counts in k and M, shares in percent, long names folded."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator, PercentFormatter

_STEPS = (("mM", 1e6), ("µM", 1e3), ("nM", 1.0), ("pM", 1e-3))


def fitting_unit(unit: str, *values: np.ndarray) -> tuple[str, float]:
    """Return the unit in which the largest value is at least a half, and its size; only nM changes."""
    top = max((float(np.nanmax(part)) for part in values if np.isfinite(part).any()), default=0.0)
    if unit != "nM" or not top > 0.0:
        return unit, 1.0
    return next(((name, size) for name, size in _STEPS if top >= 0.5 * size), ("pM", 1e-3))


def count_axis(axis: Axis, top: float) -> None:
    """Write 12,000 as 12k where numbers are that large."""
    if top >= 1e4:
        axis.set_major_formatter(EngFormatter(sep=""))
    elif top >= 1e3:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def thousands(value: float) -> str:
    """Return a count in few letters: 12000 as 12k."""
    return f"{value / 1000.0:,.6g}k" if value >= 1e4 else f"{value:,.6g}"


def round_ticks(most: int = 5) -> MaxNLocator:
    """Return a locator of at most so many steps, each 1, 2 or 5 times a power of ten."""
    return MaxNLocator(nbins=most, steps=[1, 2, 5, 10])


def share_axis(axis: Axis, span: float) -> None:
    """Write shares in percent, at round steps."""
    axis.set_major_locator(round_ticks(6))
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0 if span > 0.08 else 1))


def value_axis(ax: Axes, share: bool) -> None:
    """Let y start at zero: shares in percent, other numbers short."""
    low, high = ax.get_ylim()
    if share:
        ax.set_ylim(max(-0.02, low), min(1.02, high))
        share_axis(ax.yaxis, high - low)
        return
    ax.set_ylim(min(0.0, low) if low < 0.0 else 0.0, high)
    if high >= 1e3:
        count_axis(ax.yaxis, high)
    else:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def folded(text: str, width: int) -> str:
    """Return a label in lines of at most so many letters; dotted keys stay as they are written."""
    words = (word if "." in word else word.replace("_", " ") for word in text.split(" "))
    return fill(" ".join(words), width)


def cut(text: str, most: int) -> str:
    """Return a name in one line of at most so many letters."""
    text = text.replace("_", " ")
    return text if len(text) <= most else f"{text[: most - 1]}…"


def signed(value: float, digits: int) -> str:
    """Return a number with its sign, the minus as long as the plus."""
    return f"{value:+.{digits}f}".replace("-", "−")
