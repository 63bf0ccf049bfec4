import pickle

import numpy as np
import pytest

from tests.record.made_tissue import MadeModel, advance, made_tissue
from tme_sim.measures.measure import CellColumn
from tme_sim.measures.registry import MeasureError, register, unregister
from tme_sim.record.identity import run_id
from tme_sim.record.recorder import Recorder
from tme_sim.record.schedule import Every
from tme_sim.record.writer import build_content


def record(steps, interrupt_at=None):
    model = MadeModel(made_tissue())
    recorder = Recorder(Every(12.0), Every(30.0))
    recorder.start(model)
    for step in range(steps):
        if step == interrupt_at:
            recorder, model = pickle.loads(pickle.dumps((recorder, model)))
            recorder.attach(model)
        advance(model.tissue)
        recorder.observe(model.tissue)
    return recorder.finish()


def test_series_hold_start_schedule_and_end():
    assert record(7).minutes.tolist() == [0, 12, 24, 36, 42]


def test_snapshots_hold_start_schedule_and_end():
    assert [snapshot.minutes for snapshot in record(7).snapshots] == [0, 30, 42]


def test_end_on_schedule_is_kept_once():
    assert record(4).minutes.tolist() == [0, 12, 24]


def test_resumed_recording_equals_an_unbroken_one():
    assert bytes(build_content(record(7, interrupt_at=4), {})) == bytes(build_content(record(7), {}))


def test_recording_does_not_depend_on_memory_order():
    def content(order):
        tissue = made_tissue()
        tissue.cells.permute(order(tissue.cells.n))
        recorder = Recorder()
        recorder.start(MadeModel(tissue))
        return bytes(build_content(recorder.finish(), {}))

    assert content(np.arange) == content(np.random.default_rng(3).permutation)


def test_snapshots_do_not_follow_later_changes():
    recording = record(7)
    assert recording.snapshots[0].fields.max() > recording.snapshots[-1].fields.max()


def test_cells_are_sorted_by_id():
    ids = record(2).snapshots[-1].cells["id"]
    assert np.all(np.diff(ids) > 0)


def test_chosen_measures_are_the_only_ones():
    recorder = Recorder(measures=("births", "deaths"))
    recorder.start(MadeModel(made_tissue()))
    assert recorder.latest == {"births": 2.0, "deaths": 3.0}


def test_misspelt_measure_is_refused_with_a_suggestion():
    with pytest.raises(MeasureError, match="did you mean births"):
        Recorder(measures=("birth",)).start(MadeModel(made_tissue()))


def test_registered_cell_column_is_recorded_in_order_of_id():
    column = CellColumn("twice_id", "1", "Twice the id", lambda tissue, context: 2.0 * tissue.cells["id"])
    register(column)
    try:
        tissue = made_tissue()
        tissue.cells.permute(np.random.default_rng(3).permutation(tissue.cells.n))
        recorder = Recorder()
        recorder.start(MadeModel(tissue))
        cells = recorder.finish().snapshots[-1].cells
    finally:
        unregister(column)
    assert np.array_equal(cells["twice_id"], 2.0 * cells["id"])


def test_finish_before_start_is_refused():
    with pytest.raises(RuntimeError, match=r"call start\(model\) first"):
        Recorder().finish()


def test_run_id_changes_with_each_part():
    base = ("{}", 1, "1", 1)
    others = [("{ }", 1, "1", 1), ("{}", 2, "1", 1), ("{}", 1, "2", 1), ("{}", 1, "1", 2), ("{}1", 1, "", 1)]
    assert len({run_id(*parts) for parts in [base, *others]}) == 6
    assert run_id(*base) == run_id(*base)
