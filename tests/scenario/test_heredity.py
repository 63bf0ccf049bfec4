# ruff: noqa: E501 - one case a line reads as a table
import pytest

from tests.scenario.made import changed, faults
from tme_sim.scenario.load import read_scenario
from tme_sim.scenario.resolved import resolved_yaml
from tme_sim.scenario.scenario import layout_of

TUMOUR = "tumour: {base: {HIF: 0.5, cycle entry: 0.1 /h}, cycle: {}"
TRAITS = "traits: {pump: {multiplies: [efflux SN38], spread: {kind: lognormal, sigma: 0.3}}, stem: {shifts: [STAT3]}}"
CLONES = "clones: {s: {}, r: {share: 1 %, traits: {pump: 5}, fitness: 0.9}}"
WHOLE = (
    f"heredity: {{{TRAITS}, {CLONES}, switching: [{{from: s, to: r, probability: 0.001}}], barcodes: 1000}}"
)


def inheriting(heredity, *pairs):
    return changed((TUMOUR, f"{TUMOUR}, {heredity}"), *pairs)


def test_heredity_loads_and_survives_being_resolved():
    scenario = read_scenario(inheriting(WHOLE))
    assert layout_of(scenario).traits == ("pump", "stem", "fitness")
    assert layout_of(scenario).clones == ("s", "r")
    assert scenario.heredity()["tumour"].shares() == {"s": 0.99, "r": 0.01}
    assert read_scenario(resolved_yaml(scenario)) == scenario


def test_trait_is_a_signal_of_rules():
    rule = "- {cell: tumour, signal: trait pump, effect: increases, behaviour: STAT3, to: 1, half_max: 2}"
    assert faults(inheriting(WHOLE, ("  - {name: first", f"  {rule}\n  - {{name: first"))) == []


def test_scenario_without_heredity_has_no_traits():
    layout = layout_of(read_scenario(changed()))
    assert (layout.traits, layout.clones) == ((), ())


CASES = [
    (
        "[efflux SN38]",
        "[eflux SN38]",
        "traits.pump.multiplies[0]: got eflux SN38; there is no such behaviour (did you mean efflux SN38?)",
    ),
    ("{shifts: [STAT3]}", "{}", "traits.stem: expected either `multiplies` or `shifts`"),
    ("kind: lognormal, sigma: 0.3", "kind: beta, a: 1", "traits.pump.spread: beta needs b"),
    ("sigma: 0.3", "sigma: 0.3, a: 2", "traits.pump.spread: lognormal takes no a"),
    ("sigma: 0.3", "sigma: 0.3, low: 2", "traits.pump.spread: low 2 is not below high 1"),
    (
        "{shifts: [STAT3]}",
        "{shifts: [STAT3], spread: {kind: lognormal, sigma: 1}}",
        "traits.stem: spread: lognormal fits a trait that multiplies",
    ),
    (
        "traits: {pump: 5}",
        "traits: {pumps: 5}",
        "clones.r.traits.pumps: pumps is no trait (did you mean pump?)",
    ),
    ("traits: {pump: 5}", "traits: {pump: -5}", "clones.r.traits.pump: got -5; expected >= 0"),
    ("s: {},", "s: {}, t: {},", "clones: s and t have no share; expected at most one that takes the rest"),
    ("s: {},", "s: {share: 50 %},", "clones: shares add up to 51 %; expected 100 %"),
    ("from: s", "from: x", "switching[0].from: x is no clone"),
    ("from: s", "from: r", "switching[0]: from and to are both r"),
    (
        "probability: 0.001}",
        "probability: 0.7}, {from: s, to: r, probability: 0.4}",
        "switching[1].probability: from s the probabilities add up to 1.1; expected at most 1",
    ),
    ("stem: {shifts", "fitness: {shifts", "traits.fitness: fitness is built in; choose another name"),
    ("r: {share", "pump: {share", "clones.pump: pump is inherited by tumour already; choose another name"),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_fault_is_told_at_its_place(old, new, expected):
    text = inheriting(WHOLE)
    assert text.count(old) >= 1
    found = faults(text.replace(old, new, 1))
    assert any(f"cells.tumour.heredity.{expected}" in fault for fault in found), found


def test_all_faults_come_at_once():
    text = inheriting(WHOLE).replace("from: s", "from: x").replace("traits: {pump: 5}", "traits: {pumps: 5}")
    assert len(faults(text)) == 2
