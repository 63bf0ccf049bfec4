"""The canvas on which the browser draws a plane of the tissue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara

from tme_sim.live.picture import Bar, Picture


@solara.component_vue("tissue.vue")
def TissueCanvas(  # noqa: N802 - Solara's components are named so
    picture: dict[str, Any] | None = None,
    vessels: str = "",
    selected: int = -1,
    event_pick: Callable[[list[int]], None] | None = None,
    event_drawn: Callable[[int], None] | None = None,
) -> None:
    """Show a plane of the tissue with zoom, scale bar, colour bars and legend; the browser draws it.

    Parameters
    ----------
    picture : dict
        From `canvas_data`; None: nothing yet.
    vessels : str
        From `Picture.vessels_text`; sent only when it changes.
    selected : int
        Flat index in the plane of a site to ring; -1 none.
    event_pick, event_drawn : callable
        Called with [ix, iy] of a click, and with the number of every picture that was drawn.
    """


def canvas_data(picture: Picture, number: int) -> dict[str, Any]:
    """Return what `TissueCanvas` shows of a picture; ``number`` tells pictures apart."""
    ny, nx = picture.layer.shape
    bars = [picture.layer_bar, *([picture.cell_bar] if picture.cell_bar is not None else [])]
    return {
        "step": picture.step,
        "clock": clock(picture),
        "ny": ny,
        "nx": nx,
        "spacing": picture.spacing_um,
        "layer": picture.layer[::-1].tobytes(),
        "cells": picture.cells[::-1].tobytes(),
        "layer_colours": picture.layer_colours.tobytes(),
        "cell_colours": picture.cell_colours.tobytes(),
        "bars": [_bar(bar) for bar in bars],
        "kinds": [list(kind) for kind in picture.kinds],
        # The browser compares each picture with the last, from the end on: here it finds at once that they differ.
        "number": number,
    }


def clock(picture: Picture) -> str:
    """Return the time of a picture in words."""
    return f"day {picture.minutes / 1440.0:.2f}, step {picture.step:,}"


def _bar(bar: Bar) -> dict[str, Any]:
    low, high = (f"{end:.3g}" for end in (bar.low, bar.high))
    return {
        "label": bar.label,
        "unit": bar.unit,
        "colours": list(bar.colours),
        "low": f"≤ {low}" if bar.logarithmic else low,
        "high": high,
        "logarithmic": bar.logarithmic,
    }
