"""The design of the relay study: every documented range, each parameter where an override puts it."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.relay_arms import SCENARIO, scene
from experiments.relay_draws import Parameter, design, jobs_left, parameters_of
from experiments.relay_figure import Share, short
from tme_sim.scenario.load import load_scenario

SCENE = scene()
PARAMETERS = parameters_of(load_scenario(SCENARIO, SCENE))


def test_overrides_put_every_parameter_where_the_design_says() -> None:
    values = design(PARAMETERS, 4)[2]
    texts = [text for p, v in zip(PARAMETERS, values, strict=True) for text in p.overrides(float(v))]
    drawn = parameters_of(load_scenario(SCENARIO, (*SCENE, *texts)))
    assert [p.key for p in drawn] == [p.key for p in PARAMETERS]
    assert [p.default for p in drawn] == pytest.approx(values, rel=1e-9)


def test_design_fills_each_stratum_once() -> None:
    draws = 20
    values = design(PARAMETERS, draws)
    for column, p in enumerate(PARAMETERS):
        ends = (np.log(p.low), np.log(p.high)) if p.logarithmic else (p.low, p.high)
        place = np.log(values[:, column]) if p.logarithmic else values[:, column]
        stratum = np.floor((place - ends[0]) / (ends[1] - ends[0]) * draws).astype(int)
        assert sorted(stratum) == list(range(draws)), p.key


def test_wide_ranges_are_drawn_on_a_log_scale() -> None:
    assert Parameter("k", "k", "1", 1.0, 2.0, 5.0).logarithmic
    assert not Parameter("k", "k", "1", 1.0, 2.0, 4.0).logarithmic
    assert not Parameter("k", "k", "1", 0.0, 2.0, 5.0).logarithmic


def test_rules_out_of_force_are_not_drawn() -> None:
    gated = parameters_of(load_scenario(SCENARIO, (*SCENE, "hypotheses.stat3_gate=hypoxic")))
    assert len(gated) == len(PARAMETERS)
    assert {p.key for p in gated} != {p.key for p in PARAMETERS}


def test_finished_draws_are_left_out_and_draw_0_is_the_defaults() -> None:
    values = design(PARAMETERS, 3)
    row = {"draw": "2", **{p.key: f"{v:.9g}" for p, v in zip(PARAMETERS, values[1], strict=True)}}
    left = jobs_left(PARAMETERS, values, [row], SCENE)
    assert [draw for draw, _, _ in left] == [0, 1, 3]
    assert left[0][1] == {p.key: p.default for p in PARAMETERS}


def test_draws_of_another_design_are_refused() -> None:
    values = design(PARAMETERS, 3)
    row = {"draw": "2", **{p.key: f"{v:.9g}" for p, v in zip(PARAMETERS, values[0], strict=True)}}
    with pytest.raises(ValueError, match="another design"):
        jobs_left(PARAMETERS, values, [row], SCENE)


def test_share_of_none_has_the_rule_of_three_interval() -> None:
    low, high = Share(0, 100).interval
    assert low == 0.0
    assert high == pytest.approx(0.0362, abs=1e-4)


def test_labels_are_unique() -> None:
    labels = [short(p) for p in PARAMETERS]
    assert len(set(labels)) == len(labels)
