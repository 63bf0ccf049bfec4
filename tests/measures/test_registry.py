import pickle

import numpy as np
import pytest

from tests.record.made_tissue import LAYOUT, made_tissue
from tme_sim.measures.measure import CellColumn, Context, Measure, evaluate
from tme_sim.measures.registry import (
    MeasureError,
    cell_columns_for,
    measures_for,
    register,
    unregister,
)
from tme_sim.state.layout import Layout


@pytest.fixture
def registered():
    items = []

    def add(item):
        register(item)
        items.append(item)

    yield add
    for item in items:
        unregister(item)


def test_measures_of_the_smallest_layout_are_at_least_thirty():
    smallest = Layout(("tumour",), ("HIF",), ("oxygen",), (), (), ())
    assert len(measures_for(smallest)) >= 30


def test_every_measure_has_a_unit_and_a_long_name():
    for name, measure in measures_for(LAYOUT).items():
        assert measure.name == name
        assert measure.unit
        assert measure.long_name


def test_values_do_not_depend_on_memory_order():
    tissue = made_tissue()
    before = evaluate(measures_for(LAYOUT), tissue)
    tissue.cells.permute(np.random.default_rng(1).permutation(tissue.cells.n))
    after = evaluate(measures_for(LAYOUT), tissue)
    assert pickle.dumps(before) == pickle.dumps(after)


def test_measures_leave_the_tissue_unchanged():
    tissue = made_tissue()
    before = pickle.dumps(tissue)
    evaluate(measures_for(LAYOUT), tissue)
    assert pickle.dumps(tissue) == before


def test_measures_of_no_cells_are_defined_or_nan():
    tissue = made_tissue()
    tissue.cells.remove(np.arange(tissue.cells.n))
    with np.errstate(all="raise"):
        values = evaluate(measures_for(LAYOUT), tissue)
    assert values["living_cells"] == 0.0
    assert np.isnan(values["tumour_oxygen_mean"])


def test_registered_measure_is_found(registered):
    registered(Measure("twelve", "1", "Twelve", lambda tissue, context: 12.0))
    assert measures_for(LAYOUT)["twelve"].of(made_tissue()) == 12.0


def test_registered_family_gives_measures_and_columns_per_drug(registered):
    def luck(layout):
        for drug in layout.drugs:
            yield Measure(f"immune_to_{drug}", "1", "Immune", lambda tissue, context: 0.5)
            yield CellColumn(f"luck_{drug}", "1", "Luck", lambda t, context: np.ones(t.cells.n))

    registered(luck)
    assert "immune_to_SN38" in measures_for(LAYOUT)
    assert "luck_SN38" in cell_columns_for(LAYOUT)


def test_installed_packages_are_asked_for_measures(monkeypatch):
    class Entry:
        name = "theirs"

        def load(self):
            return Measure("theirs", "1", "Theirs", lambda tissue, context: 5.0)

    def installed(group):
        return [Entry()] if group == "tme_sim.measures" else []

    monkeypatch.setattr("tme_sim.measures.registry.entry_points", installed)
    assert measures_for(LAYOUT)["theirs"].of(made_tissue()) == 5.0


def test_a_name_taken_twice_is_refused(registered):
    registered(Measure("births", "1", "Births again", lambda tissue, context: 0.0))
    with pytest.raises(MeasureError, match="two measures are named 'births'"):
        measures_for(LAYOUT)


def test_registering_a_number_is_refused():
    with pytest.raises(MeasureError, match="expected a Measure"):
        register(3)  # pyright: ignore[reportArgumentType]


def test_shared_work_is_done_once_per_observation():
    context, calls = Context(), []

    def count(tissue, shared):
        return shared.share("work", lambda: calls.append(1) or 1.0)

    pair = {name: Measure(name, "1", name, count) for name in ("a", "b")}
    evaluate(pair, made_tissue(), context)
    evaluate(pair, made_tissue(), context)
    assert len(calls) == 2
