"""The page of one watched run: controls at the left, the tissue in the middle, charts and the clicked cell right."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import solara
import solara.lab
from solara.widgets import HTML

from tme_sim.live.canvas import TissueCanvas
from tme_sim.live.controls import Side
from tme_sim.live.desk import Desk
from tme_sim.live.style import CSS
from tme_sim.live.telling import portrait_html
from tme_sim.live.watched import WatchedRun
from tme_sim.scenario.scenario import Scenario


def page_of(scenario: Scenario, folder: Path = Path()) -> Callable[[], Any]:
    """Return the page of a scenario as a Solara component without arguments; every tab has a model of its own."""

    @solara.component
    def Page():  # noqa: N802
        solara.Title(f"{scenario.scenario} · tme-sim")
        solara.Style(CSS)
        desk: solara.Reactive[Desk | None] = solara.use_reactive(None)
        task = solara.lab.use_task(
            lambda: Desk(WatchedRun(scenario, folder)), dependencies=[], prefer_threaded=True
        )

        def hold() -> Callable[[], None] | None:
            if not task.finished or task.value is None:
                return None
            made = task.value
            made.show(everything=True)
            desk.set(made)
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
    with solara.Div(classes=["tme-page", *(["tme-with-cell"] if desk.cell.value is not None else [])]):
        Head(desk)
        Side(desk)
        with solara.Div(classes=["tme-main"]):
            Map(desk)
        CellCard(desk)
        with solara.Div(classes=["tme-right"]):
            Charts(desk)


@solara.component
def Head(desk: Desk):  # noqa: N802
    """Show the title, the time, and how the run stands."""
    state = "playing" if desk.playing.value else "paused"
    with solara.Div(classes=["tme-head"]):
        solara.HTML(tag="div", unsafe_innerHTML=escape(desk.run.model.title), classes=["tme-title"])
        text = solara.v.Html(tag="span", class_="tme-clock")
        solara.Text(f"{state} · seed {desk.run.model.seed}", classes=["tme-state"])
        solara.Text(desk.note.value, classes=["tme-note"])
    solara.use_effect(lambda: desk.outlet("clock", solara.get_widget(text)), [])


@solara.component
def Map(desk: Desk):  # noqa: N802
    """Show the tissue."""
    canvas = TissueCanvas(event_pick=desk.pick, event_drawn=desk.player.drawn)
    solara.use_effect(lambda: desk.outlet("canvas", solara.get_widget(canvas)), [])


@solara.component
def Charts(desk: Desk):  # noqa: N802
    """Show charts through time, and what was changed."""
    html = HTML.element(  # pyright: ignore[reportAttributeAccessIssue] - Solara adds it to widgets
        tag="div", attributes={"class": "tme-charts"}
    )
    solara.use_effect(lambda: desk.outlet("charts", solara.get_widget(html)), [])


@solara.component
def CellCard(desk: Desk):  # noqa: N802
    """Show the clicked cell."""
    portrait = desk.portrait.value
    if desk.cell.value is None:
        # Something must stand here: what comes after it would be mounted anew, and an empty element takes a column.
        solara.Div(style={"display": "none"})
        return
    with solara.Div(classes=["tme-right", "tme-cell"]):
        with solara.Row(justify="space-between"):
            title = "The cell has left the tissue" if portrait is None else f"Cell at step {portrait.step:,}"
            solara.HTML(tag="h3", unsafe_innerHTML=title)
            solara.Button("close", on_click=desk.forget, text=True, small=True)
        if portrait is not None:
            solara.HTML(tag="div", unsafe_innerHTML=portrait_html(portrait))
