"""Reports of a made run and a made batch, and the folder they are written to."""

import errno
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.record.made_batch import KEY, made_batch
from tme_sim.analysis.report.batch_refined import refined
from tme_sim.analysis.report.folder import PlaceTaken, breakable, write_report
from tme_sim.analysis.report.of_batch import report_of_batch
from tme_sim.analysis.report.of_run import report_of_run
from tme_sim.analysis.report.opened import OpenedRun
from tme_sim.analysis.report.opened_batch import OpenedBatch
from tme_sim.analysis.report.page import Chapter, Picture, Report, Table, Words
from tme_sim.analysis.report.run_cells import _turnover, resistance
from tme_sim.analysis.report.tables import shown, shown_rows
from tme_sim.record.batch_reader import open_batch
from tme_sim.record.reader import open_run
from tme_sim.state.codes import CLASSES, PROTECTED, SENSITIVE


@pytest.fixture(scope="module")
def run_report(made_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports") / "run"
    with open_run(made_file) as run:
        write_report(report_of_run(run), folder)
    return folder


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    return made_batch(tmp_path_factory.mktemp("batches") / "made")


@pytest.fixture(scope="module")
def batch_report(batch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports") / "batch"
    with open_batch(batch.path) as opened:
        write_report(report_of_batch(opened), folder)
    return folder


def page_of(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


def small(*items, warnings=()):
    return Report("A title", "of tests", [("Cells", "3", "")], warnings, [Chapter("One", "", items)])


def picture(name="figure"):
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1])
    return Picture(name, "A figure", "with n = 2", figure, pd.DataFrame({"x": [1.0, 2.0]}))


@pytest.mark.parametrize("which", ["run_report", "batch_report"])
def test_page_needs_no_network(which, request):
    page = page_of(request.getfixturevalue(which))
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "<script" not in page
    assert not re.search(r"@import|url\((?!data:)", page)


@pytest.mark.parametrize("which", ["run_report", "batch_report"])
def test_every_file_that_the_page_names_is_there_and_every_figure_has_two_forms(which, request):
    folder = request.getfixturevalue(which)
    named = set(re.findall(r'href="((?:figures|tables)/[^"]+)"', page_of(folder)))
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"index.html"}
    assert named == there
    stems = {path.stem for path in (folder / "figures").glob("*.png")}
    assert stems == {path.stem for path in (folder / "figures").glob("*.svg")}
    assert len(stems) >= 4


def test_report_of_a_run_shows_what_the_run_holds(run_report):
    names = {path.stem for path in (run_report / "figures").iterdir()}
    wanted = {
        "overview", "tissue_through_time", "film", "fields", "fields_through_time", "profile_vessels", "profile_edge",
        "populations", "neighbours", "pair_correlation",
        "resistant_fraction_SN38", "ratios_SN38", "niches_SN38", "exposure_SN38", "clones", "trees",
    }  # fmt: skip
    assert wanted <= names


def test_numbers_beside_a_figure_are_those_of_the_run(run_report, made_file):
    table = pd.read_csv(run_report / "tables" / "resistant_fraction_SN38.csv")
    with open_run(made_file) as run:
        expected = run.timeseries["resistant_fraction_rim_SN38"].dropna()
    found = table.set_index("day")["resistant_fraction_rim"].dropna()
    assert np.allclose(found.to_numpy(), expected.to_numpy())
    assert np.allclose(found.index, expected.index / 1440.0)


def test_doses_are_shaded_for_a_drug_whose_field_has_another_name(made_file):
    with open_run(made_file) as run:
        opened = OpenedRun(run)
        opened.__dict__["scenario"] = SimpleNamespace(drugs={"irinotecan": SimpleNamespace(field="SN38")})
        opened.run.__dict__["timeseries"] = run.timeseries.assign(SN38_plasma=8.0)
        assert opened.doses("irinotecan") == [(0.0, 2.0)]


def test_births_and_deaths_reach_to_the_end_of_the_run(made_file):
    """Rates over the last part of a day were left out, and with them the deaths of a treatment at the end."""
    with open_run(made_file) as run:
        opened = OpenedRun(run)
        frame = run.timeseries.iloc[:-5]
        total = frame["deaths_by_drug"].to_numpy(float)
        run.__dict__["timeseries"] = frame.assign(deaths_by_drug=np.arange(len(total)) ** 2.0)
        (curve,) = [c for c in _turnover(opened).curves if c.label == "deaths: drug"]
        days = opened.series_days
    width = 2.0 * (days[-1] - curve.x[-1])
    assert 0.25 <= width <= 0.75
    edges = np.append(0.5 * np.arange(len(curve.x)), days[-1])
    assert np.sum(curve.y * np.diff(edges)) == pytest.approx((len(total) - 1) ** 2.0)


def test_shares_by_niche_add_up_to_the_share_of_all(run_report):
    table = pd.read_csv(run_report / "tables" / "niches_SN38.csv").fillna(0.0)
    counts = table["share"] * table["cells"]
    total = counts[0]
    assert total > 0.0
    for group, rows in table.groupby("group"):
        share = counts[rows.index].sum()
        assert share == pytest.approx(2.0 * total if group == "Tumour" else total)


@pytest.mark.slow
def test_same_run_gives_the_same_report(made_file, run_report, tmp_path):
    with open_run(made_file) as run:
        write_report(report_of_run(run), tmp_path / "again")
    for path in sorted(run_report.rglob("*")):
        if path.is_file():
            assert (tmp_path / "again" / path.relative_to(run_report)).read_bytes() == path.read_bytes(), (
                path.name
            )


def test_classes_of_resistance_are_told_without_treatment_too(made_file, tmp_path):
    with open_run(made_file) as run:
        ids = run.cells()["id"].to_numpy()[:4]
        founder, code = np.zeros(4, np.int64), np.array([0, 3, 5, 2], np.int8)
        table = run._in_words(
            pd.DataFrame({"drug": "SN38", "id": ids, "founder": founder, "class": code}), {"class": CLASSES}
        )
        captions = []
        for first_dose in (np.nan, 3600.0):
            table.attrs["first_dose_min"] = {"SN38": first_dose}
            run.__dict__["classes"] = table
            items = {item.name: item for item in resistance(OpenedRun(run)) if isinstance(item, Picture)}
            captions.append(items["classes_SN38"].caption)
        numbers = items["classes_SN38"].numbers
    assert "here without any SN38" in captions[0]
    assert "without any SN38" not in captions[1]
    assert "just before the first dose of SN38, on day 2.5." in captions[1]
    assert "an arm without drug and the same seed" in captions[1]
    assert numbers["class"].tolist()[1:4] == ["pre-existing", "protected before", "induced transient"]
    assert numbers["cells"].tolist() == [1, 0, 1, 1, 1, 0]


def test_report_of_a_batch_compares_arms_and_warns_of_few_replicates(batch_report):
    page = page_of(batch_report)
    assert "Too few replicates: 3 per arm and point" in page
    table = pd.read_csv(batch_report / "tables" / "differences.csv")
    row = table[table["measure"] == "tumour_cells"].iloc[0]
    # Replicate k loses 4 + k cells in the blocked arm, at both doses: three seeds are three pairs, not six.
    assert row["difference"] == pytest.approx(-5.0)
    assert row["n"] == 3
    assert "its points are not independent" in page
    assert "0 of 12 runs over all points of the sweep progressed" in page
    assert {"arms", "course", "differences", "differences_by_point"} <= {
        path.stem for path in (batch_report / "figures").iterdir()
    }


def test_report_of_a_batch_lists_what_each_arm_changes(batch_report):
    table = pd.read_csv(batch_report / "tables" / "arm_changes.csv", keep_default_na=False)
    assert table.to_numpy().tolist() == [
        ["control", "nothing", ""],
        ["blocked", "interventions.block.active", "true"],
    ]
    assert "What each arm changes" in page_of(batch_report)


def test_report_of_a_batch_has_classes_of_resistance_by_arm(tmp_path):
    classed = made_batch(
        tmp_path / "classed",
        2,
        steps=2,
        codes=lambda arm, _: [SENSITIVE, PROTECTED] if arm == "blocked" else [0],
    )
    with open_batch(classed.path) as opened:
        write_report(report_of_batch(opened), tmp_path / "report")
    assert "Classes of resistance by arm, SN38" in page_of(tmp_path / "report")
    table = pd.read_csv(tmp_path / "report" / "tables" / "classes_by_arm_SN38.csv").set_index("arm")
    assert table["protected before"].to_dict() == {"control": 0.0, "blocked": 0.5}
    assert table["n"].tolist() == [4, 4]
    assert table.loc["blocked", "first_dose_days"] == 1.0
    assert np.isnan(table.loc["control", "first_dose_days"])


def test_report_of_a_batch_says_where_classes_of_resistance_would_be(batch, tmp_path):
    with open_batch(batch.path) as opened:
        assert "Classes of resistance" not in {chapter.title for chapter in report_of_batch(opened).chapters}
    shutil.copy(batch.results, tmp_path / "alone.h5")
    with open_batch(tmp_path / "alone.h5") as opened:
        chapters = {chapter.title: chapter.items for chapter in report_of_batch(opened).chapters}
    (said,) = chapters["Classes of resistance"]
    assert "in the run files alone" in said.text


def test_refined_keys_have_a_chapter_and_are_not_taken_for_a_sweep(batch, tmp_path):
    with open_batch(batch.path) as opened:
        opened.attributes |= {"converge": {KEY: ["10 nM", "1 nM"]}, "tolerance": 0.05}
        report = report_of_batch(opened)
        assert not {"Responses", "Two parameters", "Sensitivities"} & {c.title for c in report.chapters}
        write_report(report, tmp_path / "report")
    table = pd.read_csv(tmp_path / "report" / "tables" / "refinements.csv")
    assert table[["arm", "coarse", "fine", "n"]].to_numpy().tolist() == [
        ["control", "10 nM", "1 nM", 3],
        ["blocked", "10 nM", "1 nM", 3],
    ]
    drawn = {path.stem for path in (tmp_path / "report" / "figures").iterdir()}
    assert f"refined_{KEY.replace('.', '_')}" in drawn
    assert "differences_by_point" not in drawn


def test_axis_of_refined_keys_runs_from_coarse_to_fine_and_that_of_replicates_counts_them(batch):
    with open_batch(batch.path) as opened:
        opened.attributes |= {"converge": {"replicates": [2, 3], KEY: ["10 nM", "1 nM"]}, "tolerance": 0.05}
        drawn = [item for item in refined(OpenedBatch(opened)) if isinstance(item, Picture)]
    labels = {item.name: item.figure.axes[0].get_xlabel() for item in drawn}
    assert labels["refined_replicates"] == "Number of replicates"
    assert labels[f"refined_{KEY.replace('.', '_')}"].endswith("coarse to fine")


def test_many_arms_are_spread_over_figures_each_with_the_control(batch):
    with open_batch(batch.path) as opened:
        made = OpenedBatch(opened)
        assert made.groups == [["control", "blocked"]]
        names = ["control", *(f"arm_{i}" for i in range(14))]
        rows = [made.table[:1].assign(arm=name) for name in names]
        opened.design = pd.concat([opened.design[:1].assign(arm=name) for name in names], ignore_index=True)
        many = OpenedBatch(opened)
        many.__dict__["table"] = pd.concat(rows, ignore_index=True)
        assert [len(group) for group in many.groups] == [7, 7, 3]
        assert {group[0] for group in many.groups} == {"control"}
        assert sorted({arm for group in many.groups for arm in group}) == sorted(names)
        assert [many.part(group) for group in many.groups] == ["_1", "_2", "_3"]
        assert many.which(many.groups[2]) == " (arm_12 to arm_13)"


def test_long_keys_may_break_and_nothing_else_is_marked_up():
    assert breakable("vesicles.tumour_exosome") == "vesicles.<wbr>tumour_<wbr>exosome"
    assert breakable("short.key") == "short.key"
    assert breakable("<b>.a.very_long_key</b>") == "&lt;b&gt;.<wbr>a.<wbr>very_<wbr>long_<wbr>key&lt;/b&gt;"


def test_damaged_and_missing_runs_of_a_batch_are_named_and_left_out(batch, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(batch.path, copy)
    (copy / "results.h5").unlink()
    files = sorted((copy / "runs").iterdir())
    files[0].write_bytes(files[0].read_bytes()[:-1000])
    files[1].unlink()
    with open_batch(copy) as opened:
        write_report(report_of_batch(opened), tmp_path / "report")
    page = page_of(tmp_path / "report")
    assert "2 of 12 runs are not in this report" in page
    warnings = re.findall(r'class="warning"[^>]*>(.*?)</div>', page)
    assert any("Left out" in text and files[0].name in text for text in warnings)
    assert len(pd.read_csv(tmp_path / "report" / "tables" / "runs.csv")) == 12


def test_earlier_report_is_replaced_only_by_force(tmp_path):
    write_report(small(picture("old")), tmp_path / "report")
    with pytest.raises(PlaceTaken, match="holds a report.*--force"):
        write_report(small(), tmp_path / "report")
    assert (tmp_path / "report" / "figures" / "old.png").exists()
    write_report(small(picture("new")), tmp_path / "report", force=True)
    assert [path.name for path in sorted((tmp_path / "report" / "figures").iterdir())] == [
        "new.png",
        "new.svg",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_folder_with_other_files_is_refused_even_by_force(tmp_path):
    write_report(small(), tmp_path / "report")
    (tmp_path / "report" / "mine.txt").write_text("mine")
    with pytest.raises(PlaceTaken, match="no report"):
        write_report(small(), tmp_path / "report", force=True)
    assert (tmp_path / "report" / "mine.txt").read_text() == "mine"


def test_empty_folder_is_filled(tmp_path):
    (tmp_path / "report").mkdir()
    write_report(small(), tmp_path / "report")
    assert (tmp_path / "report" / "index.html").exists()


def test_broken_off_report_leaves_nothing(tmp_path):
    def full():
        yield picture()
        raise OSError(errno.ENOSPC, "No space left on device")

    report = Report("A title", "", [], [], [Chapter("One", "", full())])
    with pytest.raises(OSError, match="No space"):
        write_report(report, tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


def test_texts_are_escaped(tmp_path):
    write_report(small(Words("a < b & <script>alert(1)</script>"), warnings=["<b>"]), tmp_path / "report")
    page = page_of(tmp_path / "report")
    assert "&lt;script&gt;" in page
    assert "<b>" not in page


def test_long_table_is_cut_on_the_page_and_whole_in_its_file(tmp_path):
    frame = pd.DataFrame({"n": range(50)})
    write_report(small(Table("long", "Long", "A table.", frame, shown=5)), tmp_path / "report")
    assert "45 more rows are in the file" in page_of(tmp_path / "report")
    assert len(pd.read_csv(tmp_path / "report" / "tables" / "long.csv")) == 50


def test_sentence_that_holds_for_all_rows_is_said_once():
    frame = pd.DataFrame(
        {"n": [1, 2], "verdict": "only two runs: nothing can be said", "empty": "", "unknown": np.nan}
    )
    found = shown_rows(Table("t", "T", "", frame))
    assert found["header"] == ["n"]
    assert found["for_all"] == ["Only two runs: nothing can be said. This holds for every row."]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.nan, "–"),
        (None, "–"),
        (12345.6, "12,346"),
        (0.123456, "0.1235"),
        (12345, "12,345"),
        ("a", "a"),
        ("", "–"),
    ],
)
def test_values_are_shown_as_readers_want_them(value, text):
    assert shown(value) == text


def test_ic50_folds_by_place_are_those_of_the_cells(made_file):
    with open_run(made_file) as run:
        opened = OpenedRun(run)
        alive = opened.living().copy()
        assert "ic50_SN38" not in {item.name for item in resistance(opened) if isinstance(item, Table)}
        rim = alive["rim"].to_numpy(float) > 0.5
        fold = np.where(rim, np.inf, 1.5)
        own_oxygen = np.where(rim, np.nan, 1.0)
        own_oxygen[np.flatnonzero(rim)[0]] = 0.0
        alive["ic50_fold_SN38"], alive["ic50_fold_own_oxygen_SN38"] = fold, own_oxygen
        opened.__dict__["living"] = lambda: alive
        (table,) = (item for item in resistance(opened) if isinstance(item, Table))
    frame = table.frame.set_index("place")
    assert frame.loc["in the rim", "median"] == np.inf
    assert frame.loc["in the rim", "median_own_oxygen"] == 0.0
    assert frame.loc["near vessels", "median"] == 1.5
    assert frame.loc["all cells", "share_inf"] == pytest.approx(rim.mean())
    assert frame.loc["near vessels", "share_above_2"] == 0.0
    assert frame.loc["all cells", "median_own_oxygen"] == 1.0
    assert frame["no_number_own_oxygen"].tolist()[:3] == [rim.sum() - 1, rim.sum() - 1, 0]
    assert "At 0 no dose kills half of a naive cell there" in table.caption
    assert "a median is empty, a dash" in table.caption
