"""The real model keeps Mesa's contract."""

import pickle

import mesa
import numpy as np
import pytest
from made_models import BatchModel, Nanorobot, count_cells, small, treated, unequal

from tme_sim.model.agents import CellAgent
from tme_sim.state.ledger import DRUG_ACCOUNTS


def test_agents_are_the_living_cells():
    model = small()
    assert len(model.agents) == int(model.tissue.cells.alive().sum())
    assert all(isinstance(agent, CellAgent) for agent in model.agents.select(at_most=3))


def test_agents_by_type_counts_every_cell_type():
    model = small()
    for name in model.tissue.layout.cell_types:
        found = model.agents_by_type[model.agent_class(name)]
        assert len(found) == int(model.tissue.cells.of_type(name).sum())


def test_select_agg_groupby_set_and_do_act_on_cells():
    model = small()
    tumour = model.agents.select(where=lambda c: c.cell_type == "tumour")
    assert tumour.agg("HIF", np.mean) == pytest.approx(np.mean(tumour.array("HIF")))
    assert model.agents.groupby("cell_type").count()["tumour"] == len(tumour)
    tumour.set("HIF", 0.75)
    assert set(tumour.get("HIF")) == {0.75}
    before = len(model.agents)
    tumour.select(at_most=2).do("remove")
    assert len(model.agents) == before - 2
    model.step()
    model.tissue.check()


def test_data_collector_follows_model_and_cells():
    model = small()
    model.datacollector = mesa.DataCollector(
        model_reporters={"cells": count_cells}, agent_reporters={"HIF": "HIF", "type": "cell_type"}
    )
    for _ in range(2):
        model.step()
    frame = model.datacollector.get_agent_vars_dataframe()
    assert len(frame) == sum(model.datacollector.get_model_vars_dataframe()["cells"])
    assert frame["HIF"].between(0, 1).all()


@pytest.mark.parametrize("processes", [1, 2])
def test_batch_run_gives_the_numbers_of_a_direct_run(processes):
    rows = mesa.batch_run(
        BatchModel,
        {"hours": [1]},
        rng=[4, 5],
        max_steps=20,
        number_processes=processes,
        display_progress=False,
    )
    direct = BatchModel(hours=1, rng=5)
    while direct.running:
        direct.step()
    (found,) = [row for row in rows if row["rng"] == 5]
    assert (found["cells"], found["mean_HIF"]) == (count_cells(direct), direct.cells.agg("HIF", np.mean))


@pytest.mark.parametrize("steps", [1, 11])
def test_pickled_model_goes_on_with_the_same_bytes(steps):
    model = treated()
    model.run_for(25)
    twin = pickle.loads(pickle.dumps(model))
    for each in (model, twin):
        each.run_for(steps)
    assert unequal(model, twin) == []
    assert (model.time, model.clock.step) == (twin.time, twin.clock.step) == (25 + steps, 25 + steps)


def test_two_models_in_one_process_do_not_touch():
    alone, one, other = small(), small(), small("hypotheses.stat3_gate=hypoxic", "grid.size=[300 um, 360 um]")
    for _ in range(5):
        one.step()
        other.step()
    alone.run_for(5)
    assert unequal(alone, one) == []


def test_nanorobot_supplies_drug_where_it_stands():
    model = small("drugs.SN38.schedule=[]")
    robot = Nanorobot(model, pos=(4, 7), dose=5.0)
    model.run_for(3)
    drug = model.tissue.field("SN38")[0]
    assert np.unravel_index(int(drug.argmax()), drug.shape) == (7, 4)
    assert model.tissue.ledger.drugs[0, DRUG_ACCOUNTS.index("supplied")] == 15.0
    assert robot in model.agents
    assert robot not in model.cells


def test_pickled_model_takes_its_nanorobot_along():
    model = small("drugs.SN38.schedule=[]")
    Nanorobot(model, pos=(4, 7))
    model.run_for(2)
    twin = pickle.loads(pickle.dumps(model))
    for each in (model, twin):
        each.run_for(2)
    assert unequal(model, twin) == []
    assert len(twin.agents_by_type[Nanorobot]) == 1


def test_agent_that_removes_a_cell_within_a_step_leaves_a_whole_state():
    model = small()
    victim = model.agents_by_type[model.agent_class("tumour")].to_list()[0]

    class Needle(mesa.Agent):
        def step(self):
            if victim.alive:
                victim.remove()

    Needle(model)
    before = len(model.cells)
    model.step()
    model.tissue.check()
    assert len(model.cells) <= before
    assert model.tissue.events.table("deaths")["id"].tolist().count(victim.unique_id) == 1
