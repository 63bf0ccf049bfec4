"""The notebooks run from top to bottom on small files made here."""

import json
import shutil

import matplotlib
import matplotlib.pyplot as plt
import pytest
from pages import DOCS

from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import make_plan
from tme_sim.batch.worker import Job, run_job

BOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
SMALL = (
    "grid.size=[500 um, 500 um]",
    "tissue.tumour.nodules=[{centre: middle, radius: 140 um, filling: 90 %}]",
)


def cells(book):
    return json.loads(book.read_text(encoding="utf-8"))["cells"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    place = tmp_path_factory.mktemp("files")
    folder = Folder(place / "runs" / "quick")
    plan = make_plan("quick", (*SMALL, "time.duration=1 d", "record.snapshots=every 12 h"))
    folder.prepare(plan)
    for run in plan.runs:
        job = Job(folder, run, plan.scenario(run), plan.experiment.measures, 1e9)
        assert run_job(job, lambda: False, lambda _step, _steps: None)
    merge(folder)
    shutil.copy(folder.run_file(plan.runs[0].run_id), place / "run.h5")
    return place


def execute(book, place, monkeypatch):
    monkeypatch.chdir(place)
    matplotlib.use("agg")
    names = {"__name__": "notebook"}
    for number, cell in enumerate(cells(book)):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{book.name}[{number}]", "exec"), names)
    return names


def test_there_are_three_notebooks_without_outputs():
    assert len(BOOKS) == 3
    for book in BOOKS:
        assert all(cell["outputs"] == [] for cell in cells(book) if cell["cell_type"] == "code"), book


def test_why_cells_resist(files, monkeypatch, capsys):
    names = execute(DOCS / "notebooks" / "why_cells_resist.ipynb", files, monkeypatch)
    told = capsys.readouterr().out
    assert names["by_distance"]["cells"].sum() == len(names["tumour"])
    assert names["share"] == pytest.approx(names["tumour"]["resists"].mean())
    assert "S0-" in told
    plt.close("all")


def test_does_blocking_help(files, monkeypatch, capsys):
    names = execute(DOCS / "notebooks" / "does_blocking_help.ipynb", files, monkeypatch)
    told = capsys.readouterr().out
    compared = names["compared"]
    assert compared["n"].tolist() == [3, 3]
    assert "only 3 runs" in told
    assert set(names["since"]) == {"exosomes_blocked"}
    plt.close("all")


def test_reading_results(files, monkeypatch, capsys):
    names = execute(DOCS / "notebooks" / "reading_results.ipynb", files, monkeypatch)
    told = capsys.readouterr().out
    assert names["oxygen"].dims == ("y", "x")
    assert names["ends"]["tumour_cells"].notna().all()
    assert "columns.csv" in told
    assert told.count("deaths\n") == 6
    plt.close("all")
