from tme_sim.audit.provenance import NumberUse, numbers_of
from tme_sim.scenario.load import read_scenario

SCENARIO = """
scenario: made
grid: {size: [100 um, 100 um], spacing: 20 um, interstitial_fraction: 0.2}
time: {step: 6 min, duration: 1 d}
variables:
  HIF: {time: 2 h, source: assumed, why: because}
cells:
  tumour:
    base: {HIF: 1, apoptosis: {value: 0.001 /h, source: "parameters:CELL-12"}}
    push: 3
    source: assumed
    why: the block's
  hsc:
    base: {HIF: 0.5}
rules:
  - {cell: tumour, signal: time, effect: increases, behaviour: HIF, to: 1, half_max: 1 d, source: he2022}
"""


def found():
    return {number.where: number for number in numbers_of(read_scenario(SCENARIO))}


def test_number_keeps_its_own_source():
    assert found()["cells.tumour.base.apoptosis"].source == "parameters:CELL-12"


def test_number_takes_source_and_reason_of_its_block():
    assert found()["cells.tumour.base.HIF"] == NumberUse("cells.tumour.base.HIF", "assumed", "the block's")


def test_number_without_source_is_told():
    assert found()["cells.hsc.base.HIF"] == NumberUse("cells.hsc.base.HIF", "", "")


def test_numbers_of_rules_are_told_and_defaults_are_not():
    assert {name for name in found() if name.startswith("rules")} == {"rules[0].to", "rules[0].half_max"}


def test_settings_of_an_experiment_are_no_claims():
    assert not [name for name in found() if name.startswith(("grid", "time", "cells.tumour.push"))]
