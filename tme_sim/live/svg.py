"""Charts through time as SVG text: a kilobyte each, so that they can follow a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 440, 184
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 32, 24
_POINTS = 300
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_NOTHING = 1e-9  # of the largest value
_BADGE = 15.0  # width of a number on the time axis; what stands closer shares one


@dataclass(frozen=True)
class Line:
    """One line: name, colour, pattern of dashes, values float64 (n_times,) with nan where not measured."""

    label: str
    colour: str
    values: np.ndarray
    dashes: str = ""


@dataclass(frozen=True)
class Chart:
    """Lines over one axis.

    Attributes
    ----------
    unit : str
        ``%`` draws shares as per cent.
    note : str
        Drawn where there is nothing to draw.
    """

    title: str
    lines: tuple[Line, ...]
    unit: str = ""
    logarithmic: bool = False
    note: str = "nothing measured yet"


@dataclass(frozen=True)
class Mark:
    """Something that happened, on the time axis."""

    minutes: float
    label: str


def draw(chart: Chart, minutes: np.ndarray, marks: Sequence[Mark] = ()) -> str:
    """Return a chart as an SVG element; ``minutes`` float64 (n_times,)."""
    days = minutes / 1440.0
    end = max([1.0 / 24.0, *days[-1:].tolist(), *(mark.minutes / 1440.0 for mark in marks)])
    lines = [line for line in chart.lines if np.isfinite(line.values).any()]
    axis = _Axis.over(chart, lines)
    parts = [
        f'<svg class="tme-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        f'<text x="2" y="14" class="tme-chart-title">{escape(chart.title)}</text>',
        *axis.grid(),
        *_time_axis(end),
        *_marks(marks, end),
    ]
    parts += [_polyline(line, days, end, axis) for line in lines]
    if not lines:
        x, y = (_LEFT + WIDTH - _RIGHT) / 2, (_TOP + HEIGHT - _BOTTOM) / 2
        parts.append(f'<text x="{x:g}" y="{y:g}" class="tme-chart-note">{escape(chart.note)}</text>')
    return "".join([*parts, "</svg>", _legend(lines, chart)])


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool

    @classmethod
    def over(cls, chart: Chart, lines: Sequence[Line]) -> _Axis:
        """Return an axis that holds all values."""
        top = max((float(np.nanmax(line.values)) for line in lines), default=1.0)
        if chart.logarithmic:
            least = min((float(np.nanmin(line.values)) for line in lines), default=1.0)
            low = math.floor(math.log10(max(least, 1.0)))
            top = max(low + 1.0, math.ceil(math.log10(max(top, 1.0)) * 4.0 - 1e-9) / 4.0)
            ticks = tuple((float(power), _power(power)) for power in range(low, int(top) + 1))
            return cls(float(low), top, ticks, True)
        step = _step(max(top, 0.05) if chart.unit == "%" else top if top > 1e-6 else 1.0)
        n = max(1, math.ceil(top / step - 1e-9))
        scale, sign = (100.0, " %") if chart.unit == "%" else (1.0, "")
        ticks = tuple((i * step, f"{i * step * scale:.12g}{sign}") for i in range(n + 1))
        return cls(0.0, n * step, ticks, False)

    def y(self, values: np.ndarray) -> np.ndarray:
        """Return the height of values on the page."""
        shown = np.log10(np.maximum(values, 1.0)) if self.logarithmic else values
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (shown - self.low) / (self.high - self.low)

    def grid(self) -> list[str]:
        """Return lines and numbers of the axis."""
        parts = []
        for value, label in self.ticks:
            y = float(self.y(np.array(10.0**value if self.logarithmic else value)))
            parts.append(
                f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="tme-grid"/>'
            )
            parts.append(f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" class="tme-tick-y">{label}</text>')
        return parts


def _power(power: int) -> str:
    """Return a power of ten as a label that fits beside the axis."""
    return f"{10**power:,}" if power < 6 else "10" + str(power).translate(_RAISED)


def _step(top: float) -> float:
    """Return the step of an axis with three to five of them."""
    power = 10.0 ** math.floor(math.log10(top / 3.0))
    return next(s * power for s in (1.0, 2.0, 2.5, 5.0, 10.0) if top / (s * power) <= 5.0)


def _x[T: (float, np.ndarray)](days: T, end: float) -> T:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * days / end


def _time_axis(end: float) -> list[str]:
    factor, unit = (24.0, "h") if end < 2.0 else (1.0, "d")
    step = _step(end * factor)
    parts = []
    for i in range(int(end * factor / step + 1e-9) + 1):
        x = _x(i * step / factor, end)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" class="tme-tick-x">{i * step:g}</text>')
    parts.append(f'<text x="{WIDTH - 1}" y="14" class="tme-tick-y">time ({unit})</text>')
    return parts


def _marks(marks: Sequence[Mark], end: float) -> list[str]:
    """Return a line per mark, and over them their numbers; the numbers of marks that stand close share a badge."""
    places = [_x(mark.minutes / 1440.0, end) for mark in marks]
    parts = [
        f'<g class="tme-mark"><title>{escape(mark.label)}</title>'
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/></g>'
        for mark, x in zip(marks, places, strict=True)
    ]
    badges: list[list[int]] = []
    for number, x in enumerate(places):
        if badges and x - places[badges[-1][0]] < _BADGE:
            badges[-1].append(number)
        else:
            badges.append([number])
    return parts + [_badge(places[group[0]], group[0] + 1, group[-1] + 1) for group in badges]


def _badge(x: float, first: int, last: int) -> str:
    """Return the numbers of marks, kept off the numbers of the axis."""
    text = f"{first}" if first == last else f"{first}-{last}"
    wide = max(_BADGE - 1.0, 5.5 * len(text) + 6.0)
    middle = min(max(x, _LEFT + wide / 2.0), WIDTH - _RIGHT - wide / 2.0)
    return (
        f'<g class="tme-badge"><rect x="{middle - wide / 2.0:.1f}" y="{_TOP - 7}" width="{wide:.1f}" '
        f'height="14" rx="7"/>'
        f'<text x="{middle:.1f}" y="{_TOP + 3.5:g}">{text}</text></g>'
    )


def _polyline(line: Line, days: np.ndarray, end: float, axis: _Axis) -> str:
    measured = np.flatnonzero(np.isfinite(line.values))
    if len(measured) > _POINTS:
        measured = measured[np.linspace(0, len(measured) - 1, _POINTS).astype(int)]
    x, y = _x(days[measured], end), axis.y(line.values[measured])
    dashes = f' stroke-dasharray="{line.dashes}"' if line.dashes else ""
    if len(measured) == 1:
        return f'<circle cx="{x[0]:.1f}" cy="{y[0]:.1f}" r="3" fill="{line.colour}"/>'
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<polyline points="{points}" stroke="{line.colour}"{dashes} class="tme-line"/>'


def last_value(chart: Chart, line: Line) -> str:
    """Return the last value that was measured of a line, in words; empty where there is none."""
    known = line.values[np.isfinite(line.values)]
    if len(known) == 0:
        return ""
    value = known[-1] if abs(known[-1]) > _NOTHING * np.abs(known).max() else 0.0
    if chart.unit:
        return f"{100.0 * value:.3g} %" if chart.unit == "%" else f"{value:,.4g} {chart.unit}"
    return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:,.3g}"


def _legend(lines: Sequence[Line], chart: Chart) -> str:
    """Return names with the last value measured."""
    items = []
    for line in lines:
        dashes = f' stroke-dasharray="{line.dashes}"' if line.dashes else ""
        stroke = f'<line x1="0" x2="22" y1="4" y2="4" stroke="{line.colour}"{dashes}/>'
        key = f'<svg width="22" height="8" aria-hidden="true">{stroke}</svg>'
        items.append(f"<span>{key} {escape(line.label)} <b>{last_value(chart, line)}</b></span>")
    return f'<div class="tme-chart-legend">{"".join(items)}</div>'
