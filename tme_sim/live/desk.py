"""One tab's desk: the run with its player, and what the reader looks at."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import solara

from tme_sim.live.canvas import canvas_data
from tme_sim.live.charts import charts_of
from tme_sim.live.picture import Painter, View
from tme_sim.live.player import Player
from tme_sim.live.portrait import Portrait, cell_at, portrait_of
from tme_sim.live.still import png_of, view_figure
from tme_sim.live.svg import Mark, draw
from tme_sim.live.telling import changes_html
from tme_sim.live.watched import WatchedRun
from tme_sim.scenario.load import ScenarioError

_CHARTS_EVERY_S, _PORTRAIT_EVERY_S = 0.25, 1.0


class Desk:
    """What one tab holds: the run, its player, what the reader looks at, and the widgets that follow the run.

    A picture of a run at speed changes three widgets and nothing else of the page, so it goes straight to them
    (`outlet`); rendering the page anew for each would cost more than the picture.

    Parameters
    ----------
    run : WatchedRun
    """

    def __init__(self, run: WatchedRun):
        self.run = run
        self.painter = Painter(run.model)
        self.view: solara.Reactive[View] = solara.reactive(self.painter.first_view())
        self.cell: solara.Reactive[int | None] = solara.reactive(None)
        self.portrait: solara.Reactive[Portrait | None] = solara.reactive(None)
        self.playing = solara.reactive(False)
        self.note = solara.reactive("")
        self.on: solara.Reactive[frozenset[str]] = solara.reactive(self._in_force())
        self._refused = ""
        self.shown: dict[str, dict[str, Any]] = {}
        self._outlets: dict[str, Any] = {}
        # The player's thread and those of clicks draw: one at a time, so that the last picture taken is the last sent.
        # Whoever holds it sets nothing that renders the page.
        self._screen = threading.RLock()
        self._charted, self._portrayed = 0.0, 0.0
        self.player = Player(run, self.show)

    def outlet(self, name: str, widget: Any) -> None:
        """Let a widget show what is sent under a name, from now on.

        The traits must not be given where the component is called: each rendering would set them back.
        """
        with self._screen:
            self._outlets[name] = widget
            self._send(name, **self.shown.get(name, {}))

    def _send(self, name: str, **traits: Any) -> None:
        self.shown[name] = traits
        widget = self._outlets.get(name)
        if widget is not None:
            with widget.hold_sync():
                for trait, value in traits.items():
                    setattr(widget, trait, value)

    def show(self, *, everything: bool = False) -> None:
        """Draw the present state: the picture always, charts and portrait when they are due."""
        now, playing = time.monotonic(), self.player.playing
        if everything or not playing or now - self._portrayed > _PORTRAIT_EVERY_S:
            self._portrayed = now
            self._portray()
        charts_due = everything or not playing or now - self._charted > _CHARTS_EVERY_S
        with self._screen:
            with self.run.lock:
                picture = self.painter.take(self.view.value)
                living = self.run.model.living_cells
            self._send(
                "canvas",
                picture=canvas_data(picture, self.player.asked()),
                vessels=picture.vessels_text,
                selected=self._site_in_plane(),
            )
            time_text = (
                f"day {picture.minutes / 1440.0:.2f} · step {picture.step:,} · {living:,} living cells"
            )
            self._send("clock", children=[time_text])
            if charts_due:
                self._charted = now
                self._send("charts", unsafe_innerHTML=self._draw_charts())
        if charts_due:
            self.on.set(self._in_force())
        self.playing.set(self.player.playing)
        self.note.set(self.player.fault or self._refused or self.run.model.stop_reason)

    def _in_force(self) -> frozenset[str]:
        return frozenset(offer.key for offer in self.run.offers if self.run.is_on(offer))

    def _draw_charts(self) -> str:
        minutes, series = self.run.course()
        changes = list(self.run.changes)
        marks = [Mark(change.minutes, change.label) for change in changes]
        drawn = [draw(chart, minutes, marks) for chart in charts_of(self.run.model.config, series)]
        return "".join([*drawn, changes_html(changes)])

    def _portray(self) -> None:
        cell = self.cell.value  # once: a click in another thread may change it
        if cell is not None:
            with self.run.lock:
                portrait = portrait_of(self.run.model, cell)
            self.portrait.set(portrait)

    def _site_in_plane(self) -> int:
        portrait = self.portrait.value
        if portrait is None:
            return -1
        _, ny, nx = self.run.model.tissue.grid.shape
        plane, site = divmod(portrait.site, ny * nx)
        return site if plane == self.view.value.plane else -1

    def pick(self, site: list[int]) -> None:
        """Look at the cell on a site."""
        ix, iy = site
        with self.run.lock:
            cell = cell_at(self.run.model, ix, iy, self.view.value.plane)
        self.cell.set(cell)  # without the lock: it renders the page, which may wait for the screen
        self.portrait.set(None)
        self.show(everything=True)

    def forget(self) -> None:
        """Look at no cell any more."""
        self.cell.set(None)
        self.portrait.set(None)
        self.show()

    def act(self, change: Callable[[], object]) -> None:
        """Change the running model, and show it; what the model refuses is told until the next change."""
        try:
            change()
        except ScenarioError as error:  # without the lines of a file that the reader never saw
            self._refused = "; ".join(f"{fault.path}: {fault.reason}" for fault in error.faults)
        except ValueError as error:
            self._refused = str(error)
        else:
            self._refused = ""
        self.show(everything=True)

    def view_png(self) -> bytes:
        """Return what is looked at as a figure with scale, bars and legend, a PNG."""
        with self.run.lock:
            picture = self.painter.take(self.view.value)
        return png_of(view_figure(picture, self.run.model.title))

    def look(self, view: View) -> None:
        """Change what is drawn."""
        self.view.set(view)
        self.show()

    def play(self) -> None:
        """Play or pause."""
        if self.player.playing:
            self.player.pause()
        else:
            self.player.play()
        self.playing.set(self.player.playing)

    def reset(self, seed: int, values: dict[str, float]) -> None:
        """Start anew; values with which there can be no start leave the run as it is."""
        self.player.pause()
        self.note.set("laying the tissue …")
        self.act(lambda: self._reset(seed, values))

    def _reset(self, seed: int, values: dict[str, float]) -> None:
        with self.run.lock:
            self.run.reset(seed, values)
            self.painter = Painter(self.run.model)
        self.player.fault = ""
        self.cell.set(None)
        self.portrait.set(None)

    def close(self) -> None:
        """End the player and let go of the widgets, so that the model can go."""
        self.player.close()
        self._outlets.clear()
