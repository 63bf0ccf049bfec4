"""A measure over one swept parameter, by arm: dose responses with their fits, and other sweeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from tme_sim.analysis.figures.numbers import folded, value_axis
from tme_sim.analysis.style import PAGE_MM, panels, styled


@dataclass(frozen=True)
class Response:
    """Runs of one arm, and where there is one, a fitted curve with its IC50.

    Attributes
    ----------
    x, y : float64 (n_runs,)
    curve : callable, optional
        Fitted response at a dose.
    half : (ic50, low, high), optional
        nan for bounds that are not known.
    """

    arm: str
    colour: str
    x: np.ndarray
    y: np.ndarray
    curve: Callable[[np.ndarray], np.ndarray] | None = None
    half: tuple[float, float, float] | None = None


@styled
def response_figure(
    responses: Sequence[Response],
    x_label: str,
    y_label: str,
    share: bool,
    log: bool,
    summary: Mapping[tuple[str, float], tuple[float, float, float]],
    unit: str = "",
) -> Figure:
    """Return runs as dots, means with intervals, and fitted curves with the IC50 and its interval.

    Parameters
    ----------
    log : bool
        Whether x is on a logarithmic scale; zero then stands at its left end.
    summary : mapping
        (mean, low, high) by arm and x.
    unit : str
        Of x.
    """
    figure, (ax,) = panels(1, 1, 78.0, width_mm=PAGE_MM * 0.8)
    every = np.unique(np.concatenate([r.x for r in responses]))
    zero = _zero_place(every) if log else 0.0
    place = (lambda x: np.where(np.asarray(x) > 0.0, x, zero)) if log else np.asarray
    step = 0.06 * (np.ptp(every) or 1.0) / max(1, len(every) - 1)
    for i, r in enumerate(responses):
        shift = i - (len(responses) - 1) / 2.0
        move = (lambda x, s=shift: place(x) * 1.035**s) if log else (lambda x, s=shift: place(x) + s * step)
        ax.plot(
            move(r.x) * (0.975 if log else 1.0),
            r.y,
            ls="none",
            marker="o",
            ms=2.4,
            mew=0,
            color=r.colour,
            alpha=0.4,
        )
        at = np.unique(r.x)
        means, lows, highs = (np.array([summary[r.arm, float(x)][k] for x in at]) for k in range(3))
        errors = np.nan_to_num(np.stack([means - lows, highs - means]))
        line: dict[str, Any] = {"ls": "none"} if r.curve is not None else {"ls": "-"}
        ax.errorbar(
            move(at),
            means,
            yerr=errors,
            marker="D",
            ms=4,
            color=r.colour,
            elinewidth=1.2,
            lw=1.2,
            label=_label(r, unit),
            **line,
        )
        if r.curve is not None:
            fine = np.geomspace(every[every > 0][0] / 1.5, every[-1] * 1.1, 200)
            ax.plot(fine, r.curve(fine), color=r.colour)
        if r.half is not None:
            _mark_half(ax, r)
    if log:
        ax.set_xscale("log")
        ticks = [zero, *every[every > 0.0]] if every[0] == 0.0 else list(every)
        ax.set_xticks(ticks, [f"{x:g}" if x != zero or every[0] != 0.0 else "0" for x in ticks])
        ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel=folded(x_label, 70), ylabel=folded(y_label, 40))
    value_axis(ax, share)
    if len(responses) > 1 or responses[0].half is not None:
        figure.legend(loc="outside lower left")
    return figure


def _label(r: Response, unit: str) -> str:
    if r.half is None:
        return f"{folded(r.arm, 40)} ({len(r.x)} runs)"
    half, low, high = r.half
    interval = f"95 % interval {low:.3g} to {high:.3g}"
    return f"{folded(r.arm, 40)} ({len(r.x)} runs): IC50 {half:.3g} {unit} ({interval})"


def _mark_half(ax, r: Response) -> None:
    half, low, high = r.half or (np.nan,) * 3
    y = float(r.curve(np.array([half]))[0]) if r.curve is not None else np.nan
    ax.plot([half, half], [0.0, y], color=r.colour, lw=0.8, ls=(0, (3, 2)))
    if np.isfinite(low) and np.isfinite(high):
        ax.plot([low, high], [y, y], color=r.colour, lw=3.5, alpha=0.3, solid_capstyle="butt")


def _zero_place(every: np.ndarray) -> float:
    """Return where zero stands on a logarithmic axis: one usual step left of the smallest."""
    positive = every[every > 0.0]
    ratio = float(positive[1] / positive[0]) if len(positive) > 1 else 2.0
    return float(positive[0]) / max(ratio, 1.5)
