import h5py
import numpy as np

from tests.record.test_run_file import record
from tme_sim.record.series import TABLE, read_series
from tme_sim.record.writer import write_run


def test_table_and_single_series_say_the_same(tmp_path):
    recording = record()
    path = write_run(recording, tmp_path / "run.h5")
    with h5py.File(path) as run:
        quick = read_series(run)
    assert quick.names == tuple(measure.name for measure in recording.measures)
    assert np.array_equal(quick.minutes, recording.minutes)
    assert np.array_equal(quick.values, recording.series, equal_nan=True)
    with h5py.File(path, "r+") as run:  # as files were before there was a table
        del run[TABLE]
        slow = read_series(run)
    assert slow.names == quick.names
    assert np.array_equal(slow.minutes, quick.minutes)
    assert np.array_equal(slow.values, quick.values, equal_nan=True)
