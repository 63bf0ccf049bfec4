import os

import matplotlib
import pytest
from pages import DOCS, blocks

from tme_sim.measures import registry


@pytest.fixture
def untouched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = list(registry._registered)
    matplotlib.use("agg")
    yield tmp_path
    registry._registered[:] = before


def run(page):
    namespace = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, str(DOCS / page), "exec"), namespace)
    return namespace


def test_python_page_runs_from_top_to_bottom(untouched, capsys):
    run("python.md")
    assert os.path.getsize("oxygen.png") > 5000  # noqa: PTH202 - the path that the page writes
    out = capsys.readouterr().out
    assert "oxygen and HIF correlate with -" in out
    assert "mmHg" in out


def test_krogh_of_the_scenario_page_agrees_with_its_table(untouched, capsys):
    run("scenarios.md")
    computed = capsys.readouterr().out
    table = (DOCS / "scenarios.md").read_text(encoding="utf-8")
    for row in computed.replace("[", " ").replace("]", " ").strip().splitlines():
        r, model, closed = map(float, row.split())
        assert f"| {r:.0f} | {model:.2f} | {closed:.2f} |" in table


def test_ten_lines_are_ten_lines():
    assert len(blocks("python.md", "python")[0].splitlines()) <= 10
