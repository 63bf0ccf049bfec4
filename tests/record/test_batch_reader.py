import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.record.made_batch import DOSES, KEY, made_batch
from tme_sim import open_batch, open_run
from tme_sim.batch.bundle import bundle
from tme_sim.record.batch_reader import is_batch
from tme_sim.record.seal import RunFileError
from tme_sim.state.codes import CLASSES_IN_ORDER, PROTECTED, SENSITIVE, STABLE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_batch(tmp_path_factory.mktemp("batch") / "made", steps=6)


@pytest.fixture
def copy(folder, tmp_path):
    shutil.copytree(folder.path, tmp_path / "copy")
    return type(folder)(tmp_path / "copy")


def test_design_has_a_row_per_run_with_units_of_swept_keys(folder):
    with open_batch(folder.path) as batch:
        assert len(batch.design) == 12
        assert batch.keys == (KEY,)
        assert batch.design[KEY].tolist() == [1.0, 10.0] * 6
        assert batch.units[KEY] == "nM"
        assert batch.units["tumour_oxygen_mean"] == "mmHg"
        assert batch.design["arm"].tolist()[:4] == ["control", "control", "blocked", "blocked"]
        assert (batch.arms, batch.control, batch.reported) == (
            ("control", "blocked"),
            "control",
            ("tumour_cells",),
        )
        assert batch.skipped == ()


def test_table_joins_design_and_end_values(folder):
    with open_batch(folder.path) as batch:
        table = batch.table(["tumour_cells"])
        assert list(table) == ["arm", "replicate", KEY, "tumour_cells"]
        for number, run in batch.runs():
            assert table["tumour_cells"][number] == run.timeseries["tumour_cells"].iloc[-1]
        with pytest.raises(KeyError, match="no measure nonsense"):
            batch.table(["nonsense"])


def test_batch_without_a_sweep_opens(tmp_path):
    folder = made_batch(tmp_path / "plain", replicates=1, steps=2, doses=(None,))
    with open_batch(folder.path) as merged:
        folder.results.unlink()
        with open_batch(folder.path) as shards:
            assert merged.keys == shards.keys == ()
            pd.testing.assert_frame_equal(merged.design, shards.design)


def test_what_arms_change_is_told_by_manifest_and_merged_file(folder, copy, tmp_path):
    changes = {"control": {}, "blocked": {"interventions.block.active": "true"}}
    shutil.copy(folder.results, tmp_path / "alone.h5")
    copy.results.unlink()
    for path in (folder.path, copy.path, tmp_path / "alone.h5"):
        with open_batch(path) as batch:
            assert batch.changes == changes
            assert batch.attributes["settings"] == {"grid.size": "[240 um, 240 um]"}
            assert batch.reported == ("tumour_cells",)


def test_merged_file_alone_opens(folder, tmp_path):
    shutil.copy(folder.results, tmp_path / "alone.h5")
    with open_batch(tmp_path / "alone.h5") as batch:
        assert len(batch.table(["tumour_cells"])) == 12


def test_run_files_say_the_same_as_the_merged_file(folder, copy):
    copy.results.unlink()
    with open_batch(folder.path) as merged, open_batch(copy.path) as shards:
        assert merged.path != shards.path
        pd.testing.assert_frame_equal(merged.design, shards.design)
        xr.testing.assert_equal(merged.timeseries.load(), shards.timeseries.load())
        xr.testing.assert_equal(merged.ends, shards.ends)
        assert merged.units == shards.units
        assert merged.reported == shards.reported


def test_series_of_run_files_are_read_only_where_asked(copy):
    copy.results.unlink()
    with open_batch(copy.path) as batch:
        whole = batch.timeseries["tumour_cells"].to_numpy()
        copy.run_file(batch.design["run_id"][0]).unlink()
        part = batch.timeseries["tumour_cells"].isel(run=[3, 1], time=slice(1, 3))
        assert np.array_equal(part.to_numpy(), whole[[3, 1], 1:3])
        assert batch.timeseries["tumour_cells"].isel(run=2, time=-1) == whole[2, -1]


@pytest.mark.parametrize("harm", ["truncate", "flip", "empty", "foreign"])
def test_damaged_run_is_named_and_skipped(copy, harm):
    copy.results.unlink()
    victim = copy.run_file(f"{3:032x}")
    raw = bytearray(victim.read_bytes())
    raw[len(raw) // 2] ^= 1
    content = {"truncate": raw[:1000], "flip": raw, "empty": b"", "foreign": b"hello" * 100}
    victim.write_bytes(content[harm])
    with open_batch(copy.path) as batch:
        assert batch.design["status"].tolist().count("damaged") == 1
        assert len(batch.skipped) == 1
        assert str(victim) in batch.skipped[0]
        assert len(batch.table(["tumour_cells"])) == 11


def test_merged_file_that_lacks_a_run_gives_way_to_the_run_files(folder, copy):
    late = copy.run_file(f"{5:032x}")
    content = late.read_bytes()
    late.unlink()
    from tme_sim.batch.merge import merge

    merge(copy)
    with open_batch(copy.path) as batch:
        assert batch.path == copy.results
        assert len(batch.finished) == 11
    late.write_bytes(content)
    with open_batch(copy.path) as batch:
        assert len(batch.finished) == 12
        assert "lacks 1 finished" in batch.skipped[0]


def test_damaged_merged_file_gives_way_to_the_run_files(copy):
    raw = bytearray(copy.results.read_bytes())
    raw[5000] ^= 1
    copy.results.write_bytes(raw)
    with open_batch(copy.path) as batch:
        assert len(batch.finished) == 12
        assert "results.h5" in batch.skipped[0]
    with pytest.raises(RunFileError, match="does not match"):
        open_batch(copy.results)


def test_damaged_head_or_impossible_name_is_no_batch(folder, tmp_path):
    raw = folder.results.read_bytes()
    for at in range(0, 400, 7):
        damaged = bytearray(raw)
        damaged[at] ^= 0x10
        (tmp_path / "damaged.h5").write_bytes(damaged)
        assert is_batch(tmp_path / "damaged.h5") in (False, True)
        with pytest.raises(RunFileError):
            open_batch(tmp_path / "damaged.h5")
    assert not is_batch(tmp_path / ("n" * 300))


def test_what_is_no_batch_is_refused(folder, tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(RunFileError, match="holds no batch"):
        open_batch(tmp_path / "none")
    with pytest.raises(RunFileError, match="open_run"):
        open_batch(folder.run_file(f"{0:032x}"))
    with pytest.raises(RunFileError, match="open_batch"):
        open_run(folder.results)
    with pytest.raises(FileNotFoundError):
        open_batch(tmp_path / "nothing.h5")
    (tmp_path / "none" / "batch.json").write_text("{")
    with pytest.raises(RunFileError, match="batch.json: damaged"):
        open_batch(tmp_path / "none")


def test_batch_without_a_whole_run_names_every_damaged_one(copy):
    copy.results.unlink()
    for path in copy.path.glob("runs/*.h5"):
        path.write_bytes(b"")
    with pytest.raises(RunFileError) as told:
        open_batch(copy.path)
    assert str(told.value).count("0 bytes") == 12


def test_damaged_run_is_named_when_runs_are_visited(copy):
    copy.run_file(f"{2:032x}").write_bytes(b"")
    with open_batch(copy.path) as batch:
        assert [number for number, _ in batch.runs()] == [i for i in range(12) if i != 2]
        assert f"{2:032x}" in batch.skipped[0]


def test_closed_batch_keeps_what_was_read_and_lets_go_of_its_file(folder):
    with open_batch(folder.path) as batch:
        cells = batch.timeseries["tumour_cells"].load()
        unread = batch.timeseries["hsc_cells"]
    assert np.isfinite(cells.to_numpy()).all()
    with pytest.raises((ValueError, OSError, RuntimeError)):
        unread.load()


# --- classes of resistance


def codes(arm, replicate):
    return [SENSITIVE, SENSITIVE, PROTECTED, STABLE] if arm == "blocked" else [SENSITIVE] * replicate


@pytest.fixture
def classed(tmp_path):
    return made_batch(tmp_path / "classed", replicates=2, steps=2, codes=codes)


def test_classes_are_counted_by_run_drug_and_class(classed):
    with open_batch(classed.path) as batch:
        found = batch.classes
        design = batch.design
    assert list(found) == ["arm", "replicate", "seed", "run_id", "drug", "class", "cells", "first_dose_min"]
    assert len(found) == 8 * len(CLASSES_IN_ORDER)
    assert found["class"].tolist() == list(CLASSES_IN_ORDER) * 8
    assert set(found["drug"]) == {"SN38"}
    blocked = found[found["arm"] == "blocked"]
    assert blocked["cells"].tolist() == [2, 0, 1, 0, 1, 0] * 4
    assert set(blocked["first_dose_min"]) == {1440.0}
    control = found[found["arm"] == "control"]
    assert control["first_dose_min"].isna().all()
    # A run in which no tumour cell is left has its rows, too.
    assert control.groupby("replicate")["cells"].sum().to_dict() == {0: 0, 1: 2}
    told = found[["arm", "replicate", "seed", "run_id"]].drop_duplicates()
    pd.testing.assert_frame_equal(told, design[["arm", "replicate", "seed", "run_id"]])


def test_classes_are_empty_without_a_washout_and_of_one_arm_where_one_asks_for_it(folder, tmp_path):
    with open_batch(folder.path) as batch:
        assert batch.classes.empty
        assert "first_dose_min" in batch.classes
    one = made_batch(
        tmp_path / "one", 2, steps=2, codes=lambda arm, _: [SENSITIVE] if arm == "blocked" else None
    )
    with open_batch(one.path) as batch:
        assert set(batch.classes["arm"]) == {"blocked"}
        assert batch.classes["cells"].sum() == 4


def test_classes_leave_out_damaged_runs_and_name_them(classed):
    victim = classed.run_file(f"{2:032x}")
    victim.write_bytes(victim.read_bytes()[:-1000])
    with open_batch(classed.path) as batch:
        assert sorted(set(batch.classes.index)) == [0, 1, 3, 4, 5, 6, 7]
        assert len(batch.skipped) == 1
        assert str(victim) in batch.skipped[0]


def test_classes_of_a_lone_merged_file_ask_for_the_run_files(classed, tmp_path):
    alone = tmp_path / "alone" / "results.h5"
    alone.parent.mkdir()
    shutil.copy(classed.results, alone)
    with open_batch(alone) as batch, pytest.raises(RunFileError, match="in the run files alone"):
        _ = batch.classes


def test_classes_of_bundled_runs_are_those_of_files(classed):
    with open_batch(classed.path) as batch:
        expected = batch.classes
    classed.bundles.mkdir(exist_ok=True)
    bundle(classed, most=3)
    with open_batch(classed.path) as batch:
        pd.testing.assert_frame_equal(batch.classes, expected)


# --- one run as labelled arrays


def test_groups_of_a_run_are_labelled_and_lazy(folder):
    with open_run(folder.run_file(f"{0:032x}")) as run:
        fields = run.dataset("fields")
        assert fields["oxygen"].dims == ("time", "z", "y", "x")
        assert fields["oxygen"].attrs["units"] == "mmHg"
        assert not fields["oxygen"].variable._in_memory
        assert np.array_equal(fields["oxygen"].isel(time=-1), run.field("oxygen"))
        assert run.dataset("layout")["cell_types"].to_numpy().tolist() == list(run.layout.cell_types)
        assert run.dataset("rules")["evidence"].to_numpy().tolist() == run.rules["evidence"].tolist()
        with pytest.raises(RunFileError, match="no group 'nothing'"):
            run.dataset("nothing")
        unread = run.dataset("vesicles")
    with pytest.raises((ValueError, OSError, RuntimeError)):
        unread.load()
    with pytest.raises(ValueError, match="closed"):
        run.dataset("fields")


def test_doses_are_numbers_or_texts_alike_in_both_readers(folder):
    from tme_sim.record.shards import _parameter

    assert _parameter(list(DOSES)) == ([1.0, 10.0], "nM")
    assert _parameter(["ungated", "1 nM"]) == (["ungated", "1 nM"], "1")
    assert _parameter(["1 nM", "1 uM"]) == (["1 nM", "1 uM"], "1")


def test_bundled_runs_are_read_as_runs_alone(tmp_path):
    folder = made_batch(tmp_path / "packed", replicates=2, steps=4, merged=False)
    with open_batch(folder.path) as alone:
        expected = alone.table(["tumour_cells"]), alone.timeseries.load()
    folder.bundles.mkdir()
    bundle(folder, most=3)
    assert not list((folder.path / "runs").glob("*.h5"))
    with open_batch(folder.path) as packed:
        assert packed.skipped == ()
        pd.testing.assert_frame_equal(packed.table(["tumour_cells"]), expected[0])
        xr.testing.assert_identical(packed.timeseries.load(), expected[1])
        assert [run.attributes["run_id"] for _, run in packed.runs()] == list(packed.design["run_id"])


def test_flipped_bit_in_the_manifest_is_found(tmp_path):
    folder = made_batch(tmp_path / "flipped", replicates=1, steps=2, merged=False)
    folder.manifest.write_text(folder.manifest.read_text().replace("blocked", "bloc\x6aed", 1))
    with pytest.raises(RunFileError, match=r"batch\.json: damaged"):
        open_batch(folder.path)


def test_damaged_manifest_beside_whole_results_is_named(copy):
    copy.manifest.write_text("{")
    with open_batch(copy.path) as batch:
        assert len(batch.finished) == 12
        assert "batch.json: damaged" in batch.skipped[0]
