"""The options of ``run`` that save, go on and branch off."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tme_sim.cli.app import app
from tme_sim.record.compare import differences
from tme_sim.record.reader import open_run

TINY = (
    "--set", "grid.size=[300 um, 300 um]",
    "--set", "tissue.tumour.nodules=[{centre: middle, radius: 60 um, filling: 90 %}]",
    "--set", "record={measures: every 6 min, snapshots: every 1 h}",
    "--set", "stop=[extinct]",
)  # fmt: skip


def tme(*line: str | Path):
    return CliRunner().invoke(app, ["run", *map(str, line), "--quiet", "--no-picture", "--threads", "1"])


def begin(out: Path, until: str, *more: str):
    return tme("s0_relay", *TINY, "--until", until, "--out", out, *more)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of 30 min whose last state was kept."""
    out = tmp_path_factory.mktemp("kept") / "short.h5"
    assert begin(out, "30 min", "--keep-state").exit_code == 0
    return out


def test_state_is_kept_on_wish_alone(kept: Path, tmp_path: Path) -> None:
    assert kept.with_name("short.h5.checkpoint").exists()
    assert begin(tmp_path / "a.h5", "12 min").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_kept_run_extended_has_the_bytes_of_a_long_one(kept: Path, tmp_path: Path) -> None:
    assert begin(tmp_path / "whole.h5", "1 h").exit_code == 0
    result = tme("--resume", kept, "--until", "1 h", "--out", tmp_path / "longer.h5")
    assert result.exit_code == 0, result.stderr
    assert differences(tmp_path / "whole.h5", tmp_path / "longer.h5") == []


def test_branch_is_another_run(kept: Path, tmp_path: Path) -> None:
    line = ("--branch", kept, "--until", "1 h", "--set", "interventions.block_exosomes.active=true")
    result = tme(*line, "--out", tmp_path / "blocked.h5")
    assert result.exit_code == 0, result.stderr
    plain = tme("--resume", kept, "--until", "1 h", "--out", tmp_path / "plain.h5")
    assert plain.exit_code == 0
    assert differences(tmp_path / "plain.h5", tmp_path / "blocked.h5") != []


RESISTANT = ("--set", "resistance.every=every 6 min", "--set", "resistance.threshold=1")
FORCED = ("--set", "interventions.forced={kind: express, target: ATP, cell: tumour, to: 1, why: a test}")


def series_of(out: Path) -> pd.DataFrame:
    with open_run(out) as run:
        return run.timeseries


def test_branch_that_adds_the_first_act_on_a_variable_tells_its_share(kept: Path, tmp_path: Path) -> None:
    """Nothing is known of it before the branch, and all else of the past stays as it was."""
    line = ("--branch", kept, "--until", "1 h", *RESISTANT)
    assert tme(*line, "--out", tmp_path / "plain.h5").exit_code == 0
    result = tme(*line, *FORCED, "--out", tmp_path / "a.h5")
    assert result.exit_code == 0, result.stderr
    plain, treated = series_of(tmp_path / "plain.h5"), series_of(tmp_path / "a.h5")
    new = {f"attribution_interventions{niche}_SN38" for niche in ("", "_rim")}
    assert {*treated} - {*plain} == new
    past = treated.index <= 30.0
    assert 0 < past.sum() < len(treated)
    pd.testing.assert_frame_equal(treated.loc[past, plain.columns], plain.loc[past])
    assert treated.loc[past, [*new]].isna().all(axis=None)
    assert treated["attribution_interventions_SN38"].iloc[-1] > 0.0


def test_branch_measures_resistance_as_its_own_scenario_says(kept: Path, tmp_path: Path) -> None:
    found = []
    for threshold in ("1", "1e-6"):
        line = ("--branch", kept, "--until", "1 h", *FORCED, "--set", f"resistance.threshold={threshold}")
        line = (*line, "--set", "resistance.every=every 6 min", "--out", tmp_path / f"{threshold}.h5")
        assert tme(*line).exit_code == 0
        found.append(series_of(tmp_path / f"{threshold}.h5")["resistant_fraction_SN38"].iloc[-1])
    assert found[0] > 0.5
    assert found[1] == 0.0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ((), "give either a CONFIG, or --resume FILE, or --branch FILE"),
        (("first_steps", "--resume", "KEPT"), "give either"),
        (("--resume", "KEPT", "--branch", "KEPT"), "give either"),
        (("--branch", "KEPT"), "--out FILE is missing"),
        (("--resume", "KEPT", "--set", "seed=3", "--out", "OUT"), "seed=3 makes another: use --branch"),
        (("--resume", "KEPT", "--until", "6 min", "--out", "OUT"), "duration"),
        (("--branch", "KEPT", "--set", "grid.size=[320 um, 300 um]", "--out", "OUT"), "grid"),
        (("--branch", "KEPT", "--set", "nonsense=1", "--out", "OUT"), "nonsense"),
        (("--resume", "OUT"), "there is no checkpoint of it"),
        (("first_steps", "--out", "OUT", "--checkpoint", "soon"), "--checkpoint"),
        (("first_steps", "--out", "OUT", "--checkpoint", "-5min"), "--checkpoint"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused(
    kept: Path, tmp_path: Path, line: tuple[str, ...], words: str
) -> None:
    places = {"KEPT": str(kept), "OUT": str(tmp_path / "out.h5")}
    result = tme(*(places.get(word, word) for word in line))
    assert result.exit_code == 2, result.stderr
    assert words in result.stderr
    assert "internal" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_damaged_state_is_named(kept: Path, tmp_path: Path) -> None:
    raw = bytearray(kept.with_name("short.h5.checkpoint").read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "a.h5.checkpoint").write_bytes(raw)
    result = tme("--resume", tmp_path / "a.h5")
    assert result.exit_code == 2
    assert "a.h5.checkpoint" in result.stderr
    assert "damaged" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5.checkpoint"]
