"""Solara components over a model, the tissue and its charts, for pages of Mesa users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara
from mesa.visualization.utils import update_counter

from tme_sim.live.canvas import TissueCanvas, canvas_data
from tme_sim.live.charts import charts_of
from tme_sim.live.picture import Painter, View
from tme_sim.live.style import CSS
from tme_sim.live.svg import draw
from tme_sim.measures.registry import evaluate, measures_for
from tme_sim.model.tumor import TumorMicroenvironment


def tissue(layer: str = "oxygen", colouring: str = "type") -> Callable[[Any], Any]:
    """Return a component for ``SolaraViz(model, components=[...])`` that shows the cells over a layer.

    Parameters
    ----------
    layer : str
        A field, ``pool NAME``, ``all vesicles`` or ``vessel distance``.
    colouring : str
        ``type``, ``resistance DRUG``, ``variables NAME``, ``drug NAME``, ``damage DRUG``, ``cargo NAME``,
        ``docked POOL``, ``traits NAME``; empty: no cells.

    A name that the tissue does not have is told in place of the picture.
    """

    @solara.component
    def Tissue(model: TumorMicroenvironment):  # noqa: N802
        number = update_counter.get()
        painter = solara.use_memo(lambda: Painter(model), [id(model)])
        view = View(layer, colouring, model.tissue.grid.shape[0] // 2)
        if faults := painter.faults(view):
            solara.Error("\n".join(f"tissue(): {fault}" for fault in faults))
            return
        with model.lock:
            picture = painter.take(view)
        solara.Style(CSS)
        with solara.Div(classes=["tme-alone"]):
            TissueCanvas(picture=canvas_data(picture, number), vessels=picture.vessels_text)

    return Tissue


def charts() -> Callable[[Any], Any]:
    """Return a component for ``SolaraViz(model, components=[...])`` that charts the measures of the tissue in time."""

    @solara.component
    def Charts(model: TumorMicroenvironment):  # noqa: N802
        update_counter.get()
        course = solara.use_memo(dict, [id(model)])
        with model.lock:
            course[model.minutes] = evaluate(
                measures_for(model.tissue.layout), model.tissue, model.measure_context
            )
        solara.Style(CSS)
        Drawn(
            model.config, dict(course)
        )  # a copy: nothing is drawn anew for the object that it was given before

    return Charts


@solara.component
def Drawn(config: Any, course: dict[float, dict[str, float]]):  # noqa: N802
    """Draw charts of values by time (minutes)."""
    import numpy as np

    minutes = np.array(list(course))
    series = {name: np.array([at[name] for at in course.values()]) for name in next(iter(course.values()))}
    text = "".join(draw(chart, minutes) for chart in charts_of(config, series))
    solara.HTML(unsafe_innerHTML=text, classes=["tme-charts"])
