from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tme_sim.cli.app import app
from tme_sim.resources import data_dir
from tme_sim.rules import evidence
from tme_sim.scenario.load import load_scenario

ROWS = """\
// two rules that mean something here, one that does not
tumour,oxygen,decreases,necrosis,0,3.75,8,0
tumour,il6,increases,custom:STAT3,1,0.5,2,0
tumour,pressure,decreases,cycle entry,0,1,4,0
"""


def _rules(*arguments: str):
    return CliRunner().invoke(app, ["rules", *arguments])


def test_rules_are_sentences_with_evidence() -> None:
    result = _rules("liver_metastasis")
    assert result.exit_code == 0
    assert "In tumour cells, il6 increases STAT3 towards 1, half-max 1 ng/mL, Hill 2" in result.stdout
    assert "S0-08" in result.stdout


def test_rules_as_json_has_one_row_per_rule() -> None:
    rows = json.loads(_rules("--json").stdout)
    scenario = load_scenario("liver_metastasis")
    assert len(rows) == len(scenario.rules)
    assert sum(row["in_force"] for row in rows) == len(scenario.active_rules())


def test_import_prints_rules_that_a_scenario_reads(tmp_path: Path) -> None:
    source = tmp_path / "rules.csv"
    source.write_text(ROWS)
    result = _rules("--import", str(source))
    assert result.exit_code == 0
    first, second = yaml.safe_load(result.stdout)["rules"]
    assert (first["to"], first["half_max"]) == ("0 /min", "3.75 mmHg")
    assert (second["to"], second["half_max"]) == (1, "0.5 nM")
    assert "not imported" in result.stderr
    assert "pressure" in result.stderr


def test_import_of_unknown_names_tells_every_place(tmp_path: Path) -> None:
    source = tmp_path / "rules.csv"
    source.write_text("tumur,oxygen,decreases,necrosis,0,3,8,0\ntumour,oxigen,decreases,necrosis,0,3,8,0\n")
    result = _rules("--import", str(source))
    assert result.exit_code == 2
    assert f"{source}:1:1" in result.stderr
    assert f"{source}:2:8" in result.stderr
    assert result.stdout == ""


def test_export_says_what_the_csv_cannot(tmp_path: Path) -> None:
    target = tmp_path / "rules.csv"
    result = _rules("--export", str(target))
    assert result.exit_code == 0
    assert "tumour,il6,increases,custom:STAT3,1.0," in target.read_text()
    assert "not said" in result.stderr


def test_export_never_overwrites(tmp_path: Path) -> None:
    target = tmp_path / "rules.csv"
    target.write_text("mine")
    assert _rules("--export", str(target)).exit_code == 2
    assert target.read_text() == "mine"


@pytest.mark.parametrize("arguments", [("no_such_scenario",), ("--coverage", "--export", "x.csv")])
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert _rules(*arguments).exit_code == 2


def test_coverage_of_shipped_scenario_passes() -> None:
    result = _rules("liver_metastasis", "--coverage")
    assert result.exit_code == 0, result.stderr
    assert "covered" in result.stdout


@pytest.fixture
def blank_basis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Give the package a table of mechanisms with one basis left blank; return its line."""
    lines = (data_dir("seeds") / "mechanisms.csv").read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.endswith(",stated,"))
    lines[at] = lines[at].removesuffix("stated,") + ","
    (tmp_path / "mechanisms.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setattr(evidence, "data_dir", lambda _: tmp_path)
    for read in (evidence.mechanisms, evidence.known_ids):
        read.cache_clear()
    yield at + 1
    for read in (evidence.mechanisms, evidence.known_ids):
        read.cache_clear()


def test_blank_cell_of_the_evidence_is_a_fault_with_its_line(blank_basis: int) -> None:
    result = _rules("s0_relay", "--coverage")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"mechanisms.csv:{blank_basis}: basis is ''; expected one of stated")


def test_coverage_fails_on_rule_that_cites_nothing(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    assert CliRunner().invoke(app, ["init", str(own)]).exit_code == 0
    text = own.read_text(encoding="utf-8")
    rule = (
        "{cell: tumour, signal: oxygen, effect: decreases, behaviour: apoptosis, to: 0 /h, half_max: 9 mmHg}"
    )
    own.write_text(text.replace("\nrules:\n", f"\nrules:\n  - {rule}\n"), encoding="utf-8")
    result = _rules(str(own), "--coverage")
    assert result.exit_code == 2
    assert "cites no mechanism" in result.stderr
