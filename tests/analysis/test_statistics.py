"""Replicates, paired comparisons, survival, dose response, sensitivities: against closed forms and published values."""

import numpy as np
import pandas as pd
import pytest

from tme_sim.analysis.comparison import compare_with_control, pairs, standardised
from tme_sim.analysis.dose_response import fit_dose_response
from tme_sim.analysis.heat_map import over_two
from tme_sim.analysis.replicates import mean_and_interval, summarise, through_time
from tme_sim.analysis.sensitivity import FEWEST_POINTS, first_order, sobol_design, sobol_indices, tornado
from tme_sim.analysis.survival import kaplan_meier, times_to_progression
from tme_sim.analysis.verdict import ENOUGH, verdict

NAN = float("nan")


# --- replicates


def test_interval_is_students():
    # 1..5: mean 3, s = sqrt(2.5), t(0.975, 4) = 2.776445
    mean, low, high = mean_and_interval(np.array([1.0, 2, 3, NAN, 4, 5]))
    assert mean == 3.0
    assert high - mean == pytest.approx(2.776445 * np.sqrt(2.5 / 5), rel=1e-6)
    assert mean - low == pytest.approx(high - mean)


def test_one_value_or_none_has_no_interval():
    assert mean_and_interval(np.array([2.0])) == pytest.approx((2.0, NAN, NAN), nan_ok=True)
    assert np.isnan(mean_and_interval(np.array([NAN]))).all()


def test_interval_of_a_share_stays_between_zero_and_one():
    """Student's t of shares near 0 or 1 reaches beyond them; what lies there cannot be the truth."""
    low_shares, high_shares = np.array([0.0, 0.01, 0.2]), np.array([1.0, 0.99, 0.8])
    assert mean_and_interval(low_shares)[1] < 0.0
    mean, low, high = mean_and_interval(low_shares, share=True)
    assert (mean, low, high) == pytest.approx((0.07, 0.0, mean_and_interval(low_shares)[2]))
    assert mean_and_interval(high_shares, share=True)[2] == 1.0
    table = pd.DataFrame({"arm": ["a"] * 3, "m": low_shares, "share": low_shares})
    out = summarise(table, ["m", "share"], shares=["share"]).set_index("measure")
    assert out.loc["m", "low"] < 0.0 == out.loc["share", "low"]
    course = np.array([low_shares, high_shares]).T
    _, low, high, _ = through_time(course, ["a"] * 3, share=True)["a"]
    assert low.min() == 0.0
    assert high.max() == 1.0


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    inside = [
        low <= 0.0 <= high for _, low, high in (mean_and_interval(rng.normal(size=4)) for _ in range(4000))
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 4000))


def test_summary_has_a_row_per_group_and_measure():
    table = pd.DataFrame({"arm": list("aabb"), "dose": [1.0, 1, 1, 1], "m": [1.0, 3, 5, NAN], "k": [0.0] * 4})
    out = summarise(table, ["m", "k"], ["arm", "dose"]).set_index(["arm", "measure"])
    assert out.loc[("a", "m"), "mean"] == 2.0
    assert out.loc[("b", "m"), "n"] == 1
    assert "one run" in out.loc[("b", "m"), "verdict"]
    assert out.loc[("b", "k"), "low"] == 0.0


def test_course_through_time_agrees_with_each_time_alone():
    values = np.random.default_rng(1).normal(size=(6, 4))
    values[5, 2:] = NAN
    mean, low, high, n = through_time(values, list("aaabbb"))["b"]
    assert n.tolist() == [3, 3, 2, 2]
    for at in range(4):
        assert (mean[at], low[at], high[at]) == pytest.approx(mean_and_interval(values[3:, at]))


@pytest.mark.parametrize(("n", "word"), [(0, "no run"), (1, "one run"), (3, "only 3"), (ENOUGH, "")])
def test_verdict_warns_below_what_a_rank_test_needs(n, word):
    assert word in verdict(n)
    assert bool(verdict(n)) == (n < ENOUGH)


# --- comparison with the control


def paired(n=8, shift=-1.0, seed=3):
    rng = np.random.default_rng(seed)
    base = 10.0 * rng.normal(size=n)
    arms = ["control"] * n + ["drug"] * n
    values = np.r_[base, base + shift + 0.3 * rng.normal(size=n)]
    return pd.DataFrame({"arm": arms, "replicate": [*range(n)] * 2, "m": values})


def test_pairing_sees_what_the_spread_between_replicates_hides():
    (row,) = compare_with_control(paired(), ["m"], "control").to_dict("records")
    assert row["low"] < -1.0 < row["high"] < 0.0
    assert row["p"] < 0.01
    assert row["p_rank"] == pytest.approx(2 / 2**8)
    assert row["n"] == 8
    assert row["verdict"] == ""


def test_only_replicates_of_both_arms_make_pairs():
    table = paired().drop(index=[0, 9])
    of_arm, of_control = pairs(table, "m", "drug", "control")
    assert len(of_arm) == len(of_control) == 6
    shuffled = table.sample(frac=1.0, random_state=1)
    assert np.array_equal(pairs(shuffled, "m", "drug", "control"), (of_arm, of_control))


def test_few_or_equal_pairs_get_a_verdict_and_no_false_p():
    few = compare_with_control(paired(3), ["m"], "control").iloc[0]
    assert np.isnan(few["p_rank"])
    assert "only 3" in few["verdict"]
    table = paired(7).assign(m=[*range(7), *range(1, 8)])
    equal = compare_with_control(table, ["m"], "control").iloc[0]
    assert np.isnan(equal["p"])
    assert "same amount" in equal["verdict"]
    assert (equal["difference"], equal["low"]) == (1.0, 1.0)


def test_p_values_are_adjusted_over_the_whole_table():
    table = pd.concat([paired(seed=s).assign(point=s) for s in range(4)])
    out = compare_with_control(table, ["m"], "control", ["point"])
    assert len(out) == 4
    assert (out["p_adjusted"] >= out["p"]).all()
    assert out["p_adjusted"].max() == pytest.approx(out["p"].max())


def test_points_of_a_replicate_are_averaged_since_they_share_its_luck():
    table = pd.concat([paired().assign(dose=dose) for dose in (1.0, 2.0, 4.0)])
    whole = compare_with_control(table, ["m"], "control", over=["dose"]).iloc[0]
    alone = compare_with_control(paired(), ["m"], "control").iloc[0]
    assert whole["n"] == 8
    assert whole[["difference", "low", "high", "p"]].tolist() == pytest.approx(
        alone[["difference", "low", "high", "p"]].tolist()
    )


def test_points_that_one_arm_lacks_are_in_no_average():
    table = pd.concat([paired().assign(dose=dose) for dose in (1.0, 2.0)], ignore_index=True)
    table.loc[table["dose"] == 2.0, "m"] += 100.0
    lost = (table["dose"] == 2.0) & (table["arm"] == "drug") & (table["replicate"] == 5)
    row = compare_with_control(table[~lost], ["m"], "control", over=["dose"]).iloc[0]
    assert row["n"] == 8
    assert -1.5 < row["difference"] < -0.5


def test_control_without_runs_is_an_error():
    with pytest.raises(ValueError, match="control arm 'placebo'"):
        compare_with_control(paired(), ["m"], "placebo")


@pytest.mark.parametrize("truth", [-0.8, 0.0, 2.5])
def test_interval_of_the_effect_size_covers_the_truth(truth):
    rng = np.random.default_rng(11)
    found = [standardised(rng.normal(loc=truth, size=6)) for _ in range(300)]
    inside = np.mean([low <= truth <= high for _, low, high in found])
    assert inside == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 300))


def test_effect_size_is_mean_over_spread_and_odd_in_sign():
    differences = np.array([1.0, 2, 3, 4])
    effect, low, high = standardised(differences)
    assert effect == pytest.approx(2.5 / np.std(differences, ddof=1))
    assert standardised(-differences) == pytest.approx((-effect, -high, -low))


# --- survival

# Remission in weeks of Freireich et al. 1963 (6-mercaptopurine against placebo): the textbook log-rank chi square is
# 16.79, medians 23 and 8 weeks.
MP = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
MP_RELAPSE = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def test_remission_times_of_the_textbook():
    out = kaplan_meier(MP + PLACEBO, MP_RELAPSE + [1] * 21, ["mp"] * 21 + ["placebo"] * 21, "placebo")
    arms = out.arms.set_index("arm")
    assert arms["median_min"].to_dict() == {"mp": 23.0, "placebo": 8.0}
    from scipy import stats

    assert stats.chi2.isf(arms.loc["mp", "p"], 1) == pytest.approx(16.79, abs=0.005)
    assert np.isnan(arms.loc["placebo", "p"])
    curve = out.curves[out.curves["arm"] == "mp"].set_index("minutes")
    assert curve.loc[10.0, "free"] == pytest.approx(0.753, abs=5e-4)
    assert curve.loc[10.0, "at_risk"] == 15
    assert (curve["low"] <= curve["free"]).all()


def test_progression_censoring_and_extinction():
    minutes = np.arange(0.0, 100.0, 10.0)
    falls = np.full(10, 10.0) - np.arange(10) * 0.5
    regrows = np.array([10.0, 8, 6, 5, 5, 6.1, 7, 8, 9, 10])
    stops = np.where(minutes > 60, NAN, falls)
    dies = np.where(minutes > 60, NAN, np.where(minutes == 60, 0.0, falls))
    nothing = np.zeros(10)
    out = times_to_progression(minutes, np.stack([falls, regrows, stops, dies, nothing]), 10.0)
    assert out["progressed"].tolist() == [False, True, False, False, False]
    assert out["minutes"].tolist()[:4] == [80.0, 40.0, 50.0, 80.0]
    assert np.isnan(out["minutes"][4])


def test_no_event_at_all_gives_no_p():
    arms = kaplan_meier([5.0, 5, 5, 5], [False] * 4, list("aabb"), "a").arms
    assert arms["p"].isna().all()
    assert np.isinf(arms["median_min"]).all()


# --- dose response

DOSES = np.repeat([0.0, 1, 2, 4, 8, 16, 32, 64], 4)


def logistic(dose, ic50=6.0, hill=1.5):
    return 5.0 + 95.0 / (1.0 + (dose / ic50) ** hill)


def test_exact_curve_is_found_again():
    fit = fit_dose_response(DOSES, logistic(DOSES))
    assert (fit.top, fit.bottom, fit.ic50, fit.hill) == pytest.approx((100.0, 5.0, 6.0, 1.5), rel=1e-4)
    assert fit.at(np.array([0.0, 6.0])) == pytest.approx([100.0, 52.5], rel=1e-4)
    assert fit.verdict == ""


def test_rising_response_has_a_positive_hill():
    fit = fit_dose_response(DOSES, 100.0 - logistic(DOSES))
    assert fit.hill > 0.0
    assert fit.ic50 == pytest.approx(6.0, rel=1e-4)


def test_interval_of_the_ic50_covers_the_truth():
    rng = np.random.default_rng(2)
    found = [fit_dose_response(DOSES, logistic(DOSES) + rng.normal(scale=4.0, size=32)) for _ in range(200)]
    inside = np.mean([fit.ic50_low <= 6.0 <= fit.ic50_high for fit in found])
    assert inside == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 200))


@pytest.mark.parametrize(
    ("response", "word"),
    [
        (np.random.default_rng(4).normal(size=32), "constant"),
        (np.ones(32), "same at every dose"),
        (logistic(DOSES, ic50=400.0), "outside the doses"),
    ],
)
def test_ic50_that_doses_cannot_tell_gets_a_verdict(response, word):
    assert word in fit_dose_response(DOSES, response).verdict


def test_three_doses_are_too_few():
    fit = fit_dose_response(DOSES[:12], logistic(DOSES[:12]))
    assert "3 doses" in fit.verdict
    assert np.isnan(fit.ic50)


# --- sensitivities

RANGES = {"a": (0.0, 1.0), "b": (0.0, 1.0), "c": (0.0, 1.0)}


def test_tornado_orders_parameters_by_swing():
    x = np.random.default_rng(3).random((200, 3))
    table = pd.DataFrame(x, columns=list("abc")).assign(m=x @ [1.0, -4.0, 0.0])
    out = tornado(table, list("abc"), "m")
    assert out["key"].tolist()[:2] == ["b", "a"]
    assert out["swing"][0] == pytest.approx(-4.0 * 0.75, rel=0.1)
    assert out["correlation_high"][0] < -0.9
    flat = out.set_index("key").loc["c"]
    assert flat["correlation_low"] < 0.0 < flat["correlation_high"]
    assert (out["verdict"] == "").all()


def test_few_draws_or_a_flat_measure_get_a_verdict():
    table = pd.DataFrame({"a": [1.0, 2, 3, 4, 5], "b": [1.0] * 5, "m": [2.0] * 5})
    out = tornado(table, ["a", "b"], "m").set_index("key")
    assert "5 runs for 2 parameters" in out.loc["a", "verdict"]
    assert "nothing can be said" in out.loc["b", "verdict"]
    assert "nothing can be said" in first_order(table, ["a"], "m")["verdict"][0]


def test_indices_of_a_sum_are_shares_of_its_variance():
    design = sobol_design(RANGES, 512)
    assert len(design) == 512 * 5
    found = sobol_indices(design, design.to_numpy() @ [1.0, 2.0, 3.0]).set_index("key")
    assert found["S1"].to_numpy() == pytest.approx(np.array([1, 4, 9]) / 14, abs=0.02)
    assert found["ST"].to_numpy() == pytest.approx(np.array([1, 4, 9]) / 14, abs=0.02)


def test_interaction_shows_in_the_total_index_alone():
    design = sobol_design(RANGES, 512)
    a, b = design["a"] - 0.5, design["b"] - 0.5
    found = sobol_indices(design, (a * b).to_numpy()).set_index("key")
    assert found.loc["a", "S1"] == pytest.approx(0.0, abs=0.1)
    assert found.loc["a", "ST"] == pytest.approx(1.0, abs=0.1)
    assert found.loc["c", "ST"] == 0.0


def test_indices_refuse_missing_values_and_other_designs():
    design = sobol_design(RANGES, 8)
    with pytest.raises(ValueError, match="no value for row 3"):
        sobol_indices(design, np.where(np.arange(40) == 3, NAN, 1.0))
    with pytest.raises(ValueError, match="39 values for 40 points"):
        sobol_indices(design, np.ones(39))


def test_first_order_indices_of_plain_draws_hold_the_truth_in_their_interval():
    x = np.random.default_rng(8).random((400, 3))
    table = pd.DataFrame(x, columns=list("abc")).assign(m=x @ [0.0, 1.0, 3.0])
    found = first_order(table, list("abc"), "m").set_index("key")
    off = np.abs(found["S1"].to_numpy() - np.array([0.0, 0.1, 0.9]))
    assert (off < found["S1_conf"].to_numpy()).all()
    assert found["S1"].idxmax() == "c"
    assert found.loc["c", "S1_conf"] < 0.1


@pytest.mark.parametrize("n", [24, 32, 40, 41, 64])
def test_first_order_indices_of_few_draws_claim_no_certainty(n):
    """With twenty harmonics in a half of 40 points the correction for bias divides by zero; below, all halves agree."""
    x = np.random.default_rng(8).random((n, 2))
    table = pd.DataFrame(x, columns=["a", "b"]).assign(m=x @ [1.0, 3.0])
    found = first_order(table, ["a", "b"], "m")
    if n < FEWEST_POINTS:
        assert found[["S1", "S1_conf"]].isna().to_numpy().all()
        assert f"{FEWEST_POINTS} are the least" in found["verdict"][0]
    else:
        assert (found["S1_conf"] > 0.05).all()
        assert (np.abs(found["S1"] - [0.1, 0.9]) < found["S1_conf"]).all()


def test_heat_map_averages_replicates_and_counts_them():
    table = pd.DataFrame({"x": [1.0, 1, 2, 2], "y": [1.0, 1, 1, 3], "m": [1.0, 3, NAN, 7]})
    means, counts = over_two(table, "y", "x", "m")
    assert means.loc[1.0, 1.0] == 2.0
    assert np.isnan(means.loc[1.0, 2.0])
    assert np.isnan(means.loc[3.0, 1.0])
    assert counts.to_numpy().tolist() == [[2, 0], [0, 1]]
