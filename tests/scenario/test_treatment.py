# ruff: noqa: E501 - one case a line reads as a table
"""Doses, kinetics and interventions as a scenario writes them: what is read, and what is refused where."""

import pytest

from tests.scenario.made import SMALL, changed, faults
from tme_sim.scenario.intervention import KINDS
from tme_sim.scenario.load import read_scenario

KINETICS = "kinetics: {volume: 10 L, clearance: 5 L/h, absorption: {half_life: 1 h}}"
OLD_DOSE = "schedule: [{dose: 8 nM, from: 1 h, for: 1 h}]"
OLD_ACT = "block: {kind: block_release, target: exosome, factor: 0, active: false}"
MASS = ("SN38: {unit: nM,", "SN38: {unit: nM, molar_mass: 400 Da,")


def dosed(dose, kinetics=KINETICS, patient=""):
    return changed(MASS, (OLD_DOSE, f"{kinetics}, schedule: [{dose}]"), ("rules:\n", f"{patient}rules:\n"))


def acting(act):
    return changed((OLD_ACT, f"x: {act}"))


@pytest.mark.parametrize(
    ("dose", "unit", "value"),
    [
        ("400 mg", "nmol", 1e6),
        ("2 umol", "nmol", 2e3),
        ("4 mg/m^2", "nmol/m^2", 1e4),
        ("4 mg/kg", "nmol/kg", 1e4),
    ],
)
def test_amounts_are_read_in_moles(dose, unit, value):
    patient = "patient: {weight: 70 kg, surface: 1.8 m^2}\n"
    read = (
        read_scenario(dosed(f"{{route: bolus, dose: {dose}}}", patient=patient))
        .drugs["SN38"]
        .schedule[0]
        .dose
    )
    assert (read.unit, float(read)) == (unit, pytest.approx(value))


def test_doses_in_mass_are_of_the_prodrug():
    prodrug = KINETICS[:-1] + ", prodrug: {molar_mass: 800 Da, volume: 5 L, clearance: 1 L/h, share: 10 %}}"
    read = read_scenario(dosed("{route: bolus, dose: 400 mg}", prodrug)).drugs["SN38"].schedule[0].dose
    assert float(read) == pytest.approx(5e5)


def test_reference_may_be_a_total_in_medium():
    text = changed(
        (
            "half_max: 8 nM",
            "half_max: 8 nM, unbound: {plasma: 1 %, medium: 5 %}, reference: {dose: 6 uM, total_in: medium, for: 72 h}",
        )
    )
    assert read_scenario(text).drugs["SN38"].free_reference == pytest.approx(300.0)


WELL = "grid: {size: [200 um, 100 um], interstitial_fraction: 1, medium: {height: 1 mm}}"
FRESH = "  fresh: {kind: exchange_medium, from: 1 h, medium: {SN38: 5 nM}}\nrules:"
TOTAL = "half_max: 8 nM, reference: {dose: 6 uM, total_in: medium, for: 72 h}"


@pytest.mark.parametrize(
    ("dish", "shares", "more", "wrong"),
    [
        (
            False,
            "{medium: 5 %}",
            (),
            "medium: counts for nothing: this is a tissue fed by plasma; write plasma",
        ),
        (False, "{plasma: 1 %, medium: 5 %}", (), ""),
        (False, "5 %", (), ""),
        (False, "{medium: 5 %}", (("rules:", FRESH),), ""),
        (False, "{medium: 5 %}", (("half_max: 8 nM", TOTAL),), ""),
        (True, "{plasma: 1 %}", (), "plasma: counts for nothing: this is a dish; write medium, or both"),
        (True, "{tissue: 20 %}", (), "tissue: counts for nothing: this is a dish"),
        (True, "{medium: 5 %, plasma: 1 %, tissue: 20 %}", (), ""),
        (True, "5 %", (), ""),
    ],
)
def test_free_share_of_a_matrix_that_is_not_there_is_a_fault(dish, shares, more, wrong):
    text = changed(("field: SN38", f"field: SN38, unbound: {shares}"), *more)
    if dish:
        text = text.replace("grid: {size: [200 um, 100 um]}", WELL)
        text = text.replace(", schedule: [{dose: 8 nM, from: 1 h, for: 1 h}]", "")
    found = faults(text)
    assert any(f"drugs.SN38.unbound.{wrong}" in line for line in found) if wrong else found == []


DOSES = [
    ("{route: bolus, dose: 8 nM}", "got 8 nM; expected an amount such as 400 mg"),
    ("{route: level, dose: 400 mg, for: 1 h}", "got 400 mg; expected a concentration"),
    ("{route: oral, dose: 4 mg/m^2}", "drugs.SN38.schedule[0].dose: got 4 mg/m^2; patient.surface is not declared"),
    ("{route: oral, dose: 4 mg, at_most: 1 mg/kg}", "drugs.SN38.schedule[0].at_most: got 1 mg/kg; patient.weight is not declared"),
    ("{route: infusion, dose: 4 mg}", "route infusion needs a for"),
    ("{route: oral, dose: 4 mg, for: 1 h}", "route oral takes no for"),
    ("{route: oral, dose: -4 mg}", "got -4 mg; expected > 0"),
    ("{route: oral, dose: 4 mg, times: 3}", "times needs `every`"),
    ('{route: oral, dose: 4 mg, stop_when: "tumour_cells < 5"}', "stop_when needs a `when`"),
    ("{dose: 8 nM, for: 1 h, at_most: 4 mg}", "at_most caps an amount"),
    ("{route: oral, dose: 4 mg, cycle: {given: 21 d}}", "pause"),
    ("{route: mouth, dose: 4 mg}", "drugs.SN38.schedule[0].route: got mouth"),
]  # fmt: skip


@pytest.mark.parametrize(("dose", "fault"), DOSES)
def test_bad_dose_is_a_fault(dose, fault):
    found = faults(dosed(dose))
    assert any(fault in line for line in found), found


BODIES = [
    ("kinetics: {volume: 10 L}", "expected either a clearance or a half_life"),
    ("kinetics: {volume: 10 L, half_life: 1 h, peripheral: {volume: 1 L, flow: 1 L/h}}", "a half_life says nothing about two compartments"),
    ("kinetics: {volume: 10 L, half_life: 1 h, recycling: {share: 50 %, delay: 8 h}}", "recycling needs an absorption"),
    (KINETICS[:-1] + ", recycling: {share: 100 %, delay: 8 h}}", "expected less than 1, or the drug never leaves the body"),
    ("kinetics: {volume: 0 L, half_life: 1 h}", "got 0 L; expected > 0"),
    ("kinetics: {volume: 10 L, half_life: 1 h}", "drugs.SN38.schedule[0].route: oral needs kinetics.absorption"),
    ("hill: 1", "drugs.SN38.schedule[0].route: oral needs kinetics, which are not declared"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "fault"), BODIES)
def test_bad_kinetics_are_a_fault(body, fault):
    found = faults(dosed("{route: oral, dose: 4 mg}", body))
    assert any(fault in line for line in found), found


CURVES = [
    ("hours,level\n0,1\n", "curve.csv:1:1: got hours,level; expected the header time,level"),
    ("time,level\n0,1\n1,x\n", "curve.csv:3:3: got x; expected a number >= 0"),
    ("time,level\n0,1\n2,-1\n", "curve.csv:3:3: got -1; expected a number >= 0"),
    ("time,level\n0,1\n2,3\n2,3\n", "curve.csv:4:1: time 2 after 2; expected times that rise"),
    ("time,level\n0,1,5\n1,1\n2,1\n", "curve.csv:2:1: 3 values; expected time,level"),
    ("time,level\n0,1\n", "1 points; expected two or more"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "fault"), CURVES)
def test_bad_curve_is_a_fault_at_its_line(tmp_path, content, fault):
    (tmp_path / "curve.csv").write_text(content)
    text = changed((OLD_DOSE, f"plasma_curve: {{file: {tmp_path}/curve.csv, level: nM}}"))
    found = faults(text)
    assert any(fault in line for line in found), found


def test_all_faults_of_a_curve_come_at_once(tmp_path):
    (tmp_path / "curve.csv").write_text("time,level\n0,a\n1,b\n")
    found = faults(changed((OLD_DOSE, f"plasma_curve: {{file: {tmp_path}/curve.csv, level: nM}}")))
    assert sum("expected a number" in line for line in found) == 2


GOOD = {
    "block_release": "{kind: block_release, target: all, factor: 0}",
    "block_uptake": "{kind: block_uptake, target: exosome, factor: 50 %, cell: hsc}",
    "target_uptake": "{kind: target_uptake, target: exosome, by: HIF, gain: 3}",
    "give_vesicles": "{kind: give_vesicles, target: exosome, amount: 5, at: middle, radius: 40 um, every: 1 h, times: 2}",
    "neutralise": "{kind: neutralise, target: il6, by: SN38, binding: 0.06 /nM/h, affinity: 1 nM, complex_half_life: 2 d}",
    "set_supply": "{kind: set_supply, target: oxygen, level: 20 mmHg}",
    "clamp": "{kind: clamp, target: oxygen, level: 1 mmHg}",
    "knock_down": "{kind: knock_down, target: HIF, factor: 0.1}",
    "knock_out": "{kind: knock_out, target: HIF, cell: tumour}",
    "express": "{kind: express, target: HIF, to: 1}",
    "inhibit": "{kind: inhibit, target: STAT3, by: SN38, half_max: 8 nM, hill: 2, leaves: 10 %}",
    "change_dose": '{kind: change_dose, target: SN38, factor: 0, when: "tumour_cells < 5", stop_when: "tumour_cells > 9"}',
    "wash_out": "{kind: wash_out, target: SN38, from: 6 h}",
    "exchange_medium": "{kind: exchange_medium, fraction: 50 %, medium: {il6: 1 ng/mL}, every: 6 h}",
    "remove_cells": "{kind: remove_cells, target: hsc, rate: 1 /h}",
    "deplete": "{kind: deplete, target: hsc, fraction: 90 %}",
    "transplant": "{kind: transplant, target: hsc, at: [100 um, 50 um], radius: 30 um}",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read(kind):
    text = acting(GOOD[kind])
    if kind == "clamp":
        text = text.replace(
            "half_saturation: 1 mmHg, vessel", "half_saturation: 1 mmHg, solve: steady, vessel"
        )
    assert faults(text) == []


BAD = {
    "block_release": ("{kind: block_release, target: al, factor: 0}", "target al is no pool"),
    "block_uptake": ("{kind: block_uptake, target: exosome}", "block_uptake needs a factor"),
    "target_uptake": ("{kind: target_uptake, target: exosome, by: oxygen, gain: 3}", "by oxygen is no variable"),
    "give_vesicles": ("{kind: give_vesicles, target: exosome, amount: 5, through: vessels}", "through vessels and for go together"),
    "neutralise": ("{kind: neutralise, target: il6, rate: 1 /h, by: SN38}", "neutralise needs a rate, or an antibody"),
    "set_supply": ("{kind: set_supply, target: oxygen, level: 20 nM}", "got 20 nM; expected a pressure"),
    "clamp": ("{kind: clamp, target: il6, level: 1 nM}", "a clamp holds steady fields"),
    "knock_down": ("{kind: knock_down, target: HIF, factor: 2}", "got 2; expected <= 1"),
    "knock_out": ("{kind: knock_out, target: HIF, factor: 0}", "knock_out takes no factor"),
    "express": ("{kind: express, target: HIF}", "express needs a to"),
    "inhibit": ("{kind: inhibit, target: STAT3, by: HIF, half_max: 8 nM}", "by HIF is no field"),
    "change_dose": ("{kind: change_dose, target: SN39, factor: 0}", "target SN39 is no drug (did you mean SN38?)"),
    "wash_out": ("{kind: wash_out}", "wash_out needs a target"),
    "exchange_medium": ("{kind: exchange_medium, medium: {il7: 1 nM}}", "il7 is no field (did you mean il6?)"),
    "remove_cells": ("{kind: remove_cells, target: hsc, rate: 1 /h, every: 1 h}", "remove_cells takes no every"),
    "deplete": ("{kind: deplete, target: hsc, fraction: 0 %}", "expected > 0"),
    "transplant": ("{kind: transplant, target: hsc, at: [900 um, 50 um]}", "interventions.x.at: got (900 um, 50 um); outside the grid"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_fault_that_says_what_is_wrong(kind):
    act, fault = BAD[kind]
    found = faults(acting(act))
    assert any(fault in line for line in found), found


def test_small_scenario_has_no_fault():
    assert faults(SMALL) == []
