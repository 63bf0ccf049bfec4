# ruff: noqa: E501 - one case a line reads as a table
import re

import pytest

from tests.scenario.made import SMALL, changed, faults
from tme_sim.batch.experiment import find_experiment
from tme_sim.scenario.faults import Fault, ScenarioError, dotted
from tme_sim.scenario.load import Known, find_scenario, load_scenario

RULE = "signal: oxygen, effect: decreases, behaviour: HIF, to: 0, half_max: 8 mmHg, hill: 4}"


def test_small_scenario_has_no_fault():
    assert faults(SMALL) == []


CASES = [
    # keys
    ("vessels: {layout", "vessles: {layout", "vessles: unknown key (did you mean vessels?)"),
    ("radius: 40 um", "raduis: 40 um", "tissue.tumour.nodules[0].raduis: unknown key (did you mean radius?)"),
    ("time: {duration: 1 d}\n", "", "time: missing"),
    ("half_max: 8 mmHg", "half_maks: 8 mmHg", "rules[0].half_maks: unknown key (did you mean half_max?)"),
    ("half_life: 1 h", "half_life: {valeu: 1 h}", "cargo.pERK.half_life.valeu: unknown key of a number"),
    ("effect: decreases", "effect: decrese", "rules[0].effect: got decrese; expected 'increases' or 'decreases' (did you mean decreases?)"),
    # quantities
    ("duration: 1 d", "duration: 1", "time.duration: got 1 without a unit; expected a time such as 2 h"),
    ("duration: 1 d", "duration: 1 um", "time.duration: got 1 um; expected a time"),
    ("duration: 1 d", "duration: -1 d", "time.duration: got -1 d; expected > 0"),
    ("duration: 1 d", "duration: 1 s", "time: duration 1 s is shorter than the step, 6 min"),
    ("half_max: 8 mmHg, hill", "half_max: 0 mmHg, hill", "rules[0].half_max: got 0 mmHg; expected > 0"),
    ("half_max: 8 mmHg, hill", "half_max: 8 nM, hill", "rules[0].half_max: got 8 nM; expected a pressure"),
    ("hill: 4", "hill: 0", "rules[0].hill: got 0; expected > 0"),
    ("hill: 4", "hill: true", "rules[0].hill: got True; expected a plain number"),
    ("cycle entry: 0.1 /h", "cycle entry: -0.1 /h", "cells.tumour.base.cycle entry: got -0.1 /h; expected >= 0"),
    ("HIF: 0.5", "HIF: 1.5", "cells.tumour.base.HIF: got 1.5; expected <= 1"),
    ("to: 0, half", "to: 2, half", "rules[0].to: got 2; expected <= 1"),
    ("molar_mass: 20 kDa, ", "", "unit ng/mL is a mass per volume: molar_mass is missing"),
    ("unit: mmHg", "unit: furlong", "fields.oxygen.unit: got furlong; expected mmHg or a concentration"),
    ("unit: ng/mL", "unit: ng/ml", "fields.il6.unit: got ng/ml; expected mmHg or a concentration such as nM, mM or ng/mL (did you mean ng/mL?)"),
    ("diameter: 100 nm", "diameter: 100 nmm", "got 100 nmm; expected a length such as 20 um"),
    ("{duration: 1 d}", "{duration: 1 d, step: 2 d}", "is shorter than the step"),
    # names
    ("rules:\n  - {cell: tumour,", "rules:\n  - {cell: tumor,", "rules[0].cell: got tumor; there is no such cell type (did you mean tumour?)"),
    (RULE, RULE.replace("oxygen", "oxigen"), "rules[0].signal: got oxigen; there is no such signal (did you mean oxygen?)"),
    (RULE, RULE.replace("HIF", "HIFF"), "rules[0].behaviour: got HIFF; there is no such behaviour (did you mean HIF?)"),
    ("effect: decreases", "effect: decrease", "rules[0].effect: got decrease; expected 'increases' or 'decreases' (did you mean decreases?)"),
    ("cargo: {pERK: 1}", "cargo: {pERC: 1}", "vesicles.exosome.cargo.pERC: got pERC; there is no such cargo (did you mean pERK?)"),
    ("{hsc: 0.1 /h}", "{hcs: 0.1 /h}", "vesicles.exosome.taken_up_by.hcs: got hcs; there is no such cell type (did you mean hsc?)"),
    ("donor: tumour", "donor: fish", "vesicles.exosome.donor: got fish; there is no such cell type"),
    ("{field: SN38", "{field: sn38", "drugs.SN38.field: got sn38; there is no such field (did you mean SN38?)"),
    ("HIF: 0.5, cycle", "HIV: 0.5, cycle", "cells.tumour.base.HIV: HIV is no behaviour of this scenario (did you mean HIF?)"),
    ("target: exosome", "target: exsome", "interventions.block: block_release: target exsome is no pool (did you mean exosome?)"),
    ("tissue:\n  tumour", "tissue:\n  tumor", "tissue.tumor: got tumor; there is no such cell type (did you mean tumour?)"),
    ("while: [HIF above 0.5]", "while: [HIIF above 0.5]", "rules[2].while[0]: HIIF is no signal of this scenario (did you mean HIF?)"),
    ("while: [HIF above 0.5]", "while: [HIF over 0.5]", "rules[2].while[0]: got HIF over 0.5; expected a gate such as"),
    ("while: [HIF above 0.5]", "while: [oxygen above 0.5]", "rules[2].while[0]: got 0.5 without a unit; expected a pressure"),
    ("while: [HIF above 0.5]", "while: [HIF above 0]", "rules[2].while[0]: got 0; expected > 0"),
    ("  HIF: {time", "  2HIF: {time", "variables.2HIF: got 2HIF; a name is a letter"),
    ("  hsc: {}", "  dead: {}", "cells.dead: dead is a word of the rules; choose another name"),
    ("layout: regular", "layout: hexagonal", "vessels.layout: got hexagonal; expected 'random', 'regular' or 'file'"),
    # structure
    ("rules:\n", "rules: 3\nstop_:\n", "rules: got 3; expected a list"),
    ("grid: {size: [200 um, 100 um]}", "grid: 3", "grid: got 3; expected keys and values"),
    ("[200 um, 100 um]", "[200 um]", "grid.size:"),
    ("active: false", "active: no", "interventions.block.active: got no; expected true or false"),
    ("scenario: small", "scenario: 3", "scenario: got 3; expected text"),
    ("scenario: small", "scenario: small\nseed: -1", "seed: got -1;"),
    ("scenario: small", "scenario: small\nseed: 18446744073709551616", "seed: got 18446744073709551616;"),
    ("scenario: small", "scenario: small\nseed: 1.5", "seed: got 1.5; expected a whole number"),
    ("factor: 0,", "rate: 1 /h,", "interventions.block: block_release needs a factor"),
    ("factor: 0,", "factor: 0, rate: 1 /h,", "interventions.block: block_release takes no rate"),
    ("factor: 0,", "factor: 0, from: 2 d, until: 1 d,", "until 1 d is not after from 2 d"),
    ("stop: [extinct]", "stop: [extinkt]", "stop[0]: got extinkt; expected a comparison"),
    ("stop: [extinct]", "stop: ['tumour_cells >> 3']", "stop[0]: got tumour_cells >> 3; expected a comparison"),
    ("factor: 0,", "factor: 0, when: soon,", "interventions.block.when: got soon; expected a comparison"),
    ("layout: regular,", "layout: file,", "layout: file needs a file"),
    ("layout: regular,", "layout: file, file: none.csv,", "vessels.file: none.csv cannot be read: No such file"),
    ("layout: regular, spacing: 80 um,", "layout: random,", "layout: random needs a spacing"),
    ("{nodules: [{radius: 40 um}]}", "{}", "tissue.tumour: expected nodules, a density or positions"),
    (", cycle: {}}", "}", "cells.tumour: base has a cycle entry, but the cell type has no cycle"),
    ("for: 1 h}", "for: 1 h, every: 1 min}", "drugs.SN38.schedule[0]: every 1 min is shorter than for 1 h"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), CASES)
def test_fault_says_where_what_and_what_instead(old, new, fault):
    found = faults(changed((old, new)))
    assert any(fault in line for line in found), found


def test_place_points_at_the_value():
    line = faults(changed(("half_max: 8 mmHg", "half_max: 8 nM")))[0]
    text = changed(("half_max: 8 mmHg", "half_max: 8 nM")).splitlines()
    row, column = map(int, re.match(r"<text>:(\d+):(\d+)", line).groups())
    assert text[row - 1][column - 1 :].startswith("8 nM")


def test_place_of_an_unknown_key_points_at_the_key():
    text = changed(("radius: 40 um", "radius: 40 um, raduis: 3"))
    row, column = map(int, re.match(r"<text>:(\d+):(\d+)", faults(text)[0]).groups())
    assert text.splitlines()[row - 1][column - 1 :].startswith("raduis")


def test_all_faults_are_reported_at_once_in_order_of_the_file():
    text = changed(
        ("duration: 1 d", "duration: 1"),
        ("donor: tumour", "donor: fish"),
        ("half_life: 1 h", "half_life: 1 um"),
        ("cycle entry: 0.1 /h", "cycle entry: x"),
        ("effect: decreases", "effect: up"),
        ("gate: open", "gate: ajar"),
        ("stop: [extinct]", "stop: [never]"),
    )
    found = faults(text)
    assert len(found) == 7
    rows = [int(line.split(":")[1]) for line in found]
    assert rows == sorted(rows)


def test_unknown_signal_brings_no_fault_of_its_half_max():
    assert len(faults(changed((RULE, RULE.replace("oxygen", "oxigen"))))) == 1


KNOWN = Known(
    frozenset({"S0-01"}),
    frozenset({"li2020", "parameters:O2-1"}),
    frozenset({"PMC1"}),
    frozenset({"tumour_cells"}),
)


CITATIONS = [
    ("hill: 4", "hill: 4, evidence: [S0-1]", "rules[0].evidence[0]: S0-1 is no id of a mechanism (did you mean S0-01?)"),
    ("hill: 4", "hill: 4, source: li2021", "rules[0].source: li2021 is no key of the bibliography, no parameters:ID, and not assumed (did you mean li2020?)"),
    ("1 h}\nfields", "{value: 1 h, source: parameters:O2-9}}\nfields", "cargo.pERK.half_life.source: parameters:O2-9 is no key"),
    ("hill: 4", "hill: {value: 4, source: assumed}", "rules[0].hill.source: assumed without a reason; add why"),
    ("hill: 4", "hill: 4, source: assumed", "rules[0].source: assumed without a reason"),
    ("scenario: small", "scenario: small\ndocuments: [PMC2]", "documents[0]: PMC2 is no known document (did you mean PMC1?)"),
    ("stop: [extinct]", 'stop: ["tumor_cells > 3"]', "stop[0]: tumor_cells is no measure (did you mean tumour_cells?)"),
    ("factor: 0,", 'factor: 0, when: "tumor_cells > 3",', "interventions.block.when: tumor_cells is no measure"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), CITATIONS)
def test_citation_of_something_unknown_is_a_fault(old, new, fault):
    found = faults(changed((old, new)), known=KNOWN)
    assert any(fault in line for line in found), found


@pytest.mark.parametrize(
    "new",
    [
        "hill: {value: 4, source: assumed, why: steep}",
        "hill: {value: 4, source: assumed}, why: steep",
        "hill: {value: 4, source: 'parameters:O2-1'}",
        "hill: 4, source: li2020, evidence: [S0-01]",
    ],
)
def test_known_citation_and_inherited_reason_are_accepted(new):
    assert faults(changed(("hill: 4", new)), known=KNOWN) == []


def test_a_word_between_opposites_suggests_neither():
    found = faults(changed(("effect: decreases", "effect: raises")))
    assert found[0].endswith("rules[0].effect: got raises; expected 'increases' or 'decreases'")


def test_unknown_scenario_name_suggests_the_nearest():
    with pytest.raises(ScenarioError, match="liver_metastasis"):
        load_scenario("liver_metastases")


def test_error_carries_its_faults_through_pickle():
    import pickle

    error = pickle.loads(pickle.dumps(ScenarioError([Fault("a:1:2", "b", "c", "d")])))
    assert str(error) == "a:1:2: b: c (did you mean d?)"
    assert error.faults[0].suggestion == "d"


def test_path_is_dotted_with_indexes():
    assert dotted(("rules", 3, "half_max")) == "rules[3].half_max"


def test_fault_of_a_part_is_not_repeated_for_the_whole():
    with pytest.raises(ScenarioError) as caught:
        load_scenario("liver_metastasis", ["grid.size=[-1 mm, 1 mm]"])
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize(
    ("find", "what", "near"),
    [(find_scenario, "scenario", "liver_metastasis"), (find_experiment, "experiment", "quick")],
)
def test_a_folder_and_a_missing_file_are_told_apart(find, what, near, tmp_path) -> None:
    with pytest.raises(ScenarioError, match=f"this is a folder, and no {what}"):
        find(tmp_path)
    with pytest.raises(ScenarioError, match=f"no such file, and no {what} .*did you mean {near}"):
        find(near[:-1])


def test_of_many_faults_some_are_told_and_the_number_of_all():
    keys = "".join(f"unknown_key_{i}: 1\n" for i in range(9_000))
    found = faults(SMALL + keys)
    assert found[0].endswith("9,000 faults; these are 200 of them")
    assert len(found) == 201


def test_values_that_cannot_be_read_are_told_beside_all_other_faults():
    text = changed(
        ("time: {duration: 1 d}", "time: {duration: .nan, duration: 2 d}"),
        ("diffusion: 30 um^2/s", "diffusion: .inf"),
        ("hill: 4", "hil: 4"),
    )
    told = faults(text)
    assert len(told) == 4, told
    assert any("the key duration occurs twice" in fault for fault in told)
    assert any("got .nan; expected a finite number" in fault for fault in told)
    assert any("got .inf; expected a finite number" in fault for fault in told)
    assert any("rules[0].hil: unknown key" in fault for fault in told)


def test_key_that_reads_like_a_mark_of_the_checker_is_unknown():
    assert any("unknown key" in fault for fault in faults(SMALL, "[key]=None"))
