"""Mean shares of the classes of resistance, of made counts."""

import numpy as np
import pandas as pd
import pytest

from tme_sim.analysis.classes import shares_by_arm
from tme_sim.state.codes import CLASSES_IN_ORDER


def counts(*runs):
    """Return classes as a batch has them, of (arm, sensitive, protected before, first dose in min)."""
    rows = [
        {"run": i, "arm": arm, "drug": "SN38", "class": name, "first_dose_min": first_dose,
         "cells": {"sensitive": sensitive, "protected before": protected}.get(name, 0)}
        for i, (arm, sensitive, protected, first_dose) in enumerate(runs)
        for name in CLASSES_IN_ORDER
    ]  # fmt: skip
    return pd.DataFrame(rows).set_index("run")


def test_each_run_counts_once_whatever_its_size():
    table = shares_by_arm(counts(("on", 90, 10, 1440.0), ("on", 1, 1, 2880.0)), "SN38")
    assert list(table) == ["arm", *CLASSES_IN_ORDER, "n", "first_dose_days"]
    row = table.iloc[0]
    assert row["sensitive"] == pytest.approx(0.7)
    assert row["protected before"] == pytest.approx(0.3)
    assert (row["n"], row["first_dose_days"]) == (2, 1.5)


def test_runs_without_a_living_cell_have_no_share_and_arms_without_the_drug_no_first_dose():
    found = counts(("b", 1, 3, np.nan), ("a", 0, 0, 60.0), ("b", 0, 0, np.nan))
    table = shares_by_arm(found, "SN38").set_index("arm")
    assert list(table.index) == ["b", "a"]
    assert table["n"].tolist() == [1, 0]
    assert table.loc["b", "protected before"] == 0.75
    assert np.isnan(table.loc["a", "sensitive"])
    assert np.isnan(table.loc["b", "first_dose_days"])


def test_intervals_are_those_of_the_mean_and_stay_between_zero_and_one():
    table = shares_by_arm(counts(("a", 1, 0, 0.0), ("a", 3, 1, 0.0)), "SN38", intervals=True)
    assert table["sensitive_low"][0] < table["sensitive"][0] == 0.875
    assert (table["sensitive_high"][0], table["protected before_low"][0]) == (1.0, 0.0)
