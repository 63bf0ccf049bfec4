"""The page of one watched run: controls at the left, the tissue in the middle, charts and the clicked cell right."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import solara

from tme_sim.live.canvas import TissueCanvas, canvas_data
from tme_sim.live.charts import charts_of
from tme_sim.live.controls import Side
from tme_sim.live.picture import Painter, Picture, View
from tme_sim.live.player import Player
from tme_sim.live.portrait import Portrait, cell_at, portrait_of
from tme_sim.live.still import png_of, view_figure
from tme_sim.live.style import CSS
from tme_sim.live.svg import Mark, draw
from tme_sim.live.telling import changes_html, portrait_html
from tme_sim.live.watched import WatchedRun
from tme_sim.scenario.load import ScenarioError
from tme_sim.scenario.scenario import Scenario

_CHARTS_EVERY_S, _PORTRAIT_EVERY_S = 0.25, 1.0


class Desk:
    """What one tab holds: the run, its player, and what the reader looks at, in reactive variables.

    Parameters
    ----------
    run : WatchedRun
    """

    def __init__(self, run: WatchedRun):
        self.run = run
        self.painter = Painter(run.model)
        self.view: solara.Reactive[View] = solara.reactive(self.painter.first_view())
        self.picture: solara.Reactive[Picture | None] = solara.reactive(None)
        self.number = 0
        self.charts = solara.reactive("")
        self.cell: solara.Reactive[int | None] = solara.reactive(None)
        self.portrait: solara.Reactive[Portrait | None] = solara.reactive(None)
        self.playing = solara.reactive(False)
        self.note = solara.reactive("")
        self.on: solara.Reactive[frozenset[str]] = solara.reactive(self._in_force())
        self._charted, self._portrayed = 0.0, 0.0
        self.player = Player(run, self.show)

    def show(self, *, everything: bool = False) -> None:
        """Draw the present state: the picture always, charts and portrait when they are due."""
        now, playing = time.monotonic(), self.player.playing
        with self.run.lock:
            picture = self.painter.take(self.view.value)
        picture.layer_url, picture.cells_url  # encoded here, without the lock
        self.number = self.player.asked()
        self.picture.set(picture)
        if everything or not playing or now - self._charted > _CHARTS_EVERY_S:
            self._charted = now
            self.charts.set(self._draw_charts())
            self.on.set(self._in_force())
        if everything or not playing or now - self._portrayed > _PORTRAIT_EVERY_S:
            self._portrayed = now
            self._portray()
        self.playing.set(playing)
        self.note.set(self.player.fault or self.run.model.stop_reason)

    def _in_force(self) -> frozenset[str]:
        return frozenset(offer.key for offer in self.run.offers if self.run.is_on(offer))

    def _draw_charts(self) -> str:
        minutes, series = self.run.course()
        marks = [Mark(change.minutes, change.label) for change in self.run.changes]
        return "".join(draw(chart, minutes, marks) for chart in charts_of(self.run.model.config, series))

    def _portray(self) -> None:
        if self.cell.value is not None:
            with self.run.lock:
                self.portrait.set(portrait_of(self.run.model, self.cell.value))

    def pick(self, site: list[int]) -> None:
        """Look at the cell on a site."""
        ix, iy = site
        with self.run.lock:
            self.cell.set(cell_at(self.run.model, ix, iy, self.view.value.plane))
            self.portrait.set(None if self.cell.value is None else portrait_of(self.run.model, self.cell.value))

    def forget(self) -> None:
        """Look at no cell any more."""
        self.cell.set(None)
        self.portrait.set(None)

    def act(self, change: Callable[[], object]) -> None:
        """Change the running model, and show it."""
        try:
            change()
        except (ScenarioError, ValueError) as error:
            self.note.set(str(error))
        else:
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
        """Start anew."""
        self.player.pause()
        self.run.reset(seed, values)
        self.player.fault = ""
        self.painter = Painter(self.run.model)
        self.cell.set(None)
        self.portrait.set(None)
        self.show(everything=True)

    def close(self) -> None:
        """End the player, so that the model can go."""
        self.player.close()


def page_of(scenario: Scenario, folder: Path = Path()) -> Callable[[], Any]:
    """Return the page of a scenario as a Solara component without arguments; every tab has a model of its own."""

    @solara.component
    def Page():  # noqa: N802
        solara.Title(f"{scenario.scenario} · tme-sim")
        solara.Style(CSS)
        desk: solara.Reactive[Desk | None] = solara.use_reactive(None)
        task = solara.lab.use_task(lambda: Desk(WatchedRun(scenario, folder)), dependencies=[], prefer_threaded=True)

        def hold() -> Callable[[], None] | None:
            if not task.finished or task.value is None:
                return None
            made = task.value
            desk.set(made)
            made.show(everything=True)
            return made.close

        solara.use_effect(hold, [task.finished])
        if task.error:
            solara.Error(f"The model could not be made: {task.exception}")
        elif desk.value is None:
            with solara.Div(classes=["tme-wait"]):
                solara.Text(f"Laying the tissue of {scenario.title or scenario.scenario} …")
                solara.Text("The first start on a machine compiles for a minute or two.")
        else:
            Watch(desk.value)

    return Page


@solara.component
def Watch(desk: Desk):  # noqa: N802
    """Lay out the page."""
    with solara.Div(classes=["tme-page"]):
        Head(desk)
        Side(desk)
        with solara.Div(classes=["tme-main"]):
            Map(desk)
        with solara.Div(classes=["tme-right"]):
            CellCard(desk)
            Charts(desk)


@solara.component
def Head(desk: Desk):  # noqa: N802
    """Show the title, the time, and how the run stands."""
    picture = desk.picture.value
    with solara.Div(classes=["tme-head"]):
        solara.HTML(tag="div", unsafe_innerHTML=desk.run.model.title, classes=["tme-title"])
        if picture is not None:
            with desk.run.lock:
                cells, seed = desk.run.model.living_cells, desk.run.model.seed
            state = "playing" if desk.playing.value else "paused"
            note = f" · {desk.note.value}" if desk.note.value else ""
            text = f"day {picture.minutes / 1440.0:.2f} · step {picture.step:,} · {cells:,} living cells"
            solara.Text(text, classes=["tme-clock"])
            solara.Text(f"{state} · seed {seed}{note}", classes=["tme-state"])


@solara.component
def Map(desk: Desk):  # noqa: N802
    """Show the tissue."""
    picture = desk.picture.value
    if picture is None:
        return
    data = solara.use_memo(lambda: canvas_data(picture, desk.number), [id(picture)])
    TissueCanvas(
        picture=data,
        vessels=picture.vessels_text,
        selected=_site_in_plane(desk),
        event_pick=desk.pick,
        event_drawn=desk.player.drawn,
    )


def _site_in_plane(desk: Desk) -> int:
    portrait = desk.portrait.value
    if portrait is None:
        return -1
    _, ny, nx = desk.run.model.tissue.grid.shape
    plane, site = divmod(portrait.site, ny * nx)
    return site if plane == desk.view.value.plane else -1


@solara.component
def Charts(desk: Desk):  # noqa: N802
    """Show charts through time, and what was changed."""
    solara.HTML(tag="div", unsafe_innerHTML=desk.charts.value, classes=["tme-charts"])
    if desk.run.changes:
        solara.HTML(tag="div", unsafe_innerHTML=changes_html(desk.run.changes))


@solara.component
def CellCard(desk: Desk):  # noqa: N802
    """Show the clicked cell."""
    portrait = desk.portrait.value
    if portrait is None:
        words = "The cell has left the tissue." if desk.cell.value is not None else "Click a cell to look into it."
        solara.HTML(tag="h3", unsafe_innerHTML=words)
    else:
        with solara.Row(justify="space-between"):
            solara.HTML(tag="h3", unsafe_innerHTML=f"Cell at step {portrait.step:,}")
            solara.Button("close", on_click=lambda: desk.forget(), text=True, small=True)
        solara.HTML(tag="div", unsafe_innerHTML=portrait_html(portrait), classes=["tme-cell"])
