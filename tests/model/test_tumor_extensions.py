"""Processes, measures and cell columns of users, registered from outside the package."""

import pickle
from importlib.metadata import EntryPoint

import pytest
from made_models import DEBT, STARVING, Ageing, Silencer, make_ageing, small, starving, unequal

from tme_sim.measures import registry as measures
from tme_sim.model.assemble import PlanError
from tme_sim.processes import registry as processes
from tme_sim.record.recorder import Recorder
from tme_sim.state.layout import Layout


@pytest.fixture
def registered():
    processes.register(make_ageing)
    measures.register(STARVING)
    measures.register(DEBT)
    yield
    processes.unregister(make_ageing)
    measures.unregister(STARVING)
    measures.unregister(DEBT)


def test_process_given_to_the_model_runs_in_every_step():
    ageing = Ageing()
    model = small(processes=[ageing])
    alive = [int(model.tissue.cells.alive().sum())]
    for _ in range(2):
        model.step()
        alive.append(int(model.tissue.cells.alive().sum()))
    assert ageing.lived_min == 6.0 * sum(alive[:-1])


def test_process_runs_between_pathways_and_fate():
    model = small(processes=[Silencer()])
    assert [p.name for p in model.processes].index("silencer") == [p.name for p in model.processes].index(
        "pathways"
    ) + 1
    model.step()
    assert model.cells.agg("HIF", max) == 0.0


def test_registered_process_runs_in_later_models_and_survives_pickling(registered):
    model = small()
    model.run_for(2)
    (ageing,) = [p for p in model.processes if p.name == "ageing"]
    twin = pickle.loads(pickle.dumps(model))
    (copied,) = [p for p in twin.processes if p.name == "ageing"]
    assert copied.lived_min == ageing.lived_min > 0.0
    twin.step()
    assert copied.lived_min > ageing.lived_min


def test_observing_process_changes_nothing_else(registered):
    with_process = small()
    processes.unregister(make_ageing)
    without = small()
    processes.register(make_ageing)
    for each in (with_process, without):
        each.run_for(5)
    assert unequal(with_process, without) == []


def test_installed_process_is_found_by_its_entry_point(monkeypatch):
    entry = EntryPoint("ageing", "made_models:make_ageing", processes.ENTRY_POINTS)
    monkeypatch.setattr(processes, "entry_points", lambda *, group: [entry] if group == entry.group else [])
    assert "ageing" in [p.name for p in small().processes]


def test_installed_measure_is_found_by_its_entry_point(monkeypatch):
    entry = EntryPoint("starving", "made_models:STARVING", measures.ENTRY_POINTS)
    monkeypatch.setattr(measures, "entry_points", lambda *, group: [entry] if group == entry.group else [])
    assert "starving_share" in measures.measures_for(Layout(("tumour",), ("ATP",), (), (), (), ()))


def test_two_owners_of_one_variable_are_refused():
    class Thief(Ageing):
        name = "thief"
        writes = ("cells.variables",)

    with pytest.raises(PlanError, match=r"cells.variables is owned by pathways and by thief"):
        small(processes=[Thief()])


def test_registered_measure_and_column_are_recorded(registered):
    model = small()
    recorder = Recorder(context=model.measure_context)
    recorder.start(model)
    model.run_for(10)
    recorder.observe(model.tissue)
    recording = recorder.finish()
    assert recorder.latest["starving_share"] == starving(model.tissue, model.measure_context.fresh())
    debt = recording.snapshots[-1].cells["debt"]
    assert debt.max() <= 1.0
    assert len(debt) == model.tissue.cells.n


def test_registered_measure_stops_a_run(registered):
    model = small("stop=['starving_share > 0.0']")
    while model.running:
        model.step()
    assert model.stop_reason == "starving_share > 0.0"


def test_own_processes_are_part_of_what_identifies_a_run():
    plain, extended = small(), small(processes=[Silencer()])
    assert plain.numerics_version != extended.numerics_version
    assert extended.numerics_version.endswith("+silencer")
