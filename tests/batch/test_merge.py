"""The merged file: whatever arms record, whatever is damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray
from typer.testing import CliRunner

from tests.batch.made_batch import experiment_text, run_all, small_plan
from tme_sim import open_run
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import MergeError, merge
from tme_sim.batch.plan import make_plan
from tme_sim.cli.app import app
from tme_sim.record.seal import RunFileError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    path = tmp_path_factory.mktemp("made")
    folder = Folder(path / "out")
    run_all(small_plan(path), folder)
    return folder


@pytest.fixture
def folder(made: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(made.path, tmp_path / "out")
    return Folder(tmp_path / "out")


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 8
    path.write_bytes(raw)


def command(*line: str | Path):
    return CliRunner().invoke(app, list(map(str, line)))


def end(folder: Folder) -> xarray.Dataset:
    with xarray.open_dataset(folder.results, group="end", engine="h5netcdf") as data:
        return data.load()


def test_damaged_first_run_is_passed_over_by_name(folder: Folder) -> None:
    first = folder.run_file(folder.entries()[0].run_id)
    for damage in (b"", b"nothing", first.read_bytes()[:-5000]):
        first.write_bytes(damage)
        (passed,) = merge(folder).passed_over
        assert first.name in passed
        assert np.isnan(end(folder)["tumour_cells"]).values.tolist() == [True, False, False, False]


def test_file_under_the_name_of_another_run_is_no_result(folder: Folder) -> None:
    one, other, *_ = (folder.run_file(entry.run_id) for entry in folder.entries())
    shutil.copy(other, one)
    assert f"holds run {other.stem}; expected {one.stem}" in command("verify", folder.path).stderr
    assert merge(folder).runs == 3
    assert one.stem not in folder.sound()


def test_nothing_finished_is_said(folder: Folder) -> None:
    shutil.rmtree(folder.path / "runs")
    with pytest.raises(MergeError, match="no finished run yet"):
        merge(folder)


def test_arms_that_record_different_measures_all_have_a_column(tmp_path: Path) -> None:
    text = experiment_text().replace("measures: [tumour_cells, tumour_oxygen_mean]\n", "")
    text = text.replace("blocked: {activate: [block_exosomes]}", "mice: {settings: {use: MORE}}")
    (tmp_path / "small.yaml").write_text(text.replace("MORE", "[liver_cells, sn38, il6, s0_relay, matrix]"))
    plan, folder = make_plan(tmp_path / "small.yaml"), Folder(tmp_path / "out")
    run_all(plan, folder)
    assert merge(folder).passed_over == ()
    lacking = {str(name): np.isnan(values).values.tolist() for name, values in end(folder).items()}
    assert lacking["tumour_cells"] == [False] * 4
    assert [True, False] * 2 in lacking.values()


def test_damaged_merged_file_is_named_and_made_again(folder: Folder) -> None:
    merge(folder)
    whole = folder.results.read_bytes()
    assert "whole, results of batch small" in command("verify", folder.results).stdout
    flip(folder.results, len(whole) // 2)
    for place in (folder.path, folder.results):
        result = command("verify", place)
        assert (result.exit_code, "results.h5" in result.stderr) == (2, True)
    assert command("merge", folder.path).exit_code == 0
    assert folder.results.read_bytes() == whole


def test_merged_file_is_no_run(folder: Folder) -> None:
    merge(folder)
    with pytest.raises(RunFileError, match="holds a whole batch; expected one run"):
        open_run(folder.results)
