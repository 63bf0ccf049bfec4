"""How refinement moves a measure: pairs of runs, interval and answer."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tme_sim.analysis.convergence import CHANGES, OPEN, STOPPED, levels_of, refinements

CONVERGE = {"time.step": [24.0, 12.0, 6.0], "grid.size": ["small", "large"]}
POINTS = [(24.0, "small"), (12.0, "small"), (6.0, "small"), (24.0, "large")]


def table(shifts, noise=0.0, replicates=8, seed=0):
    rng = np.random.default_rng(seed)
    offset = rng.normal(0.0, 20.0, replicates)
    rows = []
    for (step, size), shift in zip(POINTS, shifts, strict=True):
        point = {"arm": "control", "time.step": step, "grid.size": size}
        rows += [
            {**point, "replicate": k, "cells": 100.0 + offset[k] + shift + noise * rng.normal()}
            for k in range(replicates)
        ]
    return pd.DataFrame(rows)


def test_change_is_that_of_paired_means_and_its_interval_that_of_scipy():
    runs = table((0.0, 10.0, 10.5, 30.0), noise=1.0)
    found = refinements(runs, CONVERGE, ["cells"], 0.05).set_index(["key", "fine"])
    assert list(found.index) == [("time.step", 12.0), ("time.step", 6.0), ("grid.size", "large")]
    fine = runs[(runs["time.step"] == 12.0)]["cells"].to_numpy()
    coarse = runs[(runs["time.step"] == 24.0) & (runs["grid.size"] == "small")]["cells"].to_numpy()
    row = found.loc[("time.step", 12.0)]
    assert row["change"] == pytest.approx((fine.mean() - coarse.mean()) / fine.mean())
    interval = stats.ttest_rel(fine, coarse).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx(np.array(interval) / fine.mean())
    assert row["n"] == 8


def test_answer_rests_on_the_whole_interval():
    answers = refinements(table((0.0, 10.0, 10.5, 30.0), noise=1.0), CONVERGE, ["cells"], 0.05)["answer"]
    assert answers.tolist() == [CHANGES, STOPPED, CHANGES]
    noisy = refinements(table((0.0, 5.0, 5.0, 5.0), noise=30.0, seed=1), CONVERGE, ["cells"], 0.05)["answer"]
    assert set(noisy) == {OPEN}


def test_one_pair_has_no_interval_and_none_no_answer():
    single = table((0.0, 1.0, 20.0, 0.0), replicates=1)
    found = refinements(single[single["grid.size"] == "small"], CONVERGE, ["cells"], 0.05)
    assert found["answer"].tolist() == [STOPPED, CHANGES, OPEN]
    assert found["n"].tolist() == [1, 1, 0]
    assert found["low"].isna().all()
    assert found["verdict"].str.contains("one run").tolist() == [True, True, False]


def test_measure_that_stays_at_zero_has_no_answer():
    found = refinements(table((0.0,) * 4).assign(cells=0.0), CONVERGE, ["cells"], 0.05)
    assert set(found["answer"]) == {OPEN}
    assert found["change"].isna().all()


def test_levels_are_those_of_the_table():
    planned = {"time.step": ["24 min", "6 min"], "grid.size": ["small", "large"]}
    assert levels_of(table((0, 0, 0, 0)), planned) == {
        "time.step": [24.0, 6.0],
        "grid.size": ["small", "large"],
    }


def test_more_replicates_are_enough_once_the_interval_of_the_mean_is_narrow():
    runs = pd.DataFrame(
        {"arm": "control", "replicate": range(40), "cells": stats.norm(100.0, 8.0).rvs(40, random_state=2)}
    )
    converge = levels_of(runs, {"replicates": ["3", "10", "40"]})
    found = refinements(runs, converge, ["cells"], 0.04).set_index("fine")
    first, ten = runs["cells"][:3], runs["cells"][:10]
    assert found["n"].tolist() == [10, 40]
    assert found.loc[10, "change"] == pytest.approx((ten.mean() - first.mean()) / ten.mean())
    half = stats.sem(ten) * stats.t.ppf(0.975, 9) / ten.mean()
    assert (found.loc[10, "low"], found.loc[10, "high"]) == pytest.approx((-half, half))
    assert found["answer"].tolist() == [OPEN, STOPPED]
    assert set(refinements(runs[:1], converge, ["cells"], 0.5)["answer"]) == {OPEN}


def test_other_keys_are_refined_with_all_replicates():
    runs = table((0.0, 10.0, 10.5, 30.0), noise=1.0)
    found = refinements(runs, {**CONVERGE, "replicates": [2, 8]}, ["cells"], 0.05)
    assert found[found["key"] == "time.step"]["n"].tolist() == [8, 8]
    assert found[found["key"] == "replicates"]["n"].tolist() == [8]
