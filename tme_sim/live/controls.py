"""The left side of the page: play, what is drawn, sliders, interventions, saving."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import solara

from tme_sim.live.layers import Layer
from tme_sim.live.offers import Knob, Offer

if TYPE_CHECKING:
    from tme_sim.live.desk import Desk

_SPEEDS = {"1 step/s": 1.0, "5 steps/s": 5.0, "20 steps/s": 20.0, "as fast as it goes": float("inf")}
_EVERY: tuple[str, ...] = ("1", "2", "5", "10", "20", "50", "100")
_ON = "#B0003A"  # as its mark on the time axis
_NO_CELLS = "no cells"
_SEED = re.compile(r"\s*[0-9]{1,20}\s*")


@solara.component
def Side(desk: Desk):  # noqa: N802
    """Lay out the controls."""
    values = solara.use_reactive({knob.key: knob.value for knob in desk.run.knobs})
    with solara.Div(classes=["tme-side"]):
        Play(desk, values)
        Looks(desk)
        Knobs(desk, values)
        Acts(desk)
        Save(desk)


@solara.component
def Play(desk: Desk, values: solara.Reactive[dict[str, float]]):  # noqa: N802
    """Play, pause, step, reset; speed and seed."""
    playing = desk.playing.value
    every: solara.Reactive[str] = solara.use_reactive(str(desk.player.every))
    speed = solara.use_reactive(next(reversed(_SPEEDS)))
    seed = solara.use_reactive(str(desk.run.model.seed))
    start = seed_of(seed.value)

    def set_every(steps: str) -> None:
        every.set(steps)
        desk.player.every = int(steps)

    def set_speed(word: str) -> None:
        speed.set(word)
        desk.player.speed = _SPEEDS[word]

    with solara.Div(classes=["tme-row"]):
        solara.Button("Pause" if playing else "Play", color="primary", on_click=desk.play, small=True)
        solara.Button("Step", on_click=desk.player.step, disabled=playing, small=True)
        solara.Button(
            "Reset",
            on_click=lambda: desk.reset(start or 0, values.value),
            disabled=start is None,
            small=True,
        )
    solara.Select("Speed", list(_SPEEDS), value=speed.value, on_value=set_speed, dense=True)
    solara.Select("Steps per picture", list(_EVERY), value=every.value, on_value=set_every, dense=True)
    solara.InputText(
        dense=True,
        label="Seed of the next start",
        value=seed,
        continuous_update=True,
        error="a whole number from 0 to 2^64 - 1" if start is None else False,
    )


def seed_of(text: str) -> int | None:
    """Return the seed that was typed, None where it is none; Python's own digits and lengths are wider."""
    seed = int(text) if _SEED.fullmatch(text) else 2**64
    return seed if seed < 2**64 else None


@solara.component
def Looks(desk: Desk):  # noqa: N802
    """Choose the layer, the colouring of cells and the plane."""
    view = desk.view.value
    layers = {_name(layer): key for key, layer in desk.painter.layers.items()}
    colourings = {_NO_CELLS: "", **{_name(layer): key for key, layer in desk.painter.colourings.items()}}
    solara.HTML(tag="h3", unsafe_innerHTML="What is drawn")
    solara.Select(
        "Layer",
        list(layers),
        value=_name(desk.painter.layers[view.layer]),
        on_value=lambda name: desk.look(replace(desk.view.value, layer=layers[name])),
        dense=True,
    )
    shown = _name(desk.painter.colourings[view.colouring]) if view.colouring else _NO_CELLS
    solara.Select(
        "Cells by",
        list(colourings),
        value=shown,
        on_value=lambda name: desk.look(replace(desk.view.value, colouring=colourings[name])),
        dense=True,
    )
    planes = desk.run.model.tissue.grid.shape[0]
    if planes > 1:
        solara.SliderInt(
            f"Plane {view.plane}",
            value=view.plane,
            min=0,
            max=planes - 1,
            on_value=lambda plane: desk.look(replace(desk.view.value, plane=plane)),
        )


def _name(layer: Layer) -> str:
    return layer.label


@solara.component
def Knobs(desk: Desk, values: solara.Reactive[dict[str, float]]):  # noqa: N802
    """Sliders for what the scenario declares as adjustable."""
    if not desk.run.knobs:
        return
    solara.HTML(tag="h3", unsafe_innerHTML="Parameters")
    for knob in desk.run.knobs:
        Slider(desk, knob, values)


@solara.component
def Slider(desk: Desk, knob: Knob, values: solara.Reactive[dict[str, float]]):  # noqa: N802
    """One slider; it says when it counts."""

    def turn(value: float) -> None:
        if value != values.value[knob.key]:
            values.set({**values.value, knob.key: value})
            desk.act(lambda: desk.run.turn(knob, value))

    value, when = values.value[knob.key], "from the next reset on" if knob.founding else "at once"
    label = f"{knob.label} <b>{value:g} {knob.unit.replace('um', 'µm')}</b><small>counts {when}</small>"
    with solara.Div(classes=["tme-knob"]):
        solara.HTML(tag="div", unsafe_innerHTML=label)
        solara.v.Slider(
            v_model=value,
            min=knob.low,
            max=knob.high,
            step=knob.step,
            on_v_model=turn,
            dense=True,
            hide_details=True,
            class_="tme-slider",
            attributes={"aria-label": knob.label},
        )


@solara.component
def Acts(desk: Desk):  # noqa: N802
    """Buttons for interventions."""
    if desk.run.offers:
        solara.HTML(tag="h3", unsafe_innerHTML="Interventions")
        with solara.Div(classes=["tme-acts"]):
            for offer in desk.run.offers:
                Act(desk, offer)


@solara.component
def Act(desk: Desk, offer: Offer):  # noqa: N802
    """One intervention; pressed again it ends."""
    on = offer.key in desk.on.value
    hint = solara.HTML(tag="small", unsafe_innerHTML=f"{'ends when pressed · ' if on else ''}{offer.hint}")
    solara.Button(
        children=[offer.label, hint],
        on_click=lambda: desk.act(lambda: desk.run.toggle(offer)),
        color=_ON if on else None,
        dark=on,
        outlined=not on,
        small=True,
    )


@solara.component
def Save(desk: Desk):  # noqa: N802
    """Save the picture, the run so far, the scenario."""
    name = desk.run.scenario.scenario
    solara.HTML(tag="h3", unsafe_innerHTML="Save")
    for label, make, file in (
        ("Picture of this view", desk.view_png, f"{name}_view.png"),
        ("Overview of the run", desk.run.overview, f"{name}.png"),
        ("Run so far (HDF5)", desk.run.run_file, f"{name}.h5"),
        ("Scenario with changes", lambda: desk.run.exported().encode(), f"{name}_changed.yaml"),
    ):
        with solara.FileDownload(make, filename=file):
            solara.Button(label, small=True, outlined=True, style="width:100%;margin-bottom:5px")
