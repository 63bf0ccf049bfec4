import pickle

import numpy as np
import pytest
from mesa_models import Probe, Robot, Volume

from tme_sim.state.codes import APOPTOSIS


def test_property_layers_share_memory_with_the_fields(model):
    layer = model.grid.oxygen
    assert layer.data.shape == (8, 6)
    assert np.shares_memory(layer.data, model.tissue.fields)
    model.tissue.fields = model.tissue.fields * 2  # a new array
    assert layer.data[1, 1] == model.tissue.field("oxygen")[0, 1, 1]


def test_place_reads_and_writes_layers(model):
    place = model.grid[1, 1]
    place.oxygen = 7.0
    assert model.tissue.field("oxygen")[0, 1, 1] == 7.0
    model.grid.set_property("exosome", 1.0)
    assert model.tissue.pools.sum() == 48.0


def test_place_knows_its_cell_and_neighbours(model):
    assert model.grid[1, 1].agents == [model.cell(4)]
    assert model.cell(4).cell is model.grid[1, 1]
    assert len(model.grid[0, 0].neighborhood) == 3
    assert {a.id for a in model.grid[1, 1].get_neighborhood(radius=2).agents} == {1, 2, 7, 9, 10}
    assert not model.grid[1, 1].is_empty
    assert model.grid.empty.data.sum() == 48 - 12
    assert model.grid.select_random_empty_cell().is_empty


def test_remains_hold_their_place_but_are_no_agents(model):
    model.tissue.cells["death"][3] = APOPTOSIS
    place = model.grid[1, 1]
    assert (place.agents, place.is_empty, place.occupant) == ([], False, model.cell(4))


def test_place_of_an_ordinary_agent_is_not_empty(model):
    Probe(model).cell = model.grid[1, 0]
    assert not model.grid[1, 0].is_empty
    assert not model.grid.empty.data[1, 0]


def test_ordinary_agents_stand_on_the_grid_and_survive_pickling(model):
    probe = Probe(model)
    probe.cell = model.grid[1, 1]
    assert model.grid[1, 1].agents == [model.cell(4), probe]
    probe.move_relative((1, 0))
    twin = pickle.loads(pickle.dumps(model))
    (twin_probe,) = twin.agents_by_type[Probe]
    assert twin_probe.cell is twin.grid[2, 1]
    assert twin.grid[2, 1].agents == [twin_probe]
    assert np.shares_memory(twin.grid.oxygen.data, twin.tissue.fields)


def test_users_own_layer_survives_pickling(model):
    model.grid.create_property_layer("stiffness", default_value=2.0)
    assert pickle.loads(pickle.dumps(model)).grid.stiffness.data.sum() == 96.0


def test_grid_makes_only_touched_places(model):
    _ = model.grid[1, 1]
    assert len(model.grid._cells) == 1
    assert len(model.grid.all_cells) == 48


def test_volume_has_no_mesa_grid():
    volume = Volume()
    with pytest.raises(AttributeError, match="two dimensions only"):
        _ = volume.grid
    assert getattr(volume, "grid", None) is None


def test_stock_renderer_draws_cells_and_layers(model):
    pytest.importorskip("solara")
    from mesa.visualization import SpaceRenderer
    from mesa.visualization.components import AgentPortrayalStyle, PropertyLayerStyle

    Robot(model)  # has no position
    renderer = SpaceRenderer(model, backend="matplotlib")
    renderer.setup_agents(lambda a: AgentPortrayalStyle(size=4, color="tab:red" if a.HIF else "tab:blue"))
    renderer.setup_propertylayer(
        lambda layer: (
            PropertyLayerStyle(colormap="viridis", colorbar=False) if layer.name == "oxygen" else None
        )
    )
    with model.lock:
        renderer.render()
    assert len(renderer.canvas.collections[0].get_offsets()) == 12
    assert np.array_equal(renderer.canvas.images[0].get_array(), model.tissue.field("oxygen")[0])
