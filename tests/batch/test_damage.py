"""Flipped bits and cut ends: never silently wrong, never a crash; named, and made again."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.batch.made_batch import run_all, small_plan
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import Plan
from tme_sim.cli.app import app
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.checkpoint import newest
from tme_sim.record.compare import differences
from tme_sim.record.reader import RunFileError, open_run
from tme_sim.record.session import Session

FEW_OR_1000 = pytest.mark.parametrize("times", [25, pytest.param(1000, marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Folder]:
    path = tmp_path_factory.mktemp("made")
    plan, folder = small_plan(path), Folder(path / "out")
    run_all(plan, folder)
    return plan, folder


def damage(raw: bytes, rng: random.Random) -> bytes:
    """Flip one bit, three times in four, or cut the end off."""
    if rng.random() < 0.25:
        return raw[: rng.randrange(len(raw))]
    changed = bytearray(raw)
    changed[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return bytes(changed)


@FEW_OR_1000
def test_damaged_run_file_is_named_by_verify_and_made_again(made, tmp_path: Path, times: int) -> None:
    plan, whole = made
    folder, rng = Folder(shutil.copytree(whole.path, tmp_path / "out")), random.Random(11)
    merge(folder)
    for time in range(times):
        victim = folder.run_file(rng.choice(plan.runs).run_id)
        raw = victim.read_bytes()
        victim.write_bytes(damage(raw, rng))
        result = CliRunner().invoke(app, ["verify", str(folder.path)])
        assert (result.exit_code, result.stderr.count(victim.name)) == (2, 1), result.stderr
        with pytest.raises(RunFileError):
            open_run(victim)
        assert victim.stem not in folder.sound()
        assert victim.with_suffix(".damaged").exists()
        if time % 50 == 0:
            assert merge(folder).runs == 3
            run_all(plan, folder)
            assert differences(victim, whole.run_file(victim.stem)) == []
        victim.write_bytes(raw)
    assert len(folder.sound()) == 4


@FEW_OR_1000
def test_damaged_merged_file_is_named_by_verify(made, tmp_path: Path, times: int) -> None:
    folder, rng = Folder(shutil.copytree(made[1].path, tmp_path / "out")), random.Random(12)
    merge(folder)
    raw = folder.results.read_bytes()
    for _ in range(times):
        folder.results.write_bytes(damage(raw, rng))
        (fault,) = folder.damaged()
        assert folder.results.name in fault
    merge(folder)
    assert folder.results.read_bytes() == raw


@FEW_OR_1000
def test_damaged_checkpoint_is_passed_over_and_said(made, tmp_path: Path, times: int) -> None:
    plan, rng = made[0], random.Random(13)
    session = Session.begin(TumorMicroenvironment(plan.scenario(plan.runs[0])), tmp_path / "a.h5")
    session.save()
    session.advance(lambda: session.model.clock.step >= 1)
    session.save()
    path = session.checkpoint_file
    raw = path.read_bytes()
    for _ in range(times):
        path.write_bytes(damage(raw, rng))
        found, (note,) = newest(path, session.run_id)
        assert found is not None
        assert found.header.step == 0
        assert note.startswith(str(path))
    path.write_bytes(raw)
    found, notes = newest(path, session.run_id)
    assert found is not None
    assert (found.header.step, notes) == (1, [])
