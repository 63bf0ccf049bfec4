from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.made import gate, rule
from tme_sim.rules.physicell import export_csv, import_csv

CELLS = ("malignant epithelial cell", "T cell", "exhausted T cell")
SIGNALS = (
    "oxygen",
    "il6",
    "HIF",
    "drug SN38",
    *(f"contact {cell}" for cell in CELLS),
    "contact dead",
    "time",
)
SIGNALS += ("held pERK", "distance to vessel")
BEHAVIOURS = (
    "HIF",
    "secretion il6",
    "uptake oxygen",
    "chemotaxis to il6",
    "cycle entry",
    "apoptosis",
    "necrosis",
)
BEHAVIOURS += ("migration", *(f"transition to {cell}" for cell in CELLS), "release exo")
ROW = "malignant epithelial cell,oxygen,decreases,necrosis,0,3.75,8,0"


def read(text):
    bases = np.full((len(CELLS), len(BEHAVIOURS)), 0.5)
    return import_csv(text, "rules.csv", CELLS, SIGNALS, BEHAVIOURS, bases)


def written(rules):
    return export_csv(rules, CELLS, SIGNALS, BEHAVIOURS)


def texts(remarks):
    return [str(remark) for remark in remarks]


def test_import_reads_row_of_version_3():
    (got,) = read(ROW).rules
    assert (got.cell, got.signal, got.behaviour) == ("malignant epithelial cell", "oxygen", "necrosis")
    assert (got.increases, got.saturation, got.half_max, got.hill, got.dead) == (False, 0.0, 3.75, 8.0, False)


def test_import_reads_row_of_version_1_and_warns_of_other_base():
    report = read("T cell,oxygen,increases,cycle entry,0.1,0.9,5,2,0\n")
    assert (report.rules[0].saturation, report.rules[0].half_max) == (0.9, 5.0)
    assert texts(report.warnings) == [
        "rules.csv:1:37: base 0.1 is not the base 0.5 of cycle entry in T cell; the cell type's holds"
    ]


@pytest.mark.parametrize(("effect", "saturation"), [("increases", 0.9), ("decreases", 0.1)])
def test_import_reads_row_of_version_0(effect, saturation):
    (got,) = read(f"T cell,cycle entry,0.1,0.5,0.9,oxygen,{effect},5,2,1").rules
    assert (got.saturation, got.behaviour, got.signal, got.dead) == (
        saturation,
        "cycle entry",
        "oxygen",
        True,
    )


def test_import_skips_comments_and_blank_lines():
    assert len(read(f"// {ROW}\n\n  // note, with, commas\n{ROW}\n").rules) == 1


def test_import_reads_tabs_and_windows_line_ends():
    assert len(read("\ufeff" + ROW.replace(",", "\t") + "\r\n").rules) == 1


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("il6 secretion", "secretion il6"),
        ("oxygen uptake", "uptake oxygen"),
        ("migration speed", "migration"),
        ("chemotactic response to il6", "chemotaxis to il6"),
        ("transform to exhausted T cell", "transition to exhausted T cell"),
        ("transition to exhausted T cell", "transition to exhausted T cell"),
        ("custom:HIF", "HIF"),
    ],
)
def test_import_translates_behaviour(theirs, ours):
    assert read(f"T cell,oxygen,increases,{theirs},1,5,2,0").rules[0].behaviour == ours


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("contact with T cell", "contact T cell"),
        ("contact with dead cell", "contact dead"),
        ("intracellular SN38", "drug SN38"),
        ("custom:HIF", "HIF"),
        ("time", "time"),
    ],
)
def test_import_translates_signal(theirs, ours):
    assert read(f"T cell,{theirs},increases,apoptosis,1,5,2,0").rules[0].signal == ours


@pytest.mark.parametrize(
    ("signal", "behaviour"),
    [
        ("pressure", "apoptosis"),
        ("oxygen gradient", "apoptosis"),
        ("damage", "apoptosis"),
        ("oxygen", "cell-cell adhesion"),
        ("oxygen", "il6 secretion target"),
        ("oxygen", "attack T cell"),
    ],
)
def test_import_names_what_has_no_counterpart(signal, behaviour):
    report = read(f"{ROW}\nT cell,{signal},increases,{behaviour},1,5,2,0")
    assert len(report.rules) == 1
    assert len(report.not_imported) == 1
    assert report.not_imported[0].line == 2


def test_import_names_every_fault_with_place_and_nearest_name():
    first, second = "T cel,oxygn,promotes,necrosis,0,3.75,8,0", "T cell,oxygen,increases,apoptosis,x,0,-1,2"
    report = read(f"{first}\n{second}\nT cell,oxygen\n")
    assert report.rules == ()
    assert texts(report.faults) == [
        "rules.csv:1:1: cell: 'T cel' is unknown (did you mean 'T cell'?)",
        "rules.csv:1:7: signal: 'oxygn' is unknown (did you mean 'oxygen'?)",
        "rules.csv:1:13: effect: 'promotes'; expected increases or decreases",
        "rules.csv:2:35: saturation: 'x'; expected a number",
        "rules.csv:2:37: half-max: 0; expected > 0",
        "rules.csv:2:39: Hill power: -1; expected > 0",
        "rules.csv:2:42: dead: '2'; expected 0 or 1",
        "rules.csv:3:1: 2 columns; expected 8 (version 3), 9 (version 1) or 10 (version 0)",
    ]


def test_import_hints_at_increases_for_increase():
    assert "did you mean 'increases'?" in texts(read(ROW.replace("decreases", "increase")).faults)[0]


def test_import_refuses_repeated_signal_and_direction():
    report = read(f"{ROW}\n{ROW}")
    assert texts(report.faults) == ["rules.csv:2:27: signal: 'oxygen' decreases it on line 1 already"]


def test_import_keeps_last_saturation_for_all_as_physicell_does():
    report = read("T cell,oxygen,increases,apoptosis,3,1,1,0\nT cell,il6,increases,apoptosis,5,1,1,0")
    assert [got.saturation for got in report.rules] == [5.0, 5.0]
    assert texts(report.warnings) == ["rules.csv:1:35: saturation 3 gives way to 5 of a later row, as there"]


def test_import_keeps_saturation_of_row_without_counterpart():
    report = read("T cell,oxygen,increases,apoptosis,3,1,1,0\nT cell,pressure,increases,apoptosis,5,1,1,0")
    assert [got.saturation for got in report.rules] == [5.0]


def test_import_keeps_signal_that_acts_both_ways_and_warns():
    report = read("T cell,oxygen,increases,apoptosis,3,1,1,0\nT cell,oxygen,decreases,apoptosis,0,9,1,0")
    assert len(report.rules) == 2
    assert "acts both ways" in texts(report.warnings)[0]


def test_import_warns_that_secretion_is_molecules():
    assert "molecules/min" in texts(read("T cell,oxygen,increases,il6 secretion,3,1,1,0").warnings)[0]


def test_export_comments_out_gated_rule_and_says_so():
    report = written([rule("oxygen", "apoptosis", cell="T cell", gates=[gate("HIF")])])
    assert report.text == "// S0-01 (assumed)\n// T cell,oxygen,increases,apoptosis,1.0,1.0,1.0,0\n"
    assert report.cannot_say[0] == "rules[0] (T cell: oxygen -> apoptosis): gates (while ...)"


@pytest.mark.parametrize(
    ("signal", "behaviour"),
    [("held pERK", "apoptosis"), ("oxygen", "release exo"), ("distance to vessel", "HIF")],
)
def test_export_lists_names_physicell_lacks(signal, behaviour):
    report = written([rule(signal, behaviour, cell="T cell")])
    assert "has no name in PhysiCell" in report.cannot_say[0]
    assert read(report.text).rules == ()


def test_export_lists_differing_saturations():
    rules = [rule("oxygen", "apoptosis", cell="T cell", to=to) for to in (1.0, 2.0)]
    said = written([rules[0], replace(rules[1], signal="il6")]).cannot_say
    assert sum("differs from that of another rule" in line for line in said) == 2


exportable = st.builds(
    rule,
    st.sampled_from(SIGNALS[:-2]),
    st.sampled_from(BEHAVIOURS[:-1]),
    cell=st.sampled_from(CELLS),
    up=st.booleans(),
    to=st.floats(0, 1e6),
    half_max=st.floats(1e-6, 1e6),
    hill=st.floats(0.1, 10),
    dead=st.booleans(),
)


@given(st.lists(exportable, max_size=5, unique_by=lambda r: (r.cell, r.behaviour, r.increases)))
def test_round_trip_returns_same_rules(rules):
    report = read(written(rules).text)
    assert report.faults == ()
    assert [replace(got, why="", evidence=("S0-01",)) for got in report.rules] == rules


@given(st.text())
def test_import_never_raises(text):
    read(text)


@given(
    st.lists(
        st.sampled_from(["T cell", "oxygen", "increases", "apoptosis", "1", "", "-1", "nan", "pressure"])
    )
)
def test_import_of_mixed_up_columns_never_raises(cells):
    read(",".join(cells))
