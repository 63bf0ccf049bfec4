"""The tissue and its numbers in a terminal, two sites to a character."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from string import ascii_uppercase

import numpy as np
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from tme_sim.live.charts import charts_of
from tme_sim.live.picture import Painter, Picture
from tme_sim.live.svg import last_value
from tme_sim.live.watched import WatchedRun
from tme_sim.scenario.scenario import Scenario

VESSEL = (11, 37, 69)
_BESIDE = 46  # columns for the numbers
_CROWDED = 0.25  # of the samples: with more vessels than that, they stand no longer before cells


def play(scenario: Scenario, *, steps: int = 1, console: Console | None = None) -> None:
    """Run a scenario to its end or Ctrl-C, and show it; without a terminal only the last moment is printed."""
    console = console or Console()
    run = WatchedRun(scenario)
    painter = Painter(run.model)
    view = painter.first_view()

    def shown() -> RenderableType:
        with run.lock:
            return screen(run, painter.take(view), console.width, console.height)

    began = time.monotonic()
    with Live(shown(), console=console, auto_refresh=False, transient=not console.is_terminal) as live:
        try:
            while all([run.step() for _ in range(steps)]):
                live.update(shown(), refresh=console.is_terminal)
        except KeyboardInterrupt:
            pass
        live.update(shown(), refresh=True)
    if not console.is_terminal:
        console.print(shown())
    reason = run.model.stop_reason or "interrupted"
    print(
        f"ended after {run.model.clock.days:.2f} d: {reason}, {time.monotonic() - began:.0f} s",
        file=sys.stderr,
    )


def screen(run: WatchedRun, picture: Picture, width: int, height: int) -> RenderableType:
    """Return the tissue with its numbers beside it, within a terminal of this size."""
    state = f"day {picture.minutes / 1440.0:.2f}   step {picture.step:,}   {run.model.living_cells:,} living cells"
    title = Text(run.model.title)
    title.truncate(max(1, width - len(state) - 3), overflow="ellipsis")
    head = Text.assemble(title, "   ", state, style="bold", no_wrap=True, overflow="ellipsis")
    tissue = Raster(picture, max(20, width - _BESIDE - 2), max(8, height - 4))
    return Group(head, Columns([tissue, numbers(run, picture)], padding=(0, 2)))


def numbers(run: WatchedRun, picture: Picture) -> Table:
    """Return the legend with counts, the scale of the layer, and the last value of every chart."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=3)
    table.add_column(max_width=25)
    table.add_column(justify="right", max_width=14)
    signs = letters(picture)
    if len(picture.vessels):
        colour = "#{:02x}{:02x}{:02x}".format(*VESSEL)
        table.add_row(_swatch(colour, "O"), "perfused vessel", f"{len(picture.vessels):,}")
    for label, colour, count in picture.kinds:
        table.add_row(_swatch(colour, signs[label]), label, f"{count:,}")
    bar = picture.layer_bar
    ramp = Text("")
    for colour in (bar.colours[0], bar.colours[len(bar.colours) // 2], bar.colours[-1]):
        ramp.append("█", style=colour)
    table.add_row(ramp, f"{bar.label} {bar.unit}", f"{bar.low:.3g} to {bar.high:.3g}")
    minutes, series = run.course()
    for chart in charts_of(run.model.config, series)[1:]:
        table.add_row("", Text(chart.title, style="bold"), "")
        for line in chart.lines:
            if text := last_value(chart, line):
                table.add_row("", line.label, text)
    return table


def letters(picture: Picture) -> dict[str, str]:
    """Return a sign per kind, for terminals without colours: the first free letter of its name."""
    taken = {"O"}
    out = {}
    for label, _, _ in picture.kinds:
        out[label] = next(
            sign for sign in (*label.upper(), *ascii_uppercase) if sign.isalpha() and sign not in taken
        )
        taken.add(out[label])
    return out


def _swatch(colour: str, sign: str) -> Text:
    return Text(f"{sign} ").append("●", style=f"{colour} on #DDE1E9")


class Raster:
    """A picture as half blocks, two samples of the plane to a character; as letters where there is no colour.

    Parameters
    ----------
    picture : Picture
    columns, rows : int
        Room, in characters; the plane is sampled to fit, cells before empty sites, and vessels before cells as long
        as they do not hide the tissue.
    """

    def __init__(self, picture: Picture, columns: int, rows: int):
        self.picture = picture
        self.sites = _sampled(picture, columns, 2 * rows)

    def __rich_console__(self, console: Console, options: object) -> Iterator[Segment]:
        """Yield the rows from the top (largest y) down."""
        rows = self.sites[::-1]
        if console.color_system is None:
            signs = self._signs()
            for row in rows[0::2]:
                yield Segment("".join(signs[row]))
                yield Segment.line()
            return
        colours = self._colours()
        for upper, lower in zip(colours[rows[0::2]].tolist(), colours[rows[1::2]].tolist(), strict=True):
            for top, bottom in zip(upper, lower, strict=True):
                yield Segment("▀", Style(color=Color.from_rgb(*top), bgcolor=Color.from_rgb(*bottom)))
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: object) -> Measurement:
        """Return its width."""
        return Measurement(self.sites.shape[1], self.sites.shape[1])

    def _colours(self) -> np.ndarray:
        """Return the colour of every site, and black for beyond the plane, uint8 (n_sites + 1, 3)."""
        picture = self.picture
        colours = picture.layer_colours[picture.layer]
        there = picture.cells > 0
        colours[there] = picture.cell_colours[picture.cells[there]]
        flat = np.vstack([colours.reshape(-1, 3), np.zeros((1, 3), np.uint8)])
        flat[picture.vessels] = VESSEL
        return flat

    def _signs(self) -> np.ndarray:
        """Return a sign for every site, and a blank for beyond the plane."""
        picture, of_label = self.picture, letters(self.picture)
        of_colour = {Color.parse(colour).triplet: of_label[label] for label, colour, _ in picture.kinds}
        table = np.array([of_colour.get(ColorTriplet(*rgb), "#") for rgb in picture.cell_colours.tolist()])
        signs = np.where(picture.cells > 0, table[picture.cells], ".").reshape(-1)
        signs[picture.vessels] = "O"
        return np.append(signs, " ")


def _sampled(picture: Picture, columns: int, rows: int) -> np.ndarray:
    """Return flat site indices int64 (an even number of rows, columns) of a plane that fits; n_sites is beyond it."""
    ny, nx = picture.layer.shape
    block = max(1, math.ceil(nx / columns), math.ceil(ny / rows))
    rank = np.append((picture.cells > 0).reshape(-1).astype(np.int8) + 1, 0)
    wide, tall = math.ceil(nx / block), math.ceil(ny / block)
    tall += tall % 2
    padded = np.full((tall * block, wide * block), ny * nx)
    padded[:ny, :nx] = np.arange(ny * nx).reshape(ny, nx)
    sites = padded.reshape(tall, block, wide, block).swapaxes(1, 2).reshape(tall, wide, -1)
    first = rank.copy()
    first[picture.vessels] = 3
    if (first[sites] == 3).any(axis=-1).mean() <= _CROWDED:
        rank = first
    return np.take_along_axis(sites, rank[sites].argmax(axis=-1)[..., None], axis=-1)[..., 0]
