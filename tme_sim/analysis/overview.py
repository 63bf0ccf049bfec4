"""One page that shows a run: cells, oxygen, vesicles, resistance and their course in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tme_sim.analysis.figures.curves import Panel, draw_panel
from tme_sim.analysis.figures.maps import (
    LEGEND_COLUMNS,
    LINES_MMHG,
    draw_cells,
    draw_hypoxia_map,
    draw_oxygen,
    draw_resistance_map,
    draw_vesicles,
    kinds,
)
from tme_sim.analysis.section import Section, section_of
from tme_sim.analysis.style import save, styled
from tme_sim.analysis.timeline import counts_panel, hypoxia_panel, resistance_panel
from tme_sim.record.reader import Run, open_run

# Sizes of the page, inches: maps are _MAP wide, with room for colour bars at their right and a legend below.
_WIDTH, _MAP, _LEFT, _RIGHT = 7.0, 2.4, 0.14, 3.68
_TOP, _BELOW, _STRIP, _FOOT = 0.52, 0.9, 1.1, 0.4
_LEGEND_ROW, _LEGEND_MARGIN = 0.13, 0.36


def save_overview(
    run_path: Path | str, png_path: Path | str, minutes: float | None = None, dpi: int = 220
) -> Path:
    """Draw the overview of a run file at the nearest snapshot (None: the last) and save it.

    Raises
    ------
    RunFileError
        When the file is not a whole run.
    """
    with open_run(run_path) as run:
        figure = overview(run, minutes)
    save(figure, Path(png_path), "png", dpi)
    return Path(png_path)


def overview(run: Run, minutes: float | None = None) -> Figure:
    """Return the overview of a run at the nearest snapshot (None: the last)."""
    return overview_figure(section_of(run, minutes))


@styled
def overview_figure(section: Section) -> Figure:
    """Return four maps of one plane above two strips through time: resistance, or hypoxia where no drug is."""
    left, right, bottom, top = section.window_um
    tall = float(np.clip(_MAP * (top - bottom) / (right - left), 0.4 * _MAP, 1.3 * _MAP))
    rows = -(-(len(kinds(section)) + 1 + len(LINES_MMHG)) // LEGEND_COLUMNS)  # of the first legend, at most
    below = max(_BELOW, _LEGEND_MARGIN + _LEGEND_ROW * rows)
    height = _TOP + 2.0 * tall + below + _BELOW + _STRIP + _FOOT
    figure = Figure(figsize=(_WIDTH, height))
    FigureCanvasAgg(figure)

    def place(left: float, bottom: float, width: float, high: float) -> Axes:
        return figure.add_axes((left / _WIDTH, bottom / height, width / _WIDTH, high / height))

    upper, lower = height - _TOP - tall, height - _TOP - 2.0 * tall - below
    for draw, x, y in (
        (draw_cells, _LEFT, upper),
        (draw_oxygen, _RIGHT, upper),
        (draw_vesicles, _LEFT, lower),
        (draw_resistance_map if section.drug else draw_hypoxia_map, _RIGHT, lower),
    ):
        draw(place(x, y, _MAP, tall), section)
    _draw_strip(place(_LEFT + 0.46, _FOOT, _MAP - 0.5, _STRIP), section, counts_panel(section))
    answer = resistance_panel(section) if section.drug else hypoxia_panel(section)
    _draw_strip(place(_RIGHT + 0.46, _FOOT, _MAP - 0.6, _STRIP), section, answer)
    _write_heading(figure, section)
    return figure


def _draw_strip(ax: Axes, section: Section, panel: Panel) -> None:
    draw_panel(ax, panel, "Time (days)", "drug in blood")


def _write_heading(figure: Figure, section: Section) -> None:
    left, right, bottom, top = section.window_um
    shown = f"{(right - left) / 1000.0:.2g} by {(top - bottom) / 1000.0:.2g} mm shown"
    if section.planes > 1:
        shown = f"middle plane, {shown}"
    heading = f"{section.title}: day {section.minutes / 1440.0:.1f}"
    y = 1.0 - 0.17 / figure.get_figheight()
    figure.text(
        _LEFT / _WIDTH,
        y,
        heading,
        fontsize="x-large" if len(heading) <= 44 else "large",
        fontweight="bold",
        va="center",
    )
    figure.text(1.0 - _LEFT / _WIDTH, y, shown, va="center", ha="right")
