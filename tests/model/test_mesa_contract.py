import copy
import pickle
import threading

import mesa
import numpy as np
import pytest
from mesa_models import Robot, TinyTissue, make_tissue

from tme_sim.model.agents import CellAgent, agent_class
from tme_sim.model.mesa_base import CellModel
from tme_sim.state.ledger import DRUG_ACCOUNTS, FIELD_ACCOUNTS


def test_registered_agents_are_among_the_agents(model):
    robot = Robot(model)
    assert robot in model.agents
    assert robot not in model.cells
    assert (len(model.agents), len(model.cells)) == (13, 12)
    assert list(model.agents_by_type)[-1] is Robot
    robot.remove()
    assert robot not in model.agents
    assert len(model.agents) == 12


def test_ids_of_cells_and_agents_come_from_one_counter(model):
    first = Robot(model)
    row = model.tissue.cells.append(np.array([1]))
    second = Robot(model)
    assert (first.unique_id, int(model.tissue.cells["id"][row[0]]), second.unique_id) == (13, 14, 15)
    assert len(set(model.agents.get("unique_id"))) == len(model.agents)


def test_tissue_with_ids_of_registered_agents_is_refused():
    class Early(CellModel):
        def __init__(self):
            super().__init__(rng=1)
            Robot(self)
            self.tissue = make_tissue()

    with pytest.raises(ValueError, match="set tissue before"):
        Early()


def test_mixed_set_reads_writes_and_sorts_both(model):
    robot = Robot(model)
    assert model.agents.get("ATP")[-1] == 0.5
    assert model.agents.sort("ATP").to_list()[0] is robot
    model.agents.set("ATP", 0.9)
    assert (robot.ATP, model.cell(1).ATP) == (0.9, 0.9)
    assert model.agents.groupby(type).count()[Robot] == 1


def test_registered_agent_steps_and_changes_the_fields_and_the_books(model):
    Robot(model, target=model.cell(12))
    before = model.tissue.field("SN38").sum()
    model.step()
    assert model.tissue.field("SN38").sum() == before + 2.0
    assert model.tissue.ledger.drugs[0, DRUG_ACCOUNTS.index("supplied")] == 2.0
    assert model.tissue.ledger.fields[1, FIELD_ACCOUNTS.index("supplied")] == 2.0


def test_supply_to_the_field_of_a_drug_of_another_name_is_entered(model):
    model.drug_fields = {"SN38": "oxygen"}
    model.supply("oxygen", (0, 0), 1.5)
    assert model.tissue.ledger.drugs[0, DRUG_ACCOUNTS.index("supplied")] == 1.5


def test_supply_refuses_to_take_more_than_there_is(model):
    with pytest.raises(ValueError, match="exosome at site 0"):
        model.supply("exosome", (0, 0), -6.0)
    model.supply("exosome", (0, 0), -4.0)
    assert model.value_at("exosome", (0, 0)) == 1.0


def test_step_run_for_and_run_until_advance_mesas_time(model):
    model.step()
    model.run_for(2)
    model.run_until(5)
    assert (model.steps, model.time, model.tissue.clock.step) == (5, 5.0, 5)


def test_two_models_in_one_process_do_not_touch(model):
    other = TinyTissue()
    other.cell(1).HIF = 1.0
    other.step()
    assert model.cell(1).HIF == 0.0
    assert model.agents.to_list()[0] is not other.agents.to_list()[0]


def test_pickled_model_takes_the_same_next_step(model):
    Robot(model, target=model.cell(12))
    model.step()
    twin = pickle.loads(pickle.dumps(model))
    for each in (model, twin):
        each.step()
        each.step()
    for name in model.tissue.cells.names:
        assert np.array_equal(model.tissue.cells[name], twin.tissue.cells[name])
    assert model.random.random() == twin.random.random()


def test_deepcopied_model_takes_the_same_next_step(model):
    twin = copy.deepcopy(model)
    model.step()
    twin.step()
    assert model.agents.get(["id", "ATP"]) == twin.agents.get(["id", "ATP"])


def test_pickled_cells_come_back_as_the_views_of_the_restored_model(model):
    model.favourite = model.cell(4)
    robot = Robot(model, target=model.cell(5))
    twin = pickle.loads(pickle.dumps(model))
    assert twin.favourite is twin.cell(4)
    twin_robot = twin.agents.select(agent_type=Robot).to_list()[0]
    assert twin_robot.target is twin.cell(5)
    assert twin_robot.unique_id == robot.unique_id
    assert twin.cell(5).model is twin


def test_pickled_cell_and_set_bring_their_model(model):
    model.favourite = model.cell(4)
    cell = pickle.loads(pickle.dumps(model.cell(4)))
    assert cell.ATP == 0.04
    assert cell.model.favourite is cell
    assert pickle.loads(pickle.dumps(model.agents.select(at_most=2))).get("id") == [1, 2]


def test_agent_classes_pickle_by_name():
    for cls in (agent_class("hsc"), CellAgent):
        assert pickle.loads(pickle.dumps(cls)) is cls


def test_lock_is_held_while_stepping(model):
    held = []

    def try_from_another_thread(agent):
        thread = threading.Thread(target=lambda: held.append(not model.lock.acquire(blocking=False)))
        thread.start()
        thread.join()

    robot = Robot(model)
    robot.step = lambda: try_from_another_thread(robot)
    model.step()
    assert held == [True]


def test_data_collector_takes_model_agent_and_type_reporters(model):
    tumour = model.agent_class("tumour")
    collector = mesa.DataCollector(
        model_reporters={"cells": lambda m: len(m.agents)},
        agent_reporters={"ATP": "ATP", "type": "cell_type"},
        agenttype_reporters={tumour: {"oxygen": lambda a: a.field("oxygen")}, CellAgent: {"stage": "stage"}},
    )
    collector.collect(model)
    assert collector.get_model_vars_dataframe()["cells"].tolist() == [12]
    assert collector.get_agent_vars_dataframe()["ATP"].sum() == pytest.approx(0.78)
    assert len(collector.get_agenttype_vars_dataframe(tumour)) == 8
    assert len(collector.get_agenttype_vars_dataframe(CellAgent)) == 12


def test_data_registry_tracks_the_agents(model):
    tracked = model.data_registry.track_agents(model.agents, "cells", fields="ATP")
    model.cell(1).remove()
    assert tracked.data[0] == {"unique_id": 2, "ATP": 0.02}


@pytest.mark.parametrize("processes", [1, 2])
def test_batch_run_gives_the_same_numbers_in_one_and_two_processes(processes):
    rows = mesa.batch_run(
        TinyTissue,
        {"n_cells": [6, 12]},
        rng=[5],
        max_steps=3,
        number_processes=processes,
        display_progress=False,
    )
    direct = TinyTissue(n_cells=12, rng=5)
    direct.run_for(3)
    (found,) = [row for row in rows if row["n_cells"] == 12]
    assert found["cells"] == 12
    assert found["mean_ATP"] == direct.mean_atp
