"""Numbers on axes as readers want them: fitting units, counts in k and M, shares in percent, long names folded."""

from __future__ import annotations

from textwrap import fill

import numpy as np
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


def share_axis(axis: Axis, span: float) -> None:
    """Write shares in percent, at round steps."""
    axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0 if span > 0.08 else 1))


def folded(text: str, width: int) -> str:
    """Return a label in lines of at most so many letters, words kept whole."""
    return fill(text.replace("_", " "), width, break_long_words=False)
