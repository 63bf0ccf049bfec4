"""Pages that Mesa users build: our components in SolaraViz, and Mesa's own SpaceRenderer over our agents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import reacton
import solara
from ipywidgets.widgets.widget import _instances
from mesa.visualization import SolaraViz, SpaceRenderer
from mesa.visualization.components import AgentPortrayalStyle, PropertyLayerStyle

from tests.live.conftest import SMALL, Server, Tab
from tme_sim.live.components import charts, tissue
from tme_sim.model.tumor import TumorMicroenvironment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def model() -> TumorMicroenvironment:
    return TumorMicroenvironment("s0_relay", SMALL)


def test_our_components_follow_solaraviz(model: TumorMicroenvironment) -> None:
    import ipyvuetify

    page = SolaraViz(model, components=[tissue("glucose", "variables HIF"), charts()], name="mine")
    _, rendered = reacton.render(solara.AppLayout(children=[page]), handle_error=False)
    try:
        canvas = next(widget for widget in _instances.values() if getattr(widget, "picture", None))
        before = canvas.picture
        assert [bar["label"] for bar in before["bars"]] == ["glucose", "HIF"]
        rendered.find(ipyvuetify.Btn, children=["Step"]).widget.click()
        assert canvas.picture["step"] == 1
        assert canvas.picture["layer"] != before["layer"]
        charted = next(
            text
            for widget in _instances.values()
            if "Living cells by type" in (text := getattr(widget, "unsafe_innerHTML", None) or "")
        )
        assert charted.count("<polyline") > 2  # a single moment is drawn as dots
    finally:
        rendered.close()


def test_unknown_layer_and_colouring_are_told_in_place_of_the_picture(model: TumorMicroenvironment) -> None:
    page = tissue("oxigen", "variables of state")(model)
    _, rendered = reacton.render(page, handle_error=False)
    try:
        told = " ".join(
            child
            for widget in _instances.values()
            for child in getattr(widget, "children", ())
            if isinstance(child, str)
        )
        assert "no layer named 'oxigen'; did you mean 'oxygen'?" in told
        assert "no colouring named 'variables of state'" in told
    finally:
        rendered.close()


def test_stock_space_renderer_draws_our_agents_and_layers(model: TumorMicroenvironment) -> None:
    colours = {"tumour": "tab:orange", "hsc": "tab:blue"}

    def portray(agent) -> AgentPortrayalStyle:
        return AgentPortrayalStyle(color=colours.get(agent.cell_type, "tab:gray"), size=4)

    renderer = SpaceRenderer(model, backend="matplotlib").setup_agents(portray)
    renderer.setup_propertylayer(
        lambda layer: (
            PropertyLayerStyle(colormap="cividis", colorbar=False) if layer.name == "oxygen" else None
        )
    )
    renderer.draw_agents()
    renderer.draw_propertylayer()
    drawn = sum(len(collection.get_offsets()) for collection in renderer.canvas.collections)
    assert drawn == len(model.agents)
    assert len(renderer.canvas.images) == 1


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The ten lines of the documentation."""
    page = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", page, re.S) if "SolaraViz" in block)
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 10
    file = tmp_path / "my_page.py"
    file.write_text(code.replace("8765", "0"), encoding="utf-8")
    return file


def test_example_of_the_documentation_is_a_page(browser, example: Path, open_tab, tmp_path: Path) -> None:
    import sys

    served = Server([sys.executable, str(example)], tmp_path / "log")
    try:
        tab: Tab = open_tab(served.address)
        assert tab.page.title() == "tme-sim"
        tab.press("Step")
        tab.until_step(1)
        tab.press("Reset")
        tab.until("Number(map.dataset.step) === 0")
        tab.page.close()
    finally:
        served.end()
    assert "Traceback" not in served.said()
