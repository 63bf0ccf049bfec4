"""`info` of runs and batches, `diff` of two of either."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from tests.record.made_batch import made_batch
from tests.record.test_run_file import record
from tme_sim.cli.app import app
from tme_sim.record.writer import write_run


def tme_sim(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    write_run(record(), folder / "one.h5", provenance={"host": "here"})
    write_run(record(), folder / "again.h5", provenance={"host": "there"})
    write_run(record(seed=8, steps=8), folder / "other.h5")
    made_batch(folder / "batch", replicates=1, steps=4)
    made_batch(folder / "longer", replicates=2, steps=6)
    return folder


def test_info_of_a_run_says_what_from_what_and_how_big(place):
    told = tme_sim("info", place / "one.h5")
    assert told.exit_code == 0
    assert "from: scenario made" in told.stdout
    assert "size: " in told.stdout
    facts = json.loads(tme_sim("info", place / "one.h5", "--json").stdout)
    assert facts["bytes"] == (place / "one.h5").stat().st_size
    assert 0 < sum(facts["stored"].values()) < facts["bytes"]


def test_info_of_a_batch_says_arms_keys_and_size(place):
    told = tme_sim("info", place / "batch").stdout
    assert "made: A made batch" in told
    assert "arms: control (2 runs), blocked (2 runs); control control" in told
    assert "swept: drugs.SN38.schedule.0.dose: 1, 10 nM" in told
    assert tme_sim("info", place / "batch" / "results.h5").exit_code == 0
    facts = json.loads(tme_sim("info", place / "batch", "--json").stdout)
    assert facts["states"] == {"done": 4}
    assert facts["files"] == 5
    assert facts["bytes"] == sum(path.stat().st_size for path in (place / "batch").rglob("*.h5"))


def test_info_names_damaged_runs_of_a_batch(place, tmp_path):
    shutil.copytree(place / "batch", tmp_path / "batch")
    (tmp_path / "batch" / "results.h5").unlink()
    (tmp_path / "batch" / "runs" / f"{1:032x}.h5").write_bytes(b"")
    told = tme_sim("info", tmp_path / "batch")
    assert told.exit_code == 0
    assert f"skipped: {tmp_path}/batch/runs/{1:032x}.h5" in told.stdout
    assert "3 done, 1 damaged" in told.stdout


def test_same_run_on_another_machine_is_the_same(place):
    told = tme_sim("diff", place / "one.h5", place / "again.h5")
    assert told.exit_code == 0
    assert "are the same" in told.stdout
    assert json.loads(tme_sim("diff", place / "one.h5", place / "again.h5", "--json").stdout)["same"]


def test_other_seed_and_length_differ_in_settings_and_results(place):
    told = tme_sim("diff", place / "one.h5", place / "other.h5")
    assert told.exit_code == 1
    facts = json.loads(tme_sim("diff", place / "one.h5", place / "other.h5", "--json").stdout)
    assert {"name": "seed", "left": 7, "right": 8} in facts["settings"]
    assert facts["versions"] == []
    changed = {change["name"]: change for change in facts["results"]}
    assert changed["tumour_HIF"]["left"] < changed["tumour_HIF"]["right"]
    assert changed["tumour_HIF"]["first_min"] is None
    assert any(line.startswith("/cells/") for line in facts["other"])
    assert "tumour_HIF" in told.stdout


def test_first_time_and_largest_gap_of_a_measure(place, tmp_path):
    recording = record()
    names = [measure.name for measure in recording.measures]
    recording.series[3:, names.index("tumour_cells")] += [2.0, 7.0, 1.0]
    write_run(recording, tmp_path / "changed.h5")
    facts = json.loads(tme_sim("diff", place / "one.h5", tmp_path / "changed.h5", "--json").stdout)
    (change,) = facts["results"]
    assert (change["name"], change["first_min"], change["largest"]) == ("tumour_cells", 36.0, 7.0)
    assert change["right"] - change["left"] == 1.0
    assert facts["settings"] == facts["versions"] == facts["other"] == []


def test_batches_differ_in_levels_runs_and_end_values(place):
    same = tme_sim("diff", place / "batch", place / "batch" / "results.h5")
    assert same.exit_code == 0, same.stdout
    facts = json.loads(tme_sim("diff", place / "batch", place / "longer", "--json").stdout)
    assert {"name": "replicates", "left": 1, "right": 2} in facts["settings"]
    assert len([line for line in facts["other"] if "only in" in line]) == 4
    assert "tumour_HIF" in {change["name"] for change in facts["results"]}
    assert tme_sim("diff", place / "batch", place / "longer").exit_code == 1


def test_what_cannot_be_compared_ends_with_two(place, tmp_path):
    assert tme_sim("diff", place / "one.h5", place / "batch").exit_code == 2
    assert tme_sim("diff", place / "one.h5", tmp_path / "none.h5").exit_code == 2
    (tmp_path / "foreign.h5").write_text("hello")
    told = tme_sim("diff", place / "one.h5", tmp_path / "foreign.h5")
    assert told.exit_code == 2
    assert "foreign.h5" in told.stderr
