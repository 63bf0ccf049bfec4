"""The whole way from a scenario to a file, a picture and a summary, on a tiny grid."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tme_sim.cli import run as run_module
from tme_sim.cli.app import app
from tme_sim.cli.summary import _print_resistance
from tme_sim.record.reader import open_run

TINY = (
    "--set", "grid.size=[400 um, 400 um]",
    "--set", "tissue.tumour.nodules=[{centre: middle, radius: 100 um, filling: 90 %}]",
    "--set", "assumed=[a note]",
    "--set", "record={measures: every 6 min, snapshots: every 1 h}",
)  # fmt: skip


def _run(out: Path, *arguments: str):
    return CliRunner().invoke(
        app, ["run", "s0_relay", *TINY, "--until", "30 min", "--out", str(out), *arguments]
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory):
    out = tmp_path_factory.mktemp("runs") / "run.h5"
    return out, _run(out)


def test_run_writes_file_and_picture(done) -> None:
    out, result = done
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in out.parent.iterdir()) == ["run.h5", "run.png"]


def test_run_ends_with_summary_on_stdout(done) -> None:
    out, result = done
    for words in (
        "tumour",
        "Mean oxygen over tumour cells",
        "taken up",
        "Resistance",
        f"file: {out}",
        "picture: ",
    ):
        assert words in result.stdout


@pytest.mark.parametrize(
    ("schedule", "given"), [("[]", False), ("[{dose: 8 nM, from: 0 d, for: 1 d}]", True)]
)
def test_summary_takes_no_class_for_an_answer_to_a_drug_that_was_not_given(tmp_path, schedule, given) -> None:
    words = ("--set", "resistance.washout=12 min", "--set", f"drugs.SN38.schedule={schedule}")
    result = _run(tmp_path / "run.h5", *words)
    words = " ".join(result.stdout.split())
    assert "the washout tells lasting from passing" in words
    assert "protected before" in words
    assert ("No SN38 was given" in result.stdout) is not given
    assert ("First dose of SN38: day 0." in result.stdout) is given
    info = json.loads(CliRunner().invoke(app, ["info", "--json", str(tmp_path / "run.h5")]).stdout)
    assert {entry["first_dose_days"] for entry in info["classes"]} == {0.0 if given else None}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((2.0, 1.5, 1.0), None),
        ((math.inf, 0.0, math.nan), ("inf: no dose", "0: no dose", "-: no cell")),
        ((2.0, 0.0, 1.0), ("0: no dose",)),
    ],
)
def test_summary_explains_folds_that_are_no_numbers(capsys, values, told) -> None:
    names = ("", "_rim", "_perfused")
    entries = [
        {"name": f"{measure}{niche}_SN38", "meaning": measure, "value": value, "unit": ""}
        for measure, folds in (("median_ic50_fold", values), ("resistant_fraction", (0.0, math.nan, 0.0)))
        for niche, value in zip(names, folds, strict=True)
    ]
    _print_resistance({"day": 1.0, "values": entries})
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("IC50 over")]
    assert len(lines) == (told is not None)
    for words in ("inf: no dose", "0: no dose", "-: no cell"):
        assert (words in "".join(lines)) is (words in (told or ()))


def test_run_shows_progress_on_stderr(done) -> None:
    _, result = done
    assert "s0_relay: day 0.0 of 0.0" in result.stderr
    assert "ended after 0.02 d: duration reached" in result.stderr


def test_run_file_holds_the_settings(done) -> None:
    out, _ = done
    with open_run(out) as opened:
        assert opened.grid.shape == (1, 20, 20)
        assert opened.timeseries.index[-1] == 30.0
        assert opened.provenance["wall_time_s"] > 0.0


def test_same_run_again_is_done(done) -> None:
    out, first = done
    before = out.stat()
    result = _run(out)
    assert result.exit_code == 0
    assert "holds this run already" in result.stderr
    assert result.stdout == first.stdout
    assert (out.stat().st_mtime_ns, out.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_another_run_is_refused_before_it_starts(done, monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = done
    monkeypatch.setattr(run_module, "_simulate", lambda *_: pytest.fail("it ran"))
    before = out.read_bytes()
    result = _run(out, "--seed", "2")
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert out.read_bytes() == before


def test_force_replaces_another_run(tmp_path: Path) -> None:
    out = tmp_path / "run.h5"
    out.write_text("something else")
    assert _run(out, "--quiet", "--no-picture").exit_code == 2
    assert out.read_text() == "something else"
    result = _run(out, "--quiet", "--no-picture", "--force")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    with open_run(out) as opened:
        assert opened.seed == 1


def test_picture_of_an_earlier_run_does_not_stay(tmp_path: Path) -> None:
    out = tmp_path / "run.h5"
    picture = tmp_path / "run.png"
    picture.write_text("of another run")
    assert _run(out, "--quiet", "--no-picture").exit_code == 0
    assert not picture.exists()
    assert _run(out, "--quiet").exit_code == 0
    drawn = picture.read_bytes()
    assert drawn.startswith(b"\x89PNG")
    assert _run(out, "--quiet", "--seed", "2", "--force").exit_code == 0
    assert picture.read_bytes() != drawn


def test_json_summary_is_json(done) -> None:
    out, _ = done
    facts = json.loads(_run(out, "--json").stdout)
    assert facts["file"] == str(out)
    assert {entry["type"] for entry in facts["cells"]} >= {"tumour", "hsc"}


def test_info_and_verify_read_the_file(done) -> None:
    out, _ = done
    info = CliRunner().invoke(app, ["info", str(out)])
    assert "6 times of" in info.stdout
    assert "assumed: a note" in info.stdout
    assert CliRunner().invoke(app, ["verify", str(out)]).exit_code == 0


def test_verify_refuses_a_damaged_file(done, tmp_path: Path) -> None:
    raw = bytearray(done[0].read_bytes())
    raw[len(raw) // 2] ^= 1
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(raw)
    result = CliRunner().invoke(app, ["verify", str(damaged)])
    assert result.exit_code == 2
    assert "damaged" in result.stderr


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("grid.size=[401 um, 400 um]", "whole number"),
        ("time.step=-6 min", "time.step"),
        ("nonsense=1", "nonsense"),
        ('stop=["tumor_cells > 5"]', "tumour_cells"),
    ],
)
def test_faulty_setting_writes_nothing(tmp_path: Path, setting: str, words: str) -> None:
    out = tmp_path / "run.h5"
    result = CliRunner().invoke(app, ["run", "s0_relay", "--set", setting, "--out", str(out)])
    assert result.exit_code == 2
    assert words in result.stderr
    assert not list(tmp_path.iterdir())


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    result = _run(tmp_path / "absent" / "run.h5")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_interrupted_run_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "_simulate", interrupt)
    assert _run(tmp_path / "run.h5").exit_code == 130
    assert not list(tmp_path.iterdir())


def test_check_finds_no_fault_in_shipped_scenario() -> None:
    result = CliRunner().invoke(app, ["check", "liver_metastasis"])
    assert (result.exit_code, result.stdout) == (0, "")


def test_check_prints_what_is_calibrated_assumed_and_unknown() -> None:
    notes = CliRunner().invoke(app, ["check", "dish"]).stderr
    assert "calibrated: naive cells in normoxia" in notes
    assert "unknown: how vesicles reach cells" in notes


def test_resolved_scenario_is_checked_without_fault(tmp_path: Path) -> None:
    resolved = CliRunner().invoke(app, ["check", "liver_metastasis", "--resolved"]).stdout
    path = tmp_path / "resolved.yaml"
    path.write_text(resolved, encoding="utf-8")
    assert CliRunner().invoke(app, ["check", str(path)]).exit_code == 0


def test_plan_names_processes_and_memory() -> None:
    facts = json.loads(CliRunner().invoke(app, ["plan", "liver_metastasis", "--json"]).stdout)
    assert [process["name"] for process in facts["processes"]][:2] == ["interventions", "sense"]
    assert facts["memory_mb"]["total"] > 100.0


def test_schema_is_json() -> None:
    assert json.loads(CliRunner().invoke(app, ["schema"]).stdout)["type"] == "object"
