"""Figures show the numbers they are given, in one style."""

import io

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

from tme_sim.analysis.figures.arms import arms_figure, differences_figure
from tme_sim.analysis.figures.bars import Share, attribution_figure, shares_figure
from tme_sim.analysis.figures.curves import Curve, Panel, curves_figure, draw_panel
from tme_sim.analysis.figures.flow import Flow, flow_figure, short
from tme_sim.analysis.figures.lineage import Tree, clones_figure, trees_figure
from tme_sim.analysis.figures.neighbours import neighbours_figure
from tme_sim.analysis.figures.numbers import cut, fitting_unit, folded
from tme_sim.analysis.figures.response import Response, response_figure
from tme_sim.analysis.figures.scale_bar import round_length
from tme_sim.analysis.figures.survival import survival_figure
from tme_sim.analysis.figures.sweep import heat_figure, tornado_figure
from tme_sim.analysis.style import PAGE_MM, save, styled
from tme_sim.analysis.timeline import doses


def words(figure):
    found = [text for ax in figure.axes for text in ax.findobj(matplotlib.text.Text)]
    return [
        text.get_text()
        for text in [*found, *figure.texts, *(t for leg in figure.legends for t in leg.get_texts())]
    ]


def saved(figure, kind="png"):
    buffer = io.BytesIO()
    save(figure, buffer, kind, dpi=50)
    return buffer.getvalue()


def curves(**options):
    x = np.arange(5.0)
    panel = Panel("A", "Cells", [Curve("one", x, x**2), Curve("two", x, np.full(5, np.nan))], **options)
    return curves_figure([panel], "Time (days)")


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_same_figure_gives_the_same_bytes(kind):
    assert saved(curves(), kind) == saved(curves(), kind)


def test_figures_leave_the_users_style_alone():
    before = dict(matplotlib.rcParams)
    saved(curves())
    assert dict(matplotlib.rcParams) == before


def test_users_style_does_not_reach_figures():
    plain = saved(curves())
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "axes.spines.top": True}):
        assert saved(curves()) == plain


def test_pages_are_as_wide_as_print():
    assert curves().get_figwidth() * 25.4 == pytest.approx(PAGE_MM)


def test_curves_without_any_value_are_drawn_and_logarithms_leave_zero_out():
    (line, empty) = curves(scale="log").axes[0].lines
    assert line.get_ydata().tolist() == [1.0, 4.0, 9.0, 16.0]
    assert len(empty.get_ydata()) == 0


def test_shares_axis_ends_near_its_values_when_they_are_small():
    panel = Panel("", "Share", [Curve("a", np.arange(2.0), np.array([0.0, 0.1]))], "share")
    assert curves_figure([panel], "Time (days)").axes[0].get_ylim()[1] < 0.2


@pytest.mark.parametrize(
    ("unit", "top", "expected"),
    [
        ("nM", 4e6, ("mM", 1e6)),
        ("nM", 8.0, ("nM", 1.0)),
        ("nM", 0.2, ("pM", 1e-3)),
        ("mmHg", 4e6, ("mmHg", 1.0)),
    ],
)
def test_concentrations_get_the_unit_that_fits(unit, top, expected):
    assert fitting_unit(unit, np.array([0.0, top, np.nan])) == expected


def test_bars_of_shares_are_as_long_as_the_shares_and_say_of_how_many():
    figure = shares_figure(
        [Share("Tumour", "rim", 0.4, 1200), Share("Tumour", "none", np.nan, 0)], "Resistant share"
    )
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.4, 0.0]
    assert any("480 of 1,200 (40%)" in word for word in words(figure))
    assert any("no such cells" in word for word in words(figure))


def test_attribution_names_routes_values_and_mechanisms():
    figure = attribution_figure(
        ["oxygen", "il6"], {"all": np.array([0.5, -0.1])}, ["S0-02 S0-11", ""], "SN38"
    )
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.5, -0.1]
    assert {"oxygen", "il6", "+0.500", "-0.100", "S0-02 S0-11"} <= set(words(figure))


def test_ribbons_are_as_wide_as_the_flows():
    flows = [
        Flow(0, "tumour", "exosome", 80.0),
        Flow(1, "exosome", "decayed", 60.0),
        Flow(1, "exosome", "hsc", 20.0),
    ]
    figure = flow_figure(flows, ("by", "pool", "fate"), {}, "vesicles")
    ax = figure.axes[0]
    ribbons = [p for p in ax.patches if isinstance(p, PathPatch) and not isinstance(p, Rectangle)]
    widths = sorted(p.get_path().vertices[0, 1] - p.get_path().vertices[-2, 1] for p in ribbons)
    assert widths == pytest.approx([0.25, 0.75, 1.0])
    nodes = [p.get_height() for p in ax.patches if isinstance(p, Rectangle)]
    assert sorted(nodes) == pytest.approx([0.25, 0.75, 1.0, 1.0])
    assert "decayed: 60 (75.0%)" in words(figure)


def test_labels_of_thin_nodes_do_not_cover_each_other():
    flows = [Flow(0, "a", f"end {i}", 1000.0 if i == 0 else 0.1) for i in range(6)]
    ax = flow_figure(flows, ("by", "fate"), {}, "vesicles").axes[0]
    heights = sorted(text.get_position()[1] for text in ax.texts if text.get_text().startswith("end"))
    assert min(np.diff(heights)) > 0.04


def test_amounts_are_written_in_words():
    assert [short(x) for x in (7.65e6, 501e3, 42.0)] == ["7.65 million", "501 thousand", "42"]


def test_long_names_are_folded_and_cut_and_keys_keep_their_underscores():
    assert max(map(len, folded("A" * 64, 24).split("\n"))) == 24
    assert folded("two_pulses", 40) == "two pulses"
    assert folded("fields.il6.half_life", 40) == "fields.il6.half_life"
    assert cut("a_name_that_is_long", 10) == "a name th…"


def test_panels_that_share_y_span_the_tallest_one():
    shown = [
        Panel(name, "Share", [Curve("all", np.arange(3.0), np.full(3, top))], "share")
        for name, top in (("a", 0.2), ("b", 0.01))
    ]
    spans = [ax.get_ylim() for ax in curves_figure(shown, "Time (days)", share_y=True).axes]
    assert spans[0] == spans[1]
    assert spans[0][1] > 0.2


def test_counts_over_less_than_a_decade_have_several_ticks():
    panel = Panel("", "Cells", [Curve("all", np.arange(3.0), np.array([6200.0, 8000.0, 10300.0]))], "log")
    ax = curves_figure([panel], "Time (days)").axes[0]
    low, high = ax.get_ylim()
    assert sum(low <= tick <= high for tick in ax.get_yticks()) >= 2


def test_bands_are_as_thick_as_the_clones_and_stand_on_each_other():
    days, sizes = np.arange(3.0), np.array([[1.0, 2.0, 4.0], [3.0, 3.0, 3.0]])
    resistant, doses = np.array([np.nan, 0.5]), [(1.0, 2.0)]
    figure = clones_figure(days, sizes, resistant, ["others", ""], doses, "SN38 in blood")
    bands = [c for c in figure.axes[0].collections if isinstance(c, FillBetweenPolyCollection)]
    at_end = [np.ptp(b.get_paths()[0].vertices[b.get_paths()[0].vertices[:, 0] == 2.0, 1]) for b in bands]
    assert at_end == [4.0, 3.0]
    assert max(band.get_paths()[0].vertices[:, 1].max() for band in bands) == 7.0
    assert "SN38 in blood" in words(figure)


def test_thin_bands_of_clones_keep_the_colour_of_their_scale():
    sizes = np.array([[900.0, 900.0], [4.0, 4.0]])
    figure = clones_figure(np.arange(2.0), sizes, np.array([0.2, 0.8]), ["", ""], [])
    thick, thin = (b for b in figure.axes[0].collections if isinstance(b, FillBetweenPolyCollection))
    assert np.allclose(thick.get_edgecolor()[0], 1.0)
    assert np.allclose(thin.get_edgecolor(), thin.get_facecolor())


def test_tail_of_a_drug_that_fades_is_not_shaded():
    minutes = 1440.0 * np.arange(10.0)
    level = np.where(minutes < 2880.0, 0.0, 8.0 * np.exp(-(minutes - 2880.0) / 720.0))
    assert doses(minutes, level) == [(2.0, 5.0)]
    assert doses(minutes, np.zeros(10)) == []


def test_tree_draws_a_line_per_cell_and_a_branch_per_birth():
    tree = Tree(
        "clone 1",
        np.array([0.0, 1.0]),
        np.array([5.0, 3.0]),
        np.array([-1, 0]),
        np.array(["resistant", "dead"]),
    )
    births, lives = trees_figure([tree], 5.0).axes[0].collections
    assert len(births.get_segments()) == 1
    assert [segment[:, 0].tolist() for segment in lives.get_segments()] == [[0.0, 5.0], [1.0, 3.0]]


SUMMARY = pd.DataFrame(
    {
        "arm": ["control", "b"],
        "measure": "m",
        "mean": [1.0, 2.0],
        "low": [0.5, np.nan],
        "high": [1.5, np.nan],
        "n": [3, 1],
    }
)


def test_arms_show_every_run_with_mean_interval_and_number():
    values = {"m": {"control": np.array([0.5, 1.0, 1.5]), "b": np.array([2.0])}}
    figure = arms_figure(values, SUMMARY, {"m": ("Tumour cells", False)})
    drawn = np.concatenate([line.get_xdata() for line in figure.axes[0].lines if len(line.get_xdata()) != 2])
    assert sorted(drawn) == [0.5, 1.0, 1.0, 1.5, 2.0, 2.0]
    assert [list(line.get_xdata()) for line in figure.axes[0].lines if len(line.get_xdata()) == 2] == [
        [0.5, 1.5]
    ]
    assert {"control (3)", "b (1)", "Tumour cells"} <= set(words(figure))


def test_differences_are_filled_only_where_the_interval_leaves_zero_out():
    rows = {
        "label": ["a", "b"],
        "measure": "m",
        "difference": [2.0, 1.0],
        "low": [1.0, -1.0],
        "high": [3.0, 3.0],
    }
    table = pd.DataFrame({**rows, "effect": [1.5, np.nan], "p_adjusted": [1e-5, np.nan], "n": [6, 2]})
    figure = differences_figure(table, {"m": ("Cells", False)}, "control")
    fills = [line.get_markerfacecolor() for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert fills == ["#000000", "white"]
    assert {"+1.50", "<0.001", "6", "–"} <= set(words(figure))


def test_survival_says_how_many_are_at_risk():
    curves = pd.DataFrame(
        {"arm": "control", "minutes": [0.0, 1440.0, 4320.0], "free": [1.0, 0.5, 0.5], "low": 0.1, "high": 1.0,
         "at_risk": [4, 4, 2]}
    )  # fmt: skip
    figure = survival_figure(curves, {"control": "black"}, "the first dose")
    found = words(figure)
    assert "Time from the first dose (days)" in found
    assert {"4", "2", "at risk"} <= set(found)


def test_dose_response_shows_zero_left_of_the_smallest_dose_and_the_ic50():
    x, y = np.array([0.0, 1.0, 10.0, 100.0]), np.array([9.0, 8.0, 4.0, 1.0])
    response = Response("control", "black", x, y, lambda dose: 9.0 / (1.0 + dose / 10.0), (10.0, 5.0, 20.0))
    summary = {("control", float(a)): (float(b), np.nan, np.nan) for a, b in zip(x, y, strict=True)}
    figure = response_figure([response], "dose (nM)", "cells", False, True, summary, "nM")
    ax = figure.axes[0]
    assert ax.get_xscale() == "log"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "10", "100"]
    assert ax.get_xticks()[0] == pytest.approx(0.1)
    assert any("IC50 10 nM (95 % interval 5 to 20)" in word for word in words(figure))


def test_heat_map_writes_mean_and_number_into_every_cell():
    means = pd.DataFrame([[0.1, 0.2], [0.3, np.nan]], index=[1.0, 2.0], columns=[10.0, 20.0])
    counts = pd.DataFrame([[3, 3], [2, 0]], index=[1.0, 2.0], columns=[10.0, 20.0])
    found = words(heat_figure([("control", means, counts)], "x (nM)", "y", "Share", True))
    assert {"10%\nn=3", "30%\nn=2"} <= set(found)
    assert not any("n=0" in word for word in found)


def test_tornado_bars_reach_from_the_mean_to_both_quarters():
    table = pd.DataFrame({"key": ["k"], "low": [1.0], "high": [4.0], "rank_correlation": 0.9, "correlation_low": 0.5,
                          "correlation_high": 1.0})  # fmt: skip
    bars = tornado_figure(table, "Cells", False, 2.0).axes[0].patches
    assert [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars] == [(2.0, 1.0), (2.0, 4.0)]


@pytest.mark.parametrize(("about", "expected"), [(999.0, 500.0), (1000.0, 1000.0), (37.0, 20.0)])
def test_scale_bars_have_round_lengths(about, expected):
    assert round_length(about) == expected


def test_neighbours_write_pairs_and_colour_them_against_chance():
    count, expected = np.array([[40, 0], [0, 10]]), np.full((2, 2), 10.0)
    figure = neighbours_figure(("a", "b"), count, expected, np.array([[9.0, -9.0], [-9.0, 0.0]]))
    assert {"40", "0", "10"} <= set(words(figure))
    (image,) = figure.axes[0].images
    assert image.get_array().tolist() == [[2.0, -2.0], [-2.0, 0.0]]
    greyed = [text.get_text() for text in figure.axes[0].texts if text.get_color() == "0.55"]
    assert greyed == ["10"]


@styled
def test_long_legend_beside_a_strip_covers_no_tick_label():
    """Ten lines beside a strip as high as those of the overview, to day 10: the last label stands under the legend."""
    figure = Figure(figsize=(7.0, 2.0))
    FigureCanvasAgg(figure)
    ax = figure.add_axes((0.1, 0.3, 1.9 / 7.0, 1.1 / 2.0))
    days = np.linspace(0.0, 10.0, 20)
    curves = [Curve(f"cell type {i}", days, days + i, "#000000") for i in range(10)]
    draw_panel(ax, Panel("", "Cells", curves, "linear"), "Time (days)")
    figure.canvas.draw()
    legend = ax.get_legend()
    assert legend is not None
    boxes = [handle.get_window_extent() for handle in (*legend.get_lines(), *legend.get_texts())]
    ticks = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert "10" in [label.get_text() for label in ax.get_xticklabels()]
    assert not legend.get_frame_on()
    assert not [tick for tick in ticks for box in boxes if tick.overlaps(box)]
