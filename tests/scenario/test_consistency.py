# ruff: noqa: E501 - one case a line reads as a table
import pytest

from tests.scenario.made import changed, faults

GATE = "hypothesis: gate.open}"


CASES = [
    ("[200 um, 100 um]", "[210 um, 100 um]", "grid: size x = 210 um is 10.5 sites of 20 um; expected a whole number; the nearest size is 200 um"),
    ("[200 um, 100 um]", "[1 km, 1 km]", "grid: more than 1e+08 sites"),
    ("spacing: 80 um", "spacing: 120 um", "vessels.spacing: got 120 um; the grid is only 100 um long in y"),
    ("spacing: 80 um", "spacing: 10 um", "vessels.spacing: got 10 um; expected at least a site, 20 um"),
    ("layout: regular,", "layout: regular, radius: 20 um,", "vessels.radius: got 20 um; expected less than a site"),
    ("radius: 40 um", "radius: 60 um", "tissue.tumour.nodules[0]: reaches from -10 to 110 um in y; the grid from 0 to 100"),
    ("radius: 40 um", "radius: 40 um, centre: [20 um, 50 um]", "reaches from -20 to 60 um in x"),
    ("radius: 40 um", "radius: 40 um, centre: [1 um, 5 um, 5 um]", "has 3 coordinates; the grid has 2"),
    ("{nodules: [{radius: 40 um}]}", "{at: [[10 um, 200 um]]}", "tissue.tumour.at[0]: got (10 um, 200 um); outside the grid"),
    ("{nodules: [{radius: 40 um}]}", "{at: [[10 um, 15 um], [11 um, 12 um]]}", "tissue.tumour.at[1]: got (11 um, 12 um); the site is taken by a tumour"),
    ("{nodules: [{radius: 40 um}]}", "{density: 60 %}\n  hsc: {density: 50 %}", "tissue: densities add up to 110 %"),
    ("half_life: 2 h}\n  SN38", "half_life: 2 h, boundary: {z_low: 0 nM}}\n  SN38", "fields.il6.boundary.z_low: the grid has one layer"),
    ("  hsc: {}", "  hsc: {base: {release exosome: 1 /h}}", "cells.hsc.base.release exosome: only tumour releases this pool"),
    ("  - {name: first", "  - {cell: hsc, signal: oxygen, effect: increases, behaviour: release exosome, to: 1 /h, half_max: 8 mmHg}\n  - {name: first", "rules[1].cell: only tumour releases this pool; declare another pool for hsc"),
    ("  - {name: first", "  - {cell: hsc, signal: oxygen, effect: increases, behaviour: cycle entry, to: 1 /h, half_max: 8 mmHg}\n  - {name: first", "rules[1].behaviour: hsc has no cycle"),
    ("to: 0, half_max: 8 mmHg", "to: 0.9, half_max: 8 mmHg", "rules[0].to: got 0.9, above all that HIF reaches in tumour"),
    ("effect: decreases, behaviour: HIF, to: 0,", "effect: increases, behaviour: HIF, to: 0,", "rules[0].to: got 0, below the base value of HIF"),
    (GATE, GATE + "\n  - {cell: tumour, signal: il6, effect: increases, behaviour: STAT3, to: 0.5, half_max: 2 ng/mL}", "rules[2]: repeats rules[1]"),
    ("gate: open", "gate: ajar", "hypotheses.gate: got ajar; expected one of open, closed, none"),
    ("{gate: open}", "{}", "rules[1].hypothesis: hypotheses does not choose a gate; expected one of open, closed, none"),
    ("{gate: open}", "{gate: open, gaet: open}", "hypotheses.gaet: no rule belongs to the hypothesis gaet (did you mean gate?)"),
    ("behaviour: STAT3, to: 1, half_max: 1 ng/mL, while", "behaviour: STAT3, to: 1, name: first, half_max: 1 ng/mL, while", "rules[2].name: first is also the name of rules[1]"),
    ("  HIF: {time", "  oxygen: {time: 1 h}\n  HIF: {time", "variables.oxygen: oxygen is also a field"),
    (", vessel: {exchange: 5 /min}", "", "drugs.SN38.schedule: is never felt: fields.SN38 has no vessel block"),
    ("{field: SN38", "{field: oxygen", "drugs.SN38.field: oxygen is in mmHg; expected a concentration"),
    ("kind: block_release, target: exosome, factor: 0", "kind: set_supply, target: il6, level: 1 nM", "interventions.block.target: is never felt"),
    (", cycle: {}}", ", cycle: {}, metabolism: {oxygen_max: 1 mmHg/s, glucose_max: 1 fmol/h, atp_demand: 1 fmol/h}}", "cells.tumour.metabolism: metabolism needs a field named glucose"),
    (", cycle: {}}", ", cycle: {}, metabolism: {oxygen_max: 1 mmHg/s, glucose_max: 1 fmol/h, atp_demand: 0 fmol/h}}", "cells.tumour.metabolism.atp_demand: got 0 fmol/h; expected > 0"),
    ("stop: [extinct]", "record: {measures: every 1 min}", "record.measures: got every 1 min; expected no more often than every step, 6 min"),
    ("stop: [extinct]", "record: {measures: 1 h}", "record.measures: got 1 h; expected a schedule such as every 1 h, or never"),
    ("[vessels.spacing]", "[vessels.spacign]", "adjustable[0]: got vessels.spacign; there is no spacign (did you mean spacing?)"),
    ("[vessels.spacing]", "[rules.first.half_max, rules.second.hill]", "adjustable[1]: got rules.second.hill; there is no second"),
    ("[vessels.spacing]", "[vessels]", "adjustable[0]: got vessels, a whole block; expected the key of one value"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), CASES)
def test_what_does_not_fit_together_is_a_fault(old, new, fault):
    found = faults(changed((old, new)))
    assert any(fault in line for line in found), found


def test_rule_below_its_base_value_says_where_that_is_written():
    text = changed(("effect: decreases, behaviour: HIF, to: 0,", "effect: increases, behaviour: HIF, to: 0,"))
    assert faults(text)[0].endswith("must lead above it; that is at <text>:15:24")
    assert faults(text, "cells.tumour.base.HIF=0.4")[0].endswith("that is at --set cells.tumour.base.HIF")


def test_hypothesis_may_be_left_empty():
    assert faults(changed(("{gate: open}", "{gate: none}"))) == []


def test_alternatives_of_a_hypothesis_are_no_repetition():
    assert faults(changed((", while: [HIF above 0.5]", ""))) == []


def test_size_may_be_whole_in_another_unit():
    assert (
        faults(changed(("[200 um, 100 um]", "[0.2 mm, 0.1 mm, 0.06 mm]"), ("radius: 40 um", "radius: 30 um")))
        == []
    )


def test_schedule_may_be_never():
    assert faults(changed(("stop: [extinct]", "record: {snapshots: never}"))) == []
