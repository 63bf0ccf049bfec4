"""Run files packed into archives are found, checked, merged and made again as files of their own are."""

from __future__ import annotations

import random
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.batch.made_batch import run_all, small_plan
from tme_sim.batch import bundle as bundles
from tme_sim.batch.bundle import bundle
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import Plan
from tme_sim.cli.app import app
from tme_sim.record.compare import differences
from tme_sim.record.seal import RunFileError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Folder]:
    path = tmp_path_factory.mktemp("made")
    plan, folder = small_plan(path), Folder(path / "out")
    run_all(plan, folder)
    merge(folder)
    return plan, folder


@pytest.fixture
def folder(made: tuple[Plan, Folder], tmp_path: Path) -> Folder:
    shutil.copytree(made[1].path, tmp_path / "out")
    return Folder(tmp_path / "out")


def verified(folder: Folder):
    return CliRunner().invoke(app, ["verify", str(folder.path)])


def test_command_packs_and_every_other_command_knows(folder: Folder, made: tuple[Plan, Folder]) -> None:
    before = {path.name: path.read_bytes() for path in folder.path.glob("runs/*")}
    result = CliRunner().invoke(app, ["merge", str(folder.path), "--bundle"])
    assert result.exit_code == 0, result.stderr
    assert "packed into 1 archives" in result.stdout
    assert not list(folder.path.glob("runs/*"))
    (archive,) = folder.bundles.iterdir()
    with zipfile.ZipFile(archive) as file:
        assert {name: file.read(name) for name in file.namelist()} == before
    assert len(folder.states()["done"]) == 4
    assert "4 of 4 runs done, all whole" in verified(folder).stdout
    assert folder.sound() == {run.run_id for run in made[0].runs}
    merge(folder)
    assert folder.results.read_bytes() == made[1].results.read_bytes()


def test_archives_hold_no_more_than_asked_and_later_runs_go_to_new_ones(folder: Folder) -> None:
    first, *others = folder.shards().values()
    first.path.rename(folder.path / "later.h5")
    assert len(bundle(folder, most=2)) == 2
    (folder.path / "later.h5").rename(first.path)
    assert len(bundle(folder, most=2)) == 1
    assert bundle(folder, most=2) == []
    assert folder.sound() == {first.run_id, *(shard.run_id for shard in others)}


def test_crash_between_packing_and_removing_loses_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bundles, "Shard", crash)  # which reads the archive back
        with pytest.raises(KeyboardInterrupt):
            bundle(folder)
    assert len(folder.sound()) == len(list(folder.path.glob("runs/*.h5"))) == 4
    assert len(bundle(folder)) == 1
    assert len(list(folder.bundles.glob("*"))) == 1
    assert len(folder.sound()) == 4


def test_damaged_run_stops_packing_and_stays(folder: Folder) -> None:
    victim = next(iter(folder.shards().values())).path
    raw = bytearray(victim.read_bytes())
    raw[500] ^= 1
    victim.write_bytes(raw)
    with pytest.raises(RunFileError, match=victim.name):
        bundle(folder)
    assert not list(folder.bundles.iterdir())
    assert len(list(folder.path.glob("runs/*.h5"))) == 4


def test_run_damaged_in_an_archive_is_named_and_made_again(folder: Folder, made: tuple[Plan, Folder]) -> None:
    (archive,) = bundle(folder)
    raw = bytearray(archive.read_bytes())
    raw[len(raw) // 3] ^= 16
    archive.write_bytes(raw)
    result = verified(folder)
    assert result.exit_code == 2
    assert f"{archive}: " in result.stderr
    (lost,) = {run.run_id for run in made[0].runs} - folder.sound()
    assert f"{lost}.h5" in result.stderr
    assert merge(folder).runs == 3
    run_all(made[0], folder)
    assert verified(folder).exit_code == 0
    assert differences(folder.run_file(lost), made[1].run_file(lost)) == []
    bundle(folder)
    assert len(folder.sound()) == 4


@pytest.mark.parametrize("times", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_damaged_archive_is_never_silently_wrong(folder: Folder, times: int) -> None:
    """Every run counts either as damaged or missing, or has its bytes; no damage escapes as another error."""
    truth = {name: shard.path.read_bytes() for name, shard in folder.shards().items()}
    (archive,) = bundle(folder)
    raw, rng, seen = archive.read_bytes(), random.Random(7), 0
    ends = [*range(len(raw) - 500, len(raw))]
    for _ in range(times):
        damaged = bytearray(raw)
        at = rng.choice(ends) if rng.random() < 0.4 else rng.randrange(len(raw))
        damaged[at] ^= 1 << rng.randrange(8)
        if rng.random() < 0.2:
            del damaged[at:]
        archive.write_bytes(damaged)
        found = folder.sound()
        assert found <= set(truth)
        for name in found:
            with zipfile.ZipFile(archive) as file:
                assert file.read(f"{name}.h5") == truth[name]
        lost = set(truth) - found
        seen += bool(lost)
        if lost:
            assert verified(folder).exit_code == 2
    assert seen > times / 4
    assert list(folder.bundles.iterdir()) == [archive]
