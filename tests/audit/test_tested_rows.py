from dataclasses import replace

import pytest

from tme_sim.audit.tested_rows import (
    COLUMNS,
    RowError,
    TestedRow,
    feels,
    listed_rows,
    read_tested_rows,
    row_fault,
    run_row,
)
from tme_sim.rules.evidence import EvidenceError

ROW = TestedRow("S0-09", "tumour", "STAT3", 0.0, 1.0, (), "MCT1", 1, "", "", 2)
CELL_ROWS = [row for row in listed_rows() if not row.test]


@pytest.mark.parametrize(
    "row", CELL_ROWS, ids=lambda row: f"{row.id}-{row.signal}-{row.readout}".replace(" ", "_")
)
def test_row_holds_and_depends_on_the_rules_that_cite_it(row, benches):
    assert row_fault(row, benches) == ""


# A variable that holds itself once it is on: a row compares settled cells, which one rule alone settles too.
UNFELT = {("held Cas9_IQGAP1", "IQGAP1_cut"), ("IQGAP1_cut", "IQGAP1_cut")}


def test_every_rule_is_felt_by_a_row_of_an_id_that_it_cites(benches):
    """Cut alone, each rule that is there changes what some row reads; that the row then fails is not asked."""
    seen: dict[tuple, bool] = {}
    for bench in benches:
        for rule in bench.rules:
            key = (rule.cell, rule.signal, rule.behaviour, rule.increases, rule.hypothesis, rule.evidence)
            seen[key] = seen.get(key, False) or any(
                feels(row, rule, bench) for row in CELL_ROWS if row.id in rule.evidence
            )
    unfelt = {key for key, felt in seen.items() if not felt}
    assert {(signal, behaviour) for _, signal, behaviour, *_ in unfelt} == UNFELT


def test_row_passes_if_one_bench_shows_it(bench):
    """Scenarios share rows: one that cites the id elsewhere, or in no rule, does not spoil it."""
    cut = replace(bench, rules=tuple(rule for rule in bench.rules if "S0-09" not in rule.evidence))
    assert row_fault(ROW, [cut, bench]) == ""
    assert "no rule in force cites it" in row_fault(ROW, [cut])
    assert "expected a fall" in row_fault(replace(ROW, sign=-1), [cut, bench])


def test_row_of_wrong_sign_does_not_hold(bench):
    result = run_row(replace(ROW, sign=-1), bench)
    assert not result.holds
    assert "expected a fall" in str(result)


def test_row_does_not_depend_on_rules_that_only_cite_its_id(bench):
    """One rule cannot cover an id by citing it: cutting that rule must turn the row false."""
    idle = next(rule for rule in bench.rules if rule.behaviour == "ERK")
    rules = tuple(replace(rule, evidence=("S9-99",)) if rule is idle else rule for rule in bench.rules)
    result = run_row(replace(ROW, id="S9-99"), replace(bench, rules=rules))
    assert result.holds
    assert not result.passed
    assert "with its rules cut" in str(result)


def test_row_whose_id_no_rule_cites_is_refused(bench):
    with pytest.raises(RowError, match="no rule in force cites it"):
        run_row(replace(ROW, id="S9-99"), bench)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"cell": "tumor"}, "cell 'tumor'"),
        ({"signal": "pSTAT3"}, "signal 'pSTAT3'"),
        ({"readout": "MCT4"}, "readout 'MCT4'"),
        ({"holding": (("HIFF", 1.0),)}, "signal 'HIFF'"),
    ],
)
def test_row_of_unknown_words_is_refused(change, text, bench):
    with pytest.raises(RowError, match=text):
        run_row(replace(ROW, **change), bench)


def test_held_variable_no_longer_follows_its_rules(bench):
    held = replace(ROW, holding=(("MCT1", 0.5),))
    assert run_row(held, bench).change == 0.0


def test_energy_formula_is_cut_with_its_id(bench):
    rules = tuple(replace(rule, evidence=("S0-01",)) for rule in bench.rules)
    row = next(row for row in CELL_ROWS if row.signal == "lactate")
    assert run_row(row, replace(bench, rules=rules)).passed


def made(tmp_path, *lines):
    path = tmp_path / "tested.csv"
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    return path


def test_read_parses_holding(tmp_path):
    (row,) = read_tested_rows(made(tmp_path, "S0-1,tumour,il6,0,1,oxygen = 2; HIF=1,STAT3,+,,"))
    assert row.holding == (("oxygen", 2.0), ("HIF", 1.0))
    assert (row.low, row.high, row.sign, row.line) == (0.0, 1.0, 1, 2)


def test_read_names_every_fault_with_line(tmp_path):
    path = made(
        tmp_path,
        "S0-1,tumour,il6,1,1,,STAT3,+,,",
        "S0-1,tumour,il6,0,1,,STAT3,up,,",
        "S0-1,tumour,,0,1,,STAT3,+,,",
        "S0-1,tumour,,,,,,,tests/a.py::test_b,",
        "S0-1,tumour,il6,0,1,oxygen,STAT3,+,,",
        "S0-1,tumour",
    )
    with pytest.raises(EvidenceError) as caught:
        read_tested_rows(path)
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        f"tested.csv:{line}" for line in range(2, 8)
    ]
