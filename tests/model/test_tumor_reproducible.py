"""The same bytes whatever the threads, the order of cells in memory, and the process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_models import treated

from tme_sim.numerics.jit import set_threads
from tme_sim.record.compare import differences
from tme_sim.record.reader import open_run
from tme_sim.record.recorder import Recorder
from tme_sim.record.schedule import Every
from tme_sim.record.writer import write_run

PERMUTED_AT = range(1, 120, 3)


def record(path, *, threads=1, permute_with=None):
    """Run the treated flagship for 12 h with all measures and write its file."""
    before = os.cpu_count() or 1
    set_threads(threads)
    try:
        model = treated("resistance.every=every 3 h")
        recorder = Recorder(Every(60.0), Every(240.0), context=model.measure_context)
        recorder.start(model)
        while model.running:
            if permute_with is not None and model.clock.step in PERMUTED_AT:
                rng = np.random.default_rng(permute_with + model.clock.step)
                model.tissue.cells.permute(rng.permutation(model.tissue.cells.n))
            model.step()
            recorder.observe(model.tissue)
    finally:
        set_threads(before)
    write_run(recorder.finish(), path)
    return path


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return record(tmp_path_factory.mktemp("reference") / "run.h5")


def test_reference_run_sees_births_deaths_and_hops(reference):
    with open_run(reference) as run:
        births, deaths = run.events("births"), run.events("deaths")["cause"]
    assert len(births) > 10
    assert len(set(deaths.tolist())) >= 2
    model = treated()
    macrophages = model.tissue.cells.of_type("macrophage")
    before = dict(
        zip(model.tissue.cells["id"][macrophages], model.tissue.cells["site"][macrophages], strict=True)
    )
    for _ in range(30):
        model.step()
    cells = model.tissue.cells
    moved = [i for i in before if cells["site"][cells.rows_of(np.array([i]))[0]] != before[i]]
    assert moved


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_change_a_byte(reference, tmp_path, threads):
    assert differences(reference, record(tmp_path / "run.h5", threads=threads)) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_order_of_cells_in_memory_does_not_change_a_byte(reference, tmp_path, seed):
    assert differences(reference, record(tmp_path / "run.h5", permute_with=seed)) == []


def test_another_process_writes_the_same_bytes(reference, tmp_path):
    path = tmp_path / "run.h5"
    code = (
        "from pathlib import Path; from test_tumor_reproducible import record; "
        f"record(Path({str(path)!r}), threads=2)"
    )
    folder = Path(__file__).parent
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(folder.parents[1])]),
        "PYTHONHASHSEED": "7",
    }
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert differences(reference, path) == []


def test_another_seed_gives_another_run():
    one, other = treated(rng=1), treated(rng=2)
    assert not np.array_equal(one.tissue.cells["site"], other.tissue.cells["site"])
