"""Files of every format version that was ever written still open; newer ones are refused by number."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray
from typer.testing import CliRunner

from tests.batch.made_batch import small_plan
from tests.batch.store_format import DATA
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import make_plan
from tme_sim.cli.app import app
from tme_sim.record import checkpoint, manifest
from tme_sim.record.batch_reader import open_batch
from tme_sim.record.checkpoint import CheckpointError, read_checkpoint, write_checkpoint
from tme_sim.record.identity import FORMAT_VERSION
from tme_sim.record.manifest import FolderError
from tme_sim.record.reader import open_run
from tme_sim.record.session import Session

STORED = sorted(DATA.glob("format-*"))


def test_every_version_is_stored() -> None:
    assert [path.name for path in STORED] == [f"format-{n}" for n in range(1, FORMAT_VERSION + 1)]


@pytest.fixture(params=STORED, ids=lambda path: path.name)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    return Folder(shutil.copytree(request.param, tmp_path / "stored"))


def test_stored_batch_verifies_and_merges_again(stored: Folder) -> None:
    result = CliRunner().invoke(app, ["verify", str(stored.path)])
    assert result.stdout.endswith("2 of 2 runs done, all whole\n"), result.stderr
    with xarray.open_dataset(stored.results, group="end", engine="h5netcdf") as data:
        before = data.load()
    assert merge(stored).passed_over == ()
    with xarray.open_dataset(stored.results, group="end", engine="h5netcdf") as data:
        assert data.equals(before)


def test_stored_run_opens_in_every_part(stored: Folder, tmp_path: Path) -> None:
    (relay, _) = stored.entries()
    shard = stored.shards()[relay.run_id]
    with zipfile.ZipFile(shard.path) as archive:
        archive.extract(shard.member, tmp_path)
    with open_run(tmp_path / shard.member) as run:
        assert (run.run_id, run.seed) == (relay.run_id, relay.seed)
        assert run.timeseries["tumour_cells"].iloc[-1] == len(run.cells().query("type == 'tumour'"))
        assert np.isfinite(run.field("oxygen")).all()
        assert {"births", "deaths"} <= {path.partition("/")[2] for path, _ in run.items() if "/" in path}
        assert len(run.rules) > 10
        assert run.ledger("pools").shape[0] == len(run.layout.pools)
        assert run.scenario_yaml.startswith("scenario: liver_metastasis")


def test_stored_batch_without_settings_of_its_arms_is_read_and_reported(stored: Folder) -> None:
    with open_batch(stored.path) as batch:
        assert batch.arms == ("relay", "blocked")
        assert batch.changes is None
    told = CliRunner().invoke(app, ["info", str(stored.path)])
    assert told.exit_code == 0, told.stderr


def both(old: int, new: int) -> str:
    return rf"format {new}\b.*\b{old}\b"


def test_newer_batch_is_refused_naming_both_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "MANIFEST_VERSION", 2)
        Folder(tmp_path / "out").prepare(small_plan(tmp_path))
    with pytest.raises(FolderError, match=both(1, 2)):
        Folder(tmp_path / "out").prepare(small_plan(tmp_path))


def test_newer_checkpoint_is_refused_naming_both_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tme_sim.model.tumor import TumorMicroenvironment

    plan = small_plan(tmp_path)
    session = Session.begin(TumorMicroenvironment(plan.scenario(plan.runs[0])), tmp_path / "a.h5")
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Header.__init__, "__defaults__", ("9.9", 2))
        write_checkpoint(tmp_path / "a.h5.checkpoint", session.run_id, session.model, session.recorder)
    with pytest.raises(
        CheckpointError, match=r"tme-sim 9\.9 \(checkpoint format 2\); this is .*\(format 1\)"
    ):
        read_checkpoint(tmp_path / "a.h5.checkpoint")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "7", '{"sha256": 1}', "{" * 5000, "\x00", '{"runs": [], "sha256": "0"}']
)
def test_foreign_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "batch.json").write_text(text)
    with pytest.raises(FolderError, match="damaged, or no manifest of tme-sim; move it away"):
        Folder(tmp_path / "out").prepare(small_plan(tmp_path))
    assert (tmp_path / "out" / "batch.json").read_text() == text


def test_every_change_of_a_manifest_is_seen_and_mended_by_the_batch_command(tmp_path: Path) -> None:
    plan, folder = small_plan(tmp_path), Folder(tmp_path / "out")
    folder.prepare(plan)
    whole = folder.manifest.read_text()
    facts = json.loads(whole)
    for old, new in (("relay", "delay"), (f'"seed": {plan.runs[0].seed}', '"seed": 5'), ("0.05", "0.5")):
        assert old in whole
        folder.manifest.write_text(whole.replace(old, new, 1))
        with pytest.raises(FolderError, match="damaged"):
            folder.entries()
    folder.manifest.write_text(re.sub(r"\s+", " ", whole))  # other spaces are no damage
    assert [entry.run_id for entry in folder.entries()] == [run["run_id"] for run in facts["runs"]]
    folder.manifest.rename(tmp_path / "away")
    folder.results.write_bytes(b"")
    folder.prepare(plan)
    assert folder.manifest.read_text() == whole


def test_manifest_tells_arms_and_the_settings_of_every_run_with_those_of_the_command(tmp_path: Path) -> None:
    small_plan(tmp_path)
    plan = make_plan(tmp_path / "small.yaml", ("time.duration=24 min", "vessels.spacing=90 um"))
    Folder(tmp_path / "out").prepare(plan)
    told = Folder(tmp_path / "out").read_manifest()
    assert told["arms"] == {"relay": {}, "blocked": {"interventions.block_exosomes.active": "true"}}
    assert told["settings"]["time.duration"] == "24 min"
    assert told["settings"]["vessels.spacing"] == "90 um"
    assert told["settings"]["grid.size"] == "[300 um, 300 um]"
