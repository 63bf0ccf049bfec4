"""The command report: what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.analysis.made_run import made_run
from tme_sim.analysis.report import of_run
from tme_sim.analysis.report.page import Chapter, Report
from tme_sim.cli.app import app


def _report(*arguments: str | Path):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_run(tmp_path_factory.mktemp("runs") / "run.h5", n=30, days=1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures out: tests of the command need none."""
    made = Report("A run", "", [], ["one run"], [Chapter("Nothing", "", [])])
    monkeypatch.setattr(of_run, "report_of_run", lambda run: made)


@pytest.mark.usefixtures("quick")
def test_report_prints_its_page_and_tells_warnings_on_stderr(run_file: Path, tmp_path: Path) -> None:
    result = _report(run_file, "--out", tmp_path / "report")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip() == str(tmp_path / "report" / "index.html")
    assert result.stderr.splitlines() == ["note: one run", "Nothing"]


@pytest.mark.usefixtures("quick")
def test_quiet_report_says_nothing_on_stderr_and_json_lists_the_files(run_file: Path, tmp_path: Path) -> None:
    result = _report(run_file, "--out", tmp_path / "report", "--quiet", "--json")
    assert result.stderr == ""
    told = json.loads(result.stdout)
    assert (told["files"], told["warnings"]) == (["index.html"], ["one run"])


@pytest.mark.usefixtures("quick")
def test_second_report_needs_force(run_file: Path, tmp_path: Path) -> None:
    assert _report(run_file, "--out", tmp_path / "report").exit_code == 0
    again = _report(run_file, "--out", tmp_path / "report")
    assert again.exit_code == 2
    assert again.stderr.rstrip().endswith("choose another name or replace it with --force")
    assert _report(run_file, "--out", tmp_path / "report", "--force").exit_code == 0


def test_missing_parent_is_refused_before_anything_is_drawn(run_file: Path, tmp_path: Path) -> None:
    result = _report(run_file, "--out", tmp_path / "absent" / "report")
    assert result.exit_code == 2
    assert "does not exist; create it first" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.h5", None, "there is no such file or folder"),
        ("notes.txt", b"hello", "expected a run file"),
        ("empty.h5", b"", "expected a run file"),
    ],
)
def test_what_is_no_run_is_refused(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = _report(tmp_path / name, "--out", tmp_path / "report")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "report").exists()


def test_damaged_run_is_refused_and_nothing_written(run_file: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.h5"
    raw = bytearray(run_file.read_bytes())
    raw[len(raw) // 2] ^= 1
    damaged.write_bytes(raw)
    result = _report(damaged, "--out", tmp_path / "report")
    assert result.exit_code == 2
    assert "damaged" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.h5"]


def test_folder_without_a_batch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = _report(tmp_path / "empty", "--out", tmp_path / "report")
    assert result.exit_code == 2
    assert "holds no batch" in result.stderr
