import matplotlib.image
import numpy as np
import pytest

from tests.analysis.made_run import made_run
from tme_sim.analysis.overview import overview, save_overview
from tme_sim.analysis.palette import type_colours
from tme_sim.analysis.section import Section, section_of
from tme_sim.record.reader import open_run


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return made_run(tmp_path_factory.mktemp("runs") / "run.h5", n=60, days=2)


def texts(figure):
    out = [text.get_text() for text in figure.texts]
    for ax in figure.axes:
        out += [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()]
        out += [text.get_text() for text in ax.texts]
        out += [child.get_ylabel() for child in ax.child_axes]
        if ax.get_legend() is not None:
            out += [text.get_text() for text in ax.get_legend().get_texts()]
    return [text for text in out if text]


@pytest.fixture(scope="module")
def words(path):
    with open_run(path) as run:
        return texts(overview(run))


def test_overview_is_saved_as_a_picture_with_ink(path, tmp_path):
    picture = matplotlib.image.imread(save_overview(path, tmp_path / "overview.png", dpi=80))
    assert picture.shape[0] > 400
    assert picture[..., :3].std() > 0.1


@pytest.mark.parametrize(
    "word",
    ["Oxygen (mmHg)", "µm", "Time (days)", "Free vesicles per site", "relative to a naive cell", "day 2.0"],
)
def test_overview_names_units_and_time(words, word):
    assert any(word in text for text in words)


def test_overview_is_a_function_of_the_run(path, tmp_path):
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    save_overview(path, one, dpi=40)
    save_overview(path, other, dpi=40)
    assert one.read_bytes() == other.read_bytes()


def test_nearest_snapshot_is_drawn(path):
    with open_run(path) as run:
        assert any("day 0.0" in text for text in texts(overview(run, minutes=100.0)))


def test_scenario_without_drug_shows_hypoxia_in_place_of_resistance(tmp_path):
    with open_run(made_run(tmp_path / "run.h5", drugs=False, n=30, days=1)) as run:
        words = texts(overview(run))
    assert "Tumour cells by their oxygen" in words
    assert not any("esistan" in word for word in words)


def test_three_dimensions_show_the_middle_plane(tmp_path):
    with open_run(made_run(tmp_path / "run.h5", nz=5, n=30, days=1)) as run:
        section = section_of(run)
        middle = run.field("oxygen")[2]
        cells = run.cells()
    assert np.array_equal(section.fields["oxygen"], middle)
    assert len(section.cells["id"]) == (cells["z"] == 50.0).sum()


def test_window_holds_the_whole_tumour(path):
    with open_run(path) as run:
        section = section_of(run)
    left, right, bottom, top = section.window_um
    rows = section.tumour_rows(living=False)
    assert left <= section.cells["x"][rows].min() <= section.cells["x"][rows].max() <= right
    assert bottom <= section.cells["y"][rows].min() <= section.cells["y"][rows].max() <= top


def test_every_type_has_its_own_colour():
    types = (
        "tumour",
        "tumour_emt",
        "hsc",
        "activated_hsc",
        "macrophage",
        "fibroblast",
        "caf",
        "endothelial",
        "t_cell",
    )
    colours = type_colours(types)
    assert len(set(colours.values())) == len(types)


def test_sprouts_and_tips_are_told_from_perfused_vessels():
    cells = {
        "ix": np.array([0, 1, 2, 3]),
        "iy": np.zeros(4, int),
        "type": np.array(["endothelial"] * 3 + ["tumour"]),
        "death": np.array(["alive"] * 4),
        "vessel_links": np.array([1.0, 2.0, 1.0, np.nan]),
    }
    perfusion = np.array([[1.0, 0.0, 0.0, 0.0]])
    section = Section(
        "", 0.0, (1, 4), 1, 20.0, ("tumour", "endothelial"), ("tumour",), cells, {}, {}, perfusion, None,
        np.zeros(1), {},
    )  # fmt: skip
    stalks, tips = section.sprouts()
    assert (stalks.tolist(), tips.tolist()) == ([1], [2])
