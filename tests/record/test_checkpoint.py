"""Runs broken off, gone on with, extended and branched: the same bytes as unbroken ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tme_sim
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.checkpoint import CheckpointError, checkpoint_path, generations, newest, read_checkpoint
from tme_sim.record.compare import differences
from tme_sim.record.seal import seal
from tme_sim.record.session import Session
from tme_sim.scenario.load import load_scenario

SCENE = (
    "grid.size=[300 um, 300 um]",
    "tissue.tumour.nodules=[{centre: middle, radius: 60 um, filling: 90 %}]",
    "record={measures: every 6 min, snapshots: every 1 h}",
    "stop=[extinct]",
)


def scenario(minutes: int = 60, *more: str):
    return load_scenario("s0_relay", (*SCENE, f"time.duration={minutes} min", *more))


def never() -> bool:
    return False


def whole_run(out: Path, minutes: int = 60) -> Path:
    session = Session.begin(TumorMicroenvironment(scenario(minutes)), out)
    assert session.advance(never)
    session.finish({})
    return out


def stopped_after(steps: int, out: Path) -> Session:
    session = Session.begin(TumorMicroenvironment(scenario()), out)
    assert not session.advance(lambda: session.model.clock.step >= steps)
    session.save()
    return session


def test_resumed_run_has_the_bytes_of_an_unbroken_one(tmp_path: Path) -> None:
    stopped_after(4, tmp_path / "b.h5")
    resumed = Session.begin(TumorMicroenvironment(scenario()), tmp_path / "b.h5")
    assert resumed.model.clock.step == 4
    assert resumed.advance(never)
    resumed.finish({})
    assert differences(whole_run(tmp_path / "a.h5"), tmp_path / "b.h5") == []
    assert not checkpoint_path(tmp_path / "b.h5").exists()


def test_extended_run_has_the_bytes_of_a_long_one(tmp_path: Path) -> None:
    session = Session.begin(TumorMicroenvironment(scenario(30)), tmp_path / "b.h5")
    session.advance(never)
    session.finish({}, keep=True)
    found, notes = newest(checkpoint_path(tmp_path / "b.h5"))
    assert found is not None
    assert not notes
    found.model.go_on(scenario(60))
    longer = Session(found.model, found.recorder, tmp_path / "c.h5")
    assert longer.advance(never)
    longer.finish({})
    assert differences(whole_run(tmp_path / "a.h5"), tmp_path / "c.h5") == []


def test_branch_never_passes_for_a_run_from_the_start(tmp_path: Path) -> None:
    session = stopped_after(4, tmp_path / "a.h5")
    other = scenario(60, "interventions.block_exosomes.active=true")
    before = session.run_id
    session.model.go_on(other)
    assert session.run_id != before
    assert session.run_id != Session(TumorMicroenvironment(other), session.recorder, tmp_path / "b.h5").run_id


@pytest.mark.parametrize(
    ("setting", "words"),
    [("grid.size=[320 um, 300 um]", "grid"), ("seed=9", "seed"), ("time.step=3 min", "step")],
)
def test_state_that_does_not_fit_is_refused(setting: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TumorMicroenvironment(scenario()).go_on(scenario(60, setting))


BODY = "volume: 100 L, clearance: 20 L/h"
ONE = f"drugs.SN38.kinetics={{{BODY}}}"
TWO = (
    f"drugs.SN38.kinetics={{{BODY}, recycling: {{share: 20 %, delay: 6 h}}, absorption: {{half_life: 1 h}}}}"
)
DOSE = "drugs.SN38.schedule=[{route: bolus, dose: 1 mg, from: 1 h}]"
MASS = "fields.SN38.molar_mass=392 Da"


@pytest.mark.parametrize("later", [(TWO, DOSE, MASS), (MASS, "drugs.SN38.schedule=[]")])
def test_body_of_other_compartments_is_refused(later: tuple[str, ...]) -> None:
    model = TumorMicroenvironment(scenario(60, ONE, DOSE, MASS))
    with pytest.raises(ValueError, match="the compartments of SN38 differ"):
        model.go_on(scenario(60, *later))


def test_other_clearance_of_the_same_compartments_goes_on() -> None:
    model = TumorMicroenvironment(scenario(60, ONE, DOSE, MASS))
    model.go_on(scenario(60, ONE.replace("20 L/h", "10 L/h"), DOSE, MASS))


def test_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    session = stopped_after(2, tmp_path / "a.h5")
    session.advance(lambda: session.model.clock.step >= 5)
    session.save()
    path = session.checkpoint_file
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)
    found, notes = newest(path)
    assert found is not None
    assert found.header.step == 2
    assert "damaged" in notes[0]


def test_damaged_checkpoint_takes_the_place_of_no_good_one(tmp_path: Path) -> None:
    session = stopped_after(2, tmp_path / "a.h5")
    session.save()
    raw = bytearray(session.checkpoint_file.read_bytes())
    raw[len(raw) // 2] ^= 1
    session.checkpoint_file.write_bytes(raw)
    session.model.step()
    session.save()
    for generation, step in zip(generations(session.checkpoint_file), (3, 2), strict=True):
        assert read_checkpoint(generation).header.step == step


def test_checkpoint_of_another_run_is_not_used(tmp_path: Path) -> None:
    stopped_after(2, tmp_path / "a.h5")
    session = Session.begin(TumorMicroenvironment(scenario(42)), tmp_path / "a.h5")
    assert session.model.clock.step == 0
    assert "belongs to run" in session.notes[0]


@pytest.mark.parametrize("content", [b"", b"nonsense", b"TME-SIM CHECKPOINT\n" + bytes(200)])
def test_foreign_file_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.h5.checkpoint"
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)
    assert newest(path)[0] is None


@pytest.mark.parametrize("more", [{"compressed": True}, {"step": None}])
def test_checkpoint_of_a_newer_version_is_named_whatever_it_says(tmp_path: Path, more: dict) -> None:
    said = {
        "run_id": "a" * 32,
        "step": 1,
        "minutes": 6.0,
        "numerics_version": "9",
        "program": "9.0",
        "version": 2,
    }
    said = {key: value for key, value in {**said, **more}.items() if value is not None}
    content = b"TME-SIM CHECKPOINT\n" + json.dumps(said).encode() + b"\nstate"
    path = checkpoint_path(tmp_path / "run.h5")
    path.write_bytes(content + seal(content))
    found, (reason,) = newest(path)
    assert found is None
    assert "tme-sim 9.0 (checkpoint format 2)" in reason
    assert f"this is {tme_sim.__version__} (format 1)" in reason
