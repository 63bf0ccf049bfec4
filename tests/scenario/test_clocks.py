"""The two clocks against the growth law of a population that divides and dies (Euler and Lotka)."""

import math

import numpy as np
import pytest
import yaml
from scipy.optimize import brentq

from tme_sim.model.assemble import assay_of, physiology_of
from tme_sim.model.specs import Numbers
from tme_sim.resources import data_dir
from tme_sim.scenario.load import ScenarioError, load_scenario
from tme_sim.scenario.scenario import layout_of


def made(scenario):
    """Return the numbers of a scenario, its assay, and the type of tumour cells as an array of one."""
    numbers = Numbers(scenario, layout_of(scenario), scenario.vocabulary, scenario.lattice())
    kind = np.array([numbers.layout.cell_types.index("tumour")], np.int16)
    return numbers, assay_of(numbers, physiology_of(numbers)), kind


def naive_survival(name, *overrides):
    """Return the share of naive tumour cells that survive the reference exposure."""
    _, assay, kind = made(load_scenario(name, overrides))
    exposure = assay.exposures[0]
    kill = assay.log_kill(exposure, assay.parameters(exposure, assay.naive_behaviours(kind)), kind)
    return math.exp(-kill[0])


def doubling_hours(name, *overrides):
    """Return the doubling time of naive tumour cells: 1 = 2 r/(r + µ + d) exp(−(µ + d) T), doubling ln 2/µ."""
    scenario = load_scenario(name, overrides)
    numbers, assay, kind = made(scenario)
    naive = assay.naive_behaviours(kind)[0]
    r, d = (60.0 * naive[numbers.column[word]] for word in ("cycle entry", "apoptosis"))
    d += 60.0 * naive[numbers.column["necrosis"]]
    stages = scenario.cells["tumour"].cycle
    hours = float(stages.S + stages.G2M) / 60.0
    births = births_per_hour(r, hours)
    return math.log(2) / (births - d), d / births


def births_per_hour(entry, hours):
    """Return the rate of births of cells that enter the cycle at a rate and need some hours for S to M."""
    return brentq(lambda b: entry + b - 2.0 * entry * math.exp(-b * hours), 0.0, 2.0)


LIBRARY_FILES = sorted((data_dir("configs") / "libraries").glob("*.yaml"))
FILES = {file.stem: file for file in sorted(data_dir("configs").glob("*.yaml"))}
WITHOUT_CLOCK = {"krogh", "first_steps"}
LIBRARIES = {
    "clock_cell_line": ("cell_line", 20.0, 72.0),  # parameters:CELL-1, CELL-2
    "clock_patient": ("patient", 70.0 * 24.0, 300.0 * 24.0),  # parameters:CELL-6
    "clock_patient_hcc": ("patient", 72.1 * 24.0, 302.3 * 24.0),
}
FASTEST_PATIENT_HOURS = 11.0 * 24.0  # parameters:CELL-7


def libraries_of(name):
    """Return the libraries that a scenario uses, but for a clock."""
    used = yaml.safe_load(FILES[name].read_text(encoding="utf-8")).get("use", [])
    return [library for library in used if not library.startswith("clock_")]


def clocked(name, clock):
    return f"use=[{', '.join([*libraries_of(name), clock])}]"


def presets():
    """Return (scenario, clock library) of every scenario that grows, with the clock that is meant for its cells."""
    for name in FILES:
        if name not in WITHOUT_CLOCK:
            patient = "clock_patient_hcc" if "tumour_state" in libraries_of(name) else "clock_patient"
            yield from ((name, "clock_cell_line"), (name, patient))


@pytest.mark.parametrize(("name", "clock"), list(presets()))
def test_well_supplied_cells_double_within_the_range_of_their_clock(name, clock):
    word, shortest, longest = LIBRARIES[clock]
    hours, lost = doubling_hours(name, clocked(name, clock))
    assert shortest < hours < longest
    assert load_scenario(name, [clocked(name, clock)]).clock == word
    assert word == "cell_line" or 0.97 < lost < 0.99


@pytest.mark.parametrize(("name", "clock"), [pair for pair in presets() if "patient" in pair[1]])
def test_nothing_makes_a_patients_tumour_grow_as_a_cell_line(name, clock):
    """All that raises growth, or spares cells, at full strength: no faster than the fastest of patients."""
    scenario = load_scenario(name, [clocked(name, clock)])
    rules = [rule for rule in scenario.rules if rule.cell == "tumour" and scenario.in_force(rule)]
    base = scenario.cells["tumour"].base
    entry = max(float(rule.to) for rule in rules if rule.behaviour == "cycle entry")
    spared = [float(rule.to) for rule in rules if (rule.behaviour, rule.effect) == ("apoptosis", "decreases")]
    deaths = 60.0 * min([float(base["apoptosis"]), *spared])
    stages = scenario.cells["tumour"].cycle
    births = births_per_hour(60.0 * entry, float(stages.S + stages.G2M) / 60.0)
    assert math.log(2) / (births - deaths) > FASTEST_PATIENT_HOURS


@pytest.mark.parametrize(
    ("name", "shares"), [("s0_relay", (0.52, 0.62, 0.82)), ("hcc_sorafenib", (0.56, 0.56, 0.56))]
)
def test_clock_decides_what_a_drug_of_one_stage_kills(name, shares):
    """SN38 kills in S, sorafenib in every stage; these are the numbers of docs/scenarios.md."""
    patient = {"s0_relay": "clock_patient", "hcc_sorafenib": "clock_patient_hcc"}[name]
    clocks = [[], [clocked(name, "clock_cell_line")], [clocked(name, patient)]]
    assert [naive_survival(name, *clock) for clock in clocks] == pytest.approx(list(shares), abs=0.006)


@pytest.mark.parametrize("name", sorted(WITHOUT_CLOCK))
def test_scenario_without_clock_says_why(name):
    assert "no clock applies" in FILES[name].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("use", "faults"),
    [
        ("[clock_patient, liver_cells, sn38, il6, s0_relay]",
         [("clock_patient stands before liver_cells, which sets", "cells.tumour.base.apoptosis")]),
        ("[liver_cells, sn38, clock_cell_line, clock_patient, il6, s0_relay]",
         [("clock_cell_line stands before clock_patient, which sets clock", "cells.tumour.cycle.S and")]),
    ],
)  # fmt: skip
def test_clock_before_a_library_that_sets_its_numbers_anew_is_a_fault(use, faults):
    with pytest.raises(ScenarioError) as caught:
        load_scenario("s0_relay", [f"use={use}"])
    told = [str(fault) for fault in caught.value.faults if fault.path == "use"]
    assert len(told) == len(faults)
    for line, words in zip(told, faults, strict=True):
        assert all(word in line for word in words), line


def test_clock_before_a_library_that_leaves_its_numbers_alone_is_fine():
    moved = load_scenario("s0_relay", ["use=[liver_cells, clock_patient, sn38, il6, s0_relay]"])
    last = load_scenario("s0_relay", [clocked("s0_relay", "clock_patient")])
    assert moved.cells["tumour"].base == last.cells["tumour"].base
    assert moved.clock == last.clock == "patient"


def test_rule_that_a_clock_changes_may_not_come_behind_it():
    """Fibroblasts' own growth rule would take the place of the clock's."""
    libraries = [name for name in libraries_of("hcc_sorafenib") if name != "stroma"]
    with pytest.raises(
        ScenarioError, match="clock_patient stands before stroma, which sets rules.caf_growth anew"
    ):
        load_scenario("hcc_sorafenib", [f"use=[{', '.join([*libraries, 'clock_patient', 'stroma'])}]"])


def test_clock_libraries_change_rules_that_some_library_has():
    """What is left out where it is not there must be somewhere, or its name is misspelt."""
    libraries = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in LIBRARY_FILES}
    known = {
        rule.get("name") for data in libraries.values() for rule in data.get("rules", []) if "signal" in rule
    }
    changed = {rule["name"] for name in LIBRARIES for rule in libraries[name]["rules"]}
    assert changed <= known
