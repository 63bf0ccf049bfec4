"""The table at the end of a batch fits a terminal."""

from __future__ import annotations

import io

import pandas as pd
from rich.console import Console
from rich.table import Table

from tests.record.made_batch import made_batch
from tme_sim.cli.batch_summary import cells_of, narrower, show_classes, show_rows
from tme_sim.state.codes import PRE_EXISTING, SENSITIVE

ARMS = ("relay", "exosomes_blocked")


def drawn(frame: pd.DataFrame, width: int = 80) -> str:
    out = io.StringIO()
    show_rows(Console(file=out, width=width), Table(), *narrower(*cells_of(frame)))
    return out.getvalue()


def test_many_measures_become_rows() -> None:
    names = [f"resistant_fraction_rim_{i}" for i in range(7)]
    text = drawn(pd.DataFrame({"arm": ARMS, **{name: [0.25, 0.5] for name in names}, "n": [3, 3]}))
    for name in names:
        (line,) = [line for line in text.splitlines() if name in line]
        assert "0.25" in line
        assert "0.5" in line


def test_many_points_with_one_measure_stay_rows() -> None:
    frame = pd.DataFrame({"arm": [f"arm_{i}" for i in range(20)], "tumour_cells": 12.0, "n": 3})
    lines = drawn(frame).splitlines()
    assert sum("arm_" in line for line in lines) == 20


def test_narrower_table_holds_the_same_cells() -> None:
    header, rows = ["arm", "a_long_measure", "another_long_measure"], [["x", "1", "2"], ["y", "3", "4"]]
    turned = narrower(header, rows)
    assert turned == (["arm", "x", "y"], [["a_long_measure", "1", "3"], ["another_long_measure", "2", "4"]])
    assert narrower(["arm", "n"], [["x", "1"]]) == (["arm", "n"], [["x", "1"]])


def test_drawn_values_are_shown_short_and_names_of_arms_as_they_are() -> None:
    frame = pd.DataFrame({"arm": ["007"], "vessels.spacing": ["135.90560415605132 um"], "gate": ["hypoxic"]})
    assert cells_of(frame)[1] == [["007", "135.906 um", "hypoxic"]]


def classes_shown(folder) -> str:
    out = io.StringIO()
    show_classes(folder, Console(file=out, width=120, soft_wrap=True, highlight=False))
    return out.getvalue()


def test_classes_are_shown_as_mean_shares_by_arm(tmp_path) -> None:
    folder = made_batch(
        tmp_path / "classed",
        replicates=2,
        steps=2,
        merged=False,
        codes=lambda arm, replicate: (
            [SENSITIVE] * 3 + [PRE_EXISTING] * (replicate if arm == "blocked" else 0)
        ),
    )
    text = classes_shown(folder)
    assert "Classes of resistance to SN38 after a washout" in text
    rows = {line.split("│")[1].strip(): line.split("│")[2:4] for line in text.splitlines() if "│" in line}
    assert [float(cell) for cell in rows["pre-existing"]] == [0.0, 0.125]
    assert [float(cell) for cell in rows["n"]] == [4, 4]
    assert [cell.strip() for cell in rows["first dose, day"]] == ["-", "1"]
    victim = folder.run_file(f"{0:032x}")
    victim.write_bytes(b"")
    assert f"left out of the classes of resistance: {victim}" in classes_shown(folder)


def test_no_classes_are_shown_without_a_washout(tmp_path) -> None:
    assert classes_shown(made_batch(tmp_path / "plain", replicates=1, steps=2, merged=False)) == ""
