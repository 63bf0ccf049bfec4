"""Means by arm and point at the end of a batch."""

from __future__ import annotations

from pathlib import Path

from tests.batch.made_batch import experiment_text, run_all
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import make_plan
from tme_sim.batch.summary import table_of


def table(folder: Path, axis: str):
    path = folder / "small.yaml"
    path.write_text(f"{experiment_text(replicates=1)}sweep: [{axis}]\n")
    batch = Folder(folder / "out")
    run_all(make_plan(path), batch)
    merge(batch)
    return table_of(batch)


def test_swept_key_of_one_word_is_a_column_of_points(tmp_path: Path) -> None:
    found = table(tmp_path, "{key: stop, values: [[extinct], [edge reached]]}")
    assert list(found) == ["arm", "stop", "tumour_cells", "n"]
    assert found["n"].tolist() == [1, 1, 1, 1]


def test_many_swept_keys_are_taken_together(tmp_path: Path) -> None:
    found = table(tmp_path, "{draws: 2, assumed: true}")
    assert list(found) == ["arm", "tumour_cells", "n"]
    assert found["n"].tolist() == [2, 2]
