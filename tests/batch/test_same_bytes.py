"""Threads, workers, order and executor change no byte of a run outside its facts about the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from tests.batch.made_batch import experiment_text, jobs_of, run_all
from tme_sim.batch.folder import Folder
from tme_sim.batch.local import LocalRuns
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import make_plan
from tme_sim.record.compare import differences
from tme_sim.scenario.resolved import resolved_yaml


def merged_bytes(folder: Folder) -> dict[str, bytes]:
    """Return the content of the merged file by dataset, without facts about the machine."""
    merge(folder)
    found = {}

    def take(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("provenance"):
            found[name] = item[()].tobytes()

    with h5py.File(folder.results) as file:
        file.visititems(take)
    return found


@pytest.mark.slow
def test_every_way_to_run_gives_the_same_bytes(tmp_path: Path) -> None:
    """Runs made here; by one process and by two, from the last to the first; and by ``run`` with 1, 2 and 4 threads."""
    text = experiment_text("4 h").replace("measures: [tumour_cells, tumour_oxygen_mean]\n", "")
    (tmp_path / "small.yaml").write_text(
        text.replace("300 um, 300 um", "1 mm, 1 mm")
    )  # blocks for four threads
    plan, here = make_plan(tmp_path / "small.yaml"), Folder(tmp_path / "here")
    run_all(plan, here)
    for workers in (1, 2):
        other = Folder(tmp_path / f"{workers}")
        other.prepare(plan)
        events = list(LocalRuns(workers).run(reversed(jobs_of(plan, other)), lambda: False))
        assert sorted({event.kind for event in events} - {"progress"}) == ["done", "started"]
        for run in plan.runs:
            assert differences(here.run_file(run.run_id), other.run_file(run.run_id)) == []
        assert merged_bytes(here) == merged_bytes(other)
    run = plan.runs[1]
    (tmp_path / "one.yaml").write_text(resolved_yaml(plan.scenario(run)))
    for threads in (1, 2, 4):
        out = tmp_path / f"threads{threads}.h5"
        line = [
            "run",
            str(tmp_path / "one.yaml"),
            "--out",
            str(out),
            "--threads",
            str(threads),
            "-q",
            "--no-picture",
        ]
        subprocess.run([sys.executable, "-m", "tme_sim", *line], check=True)
        assert differences(here.run_file(run.run_id), out) == []
