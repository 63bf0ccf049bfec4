import gc

import mesa
import numpy as np
import pytest
from mesa.agentset import AbstractAgentSet
from mesa_models import Robot, TinyTissue

from tme_sim.model.agents import CellAgent
from tme_sim.state.codes import APOPTOSIS


def test_agents_is_a_mesa_agent_set_of_living_cells(model):
    model.tissue.cells["death"][0] = APOPTOSIS
    assert isinstance(model.agents, AbstractAgentSet)
    assert len(model.agents) == 11
    assert [cell.unique_id for cell in model.agents] == list(range(2, 13))


def test_order_of_agents_does_not_depend_on_rows(model):
    model.tissue.cells.permute(np.arange(12)[::-1])
    assert model.agents.get("unique_id") == list(range(1, 13))


def test_agents_by_type_has_a_class_per_cell_type(model):
    counts = {kind.__name__: len(agents) for kind, agents in model.agents_by_type.items()}
    assert counts == {"TumourCell": 8, "HscCell": 4, "ActivatedHscCell": 0}
    assert model.agent_types[0] is model.agent_class("tumour")
    assert all(
        type(cell) is model.agent_class("hsc") for cell in model.agents_by_type[model.agent_class("hsc")]
    )


def test_contains_knows_members(model):
    hsc = model.agents_by_type[model.agent_class("hsc")]
    assert model.cell(3) in hsc
    assert model.cell(4) not in hsc
    assert TinyTissue().cell(3) not in hsc


def test_select_by_function_and_by_columns_agree(model):
    by_function = model.agents.select(lambda a: a.ATP > 0.05 and a.cell_type == "tumour")
    by_columns = model.agents.select(where=lambda c: (c.ATP > 0.05) & (c["cell_type"] == "tumour"))
    assert by_function.get("id") == by_columns.get("id") == [7, 8, 10, 11]


def test_select_at_most_takes_a_number_or_a_share(model):
    assert model.agents.select(at_most=3).get("id") == [1, 2, 3]
    assert len(model.agents.select(at_most=0.5)) == 6
    assert model.agents.select(lambda a: a.id > 4, at_most=2).get("id") == [5, 6]


def test_select_by_agent_type(model):
    Robot(model)
    assert len(model.agents.select(agent_type=model.agent_class("hsc"))) == 4
    assert len(model.agents.select(agent_type=CellAgent)) == 12
    assert len(model.agents.select(agent_type=Robot)) == 1
    assert len(model.agents.select(agent_type=mesa.Agent)) == 13


def test_select_inplace_narrows_the_set_and_not_the_model(model):
    agents = model.agents
    assert agents.select(where=lambda c: c.ATP > 0.1, inplace=True) is agents
    assert (len(agents), len(model.agents)) == (2, 12)


def test_selection_loses_cells_that_die(model):
    chosen = model.agents.select(at_most=3)
    model.tissue.cells["death"][0] = APOPTOSIS
    model.cell(2).remove()
    assert chosen.get("id") == [3]


def test_selection_holds_cells_that_nobody_references(model):
    chosen = model.agents.select(lambda a: a.id < 4)
    gc.collect()
    assert len(chosen) == 3


def test_get_one_and_several_attributes(model):
    agents = model.agents.select(at_most=2)
    assert agents.get("ATP") == [0.01, 0.02]
    assert agents.get(["id", "cell_type", "pos"]) == [[1, "tumour", (0, 0)], [2, "tumour", (3, 0)]]


def test_get_handles_missing_attributes_as_mesa_does(model):
    agents = model.agents.select(at_most=2)
    with pytest.raises(AttributeError, match="colour"):
        agents.get("colour")
    assert agents.get("colour", handle_missing="default", default_value=0) == [0, 0]
    with pytest.raises(ValueError, match="handle_missing"):
        agents.get("ATP", handle_missing="ignore")


def test_agg_gives_what_mesa_gives(model):
    values = [cell.ATP for cell in model.agents]
    assert model.agents.agg("ATP", [min, max, sum, np.mean, len]) == [
        min(values),
        max(values),
        sum(values),
        pytest.approx(np.mean(values), rel=1e-15),
        12,
    ]
    assert type(model.agents.agg("ATP", np.mean)) is float


def test_set_writes_one_value_or_one_each(model):
    hsc = model.agents_by_type[model.agent_class("hsc")]
    assert hsc.set("HIF", 0.3) is hsc
    hsc.set("ATP", np.array([0.1, 0.2, 0.3, 0.4]))
    assert model.agents.agg("HIF", sum) == pytest.approx(1.2)
    assert hsc.get("ATP") == [0.1, 0.2, 0.3, 0.4]


def test_groupby_name_and_function_agree(model):
    by_name = model.agents.groupby("cell_type")
    by_function = model.agents.groupby(lambda a: a.cell_type)
    assert by_name.count() == by_function.count() == {"tumour": 8, "hsc": 4}
    assert list(by_name.groups) == ["tumour", "hsc"]
    assert by_name.agg("ATP", max) == {"tumour": 0.11, "hsc": 0.12}
    assert isinstance(model.agents.groupby("stage", result_type="list").groups["G1"], list)


def test_do_and_map_call_methods_and_functions(model):
    assert model.agents.map("field", "exosome") == [5.0] * 12
    assert model.agents.do(lambda a, value: setattr(a, "HIF", value), 0.2).agg("HIF", min) == 0.2


def test_do_passes_over_cells_removed_on_the_way(model):
    seen = []

    def eat_next(cell):
        seen.append(cell.id)
        model.remove_cells([cell.id + 1])

    model.agents.do(eat_next)
    assert seen == [1, 3, 5, 7, 9, 11]


def test_do_passes_over_cells_that_die_on_the_way(model):
    seen = []

    def poison_next(cell):
        seen.append(cell.id)
        model.remove_cells([cell.id + 1])

    with model.rows_kept():
        model.agents.do(poison_next)
    assert seen == [1, 3, 5, 7, 9, 11]


def test_shuffle_do_meets_everyone_in_an_order_of_the_models_seed(model):
    seen, again = [], []
    model.agents.shuffle_do(lambda a: seen.append(a.id))
    TinyTissue().agents.shuffle_do(lambda a: again.append(a.id))
    assert sorted(seen) == list(range(1, 13))
    assert seen == again != sorted(seen)


def test_shuffle_inplace_keeps_members(model):
    agents = model.agents.copy()
    assert agents.shuffle(inplace=True) is agents
    assert sorted(agents.get("id")) == list(range(1, 13))


def test_sort_by_name_and_function_agree_with_mesa_on_direction(model):
    assert model.agents.sort("ATP").get("id") == list(range(12, 0, -1))
    assert model.agents.sort(lambda a: a.ATP, ascending=True).get("id") == list(range(1, 13))
    assert model.agents.sort("type").get("id")[:4] == [3, 6, 9, 12]


def test_selections_combine_as_sets(model):
    low, high = model.agents.select(at_most=3), model.agents.select(where=lambda c: c.id > 2)
    assert (low & high).get("id") == [3]
    assert (low - high).get("id") == [1, 2]
    assert len(low | high) == 12
    assert len(low & model.agents.select(at_most=0)) == 0


def test_selection_takes_and_drops_agents_but_the_models_set_does_not(model):
    chosen = model.agents.select(at_most=2)
    chosen.add(model.cell(9))
    chosen.remove(model.cell(1))
    assert chosen.get("id") == [2, 9]
    with pytest.raises(KeyError):
        chosen.remove(model.cell(1))
    with pytest.raises(TypeError, match=r"agent\.remove"):
        model.agents.remove(model.cell(1))


def test_empty_tissue_has_empty_sets(model):
    model.remove_all_agents()
    assert len(model.agents) == 0
    assert model.agents.select(agent_type=CellAgent).get("ATP") == []
    assert model.agents.groupby("cell_type").count() == {}
    assert model.tissue.cells.n == 0
