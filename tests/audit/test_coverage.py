from dataclasses import replace

import pytest
import yaml

from tests.rules.made import rule
from tme_sim.audit import of_scenario
from tme_sim.audit.coverage import Uses, coverage, open_ids, read_open_ids
from tme_sim.audit.of_scenario import audit_package, benches_of, joined_scenarios, uses_of, uses_of_package
from tme_sim.audit.provenance import NumberUse
from tme_sim.audit.tested_rows import TestedRow
from tme_sim.resources import data_dir
from tme_sim.rules.evidence import EvidenceError, Mechanism, mechanisms

ROOT = data_dir("seeds").parent


def statement(name, tier="A", reason=""):
    return Mechanism(name, "doc", "", "", "", "", "", "effect", "", "", "", tier, "stated", reason, 2)


def row(name, signal="x", note="", test=""):
    return TestedRow(name, "tumour", signal, 0.0, 1.0, (), "b", 1, test, note, 7)


def cited(*ids, **changes):
    return replace(rule(), evidence=ids, **{"why": "made", **changes})


def audit(*, rules=(), statements=("M-1",), tested=(), still_open=(), **more):
    rows = [statement(name) if isinstance(name, str) else name for name in statements]
    uses = Uses(
        rules,
        **{
            key: more.pop(key)
            for key in ("processes", "knobs", "readouts", "numbers", "unexplained", "measures")
            if key in more
        },
    )
    return coverage(uses, statements=rows, still_open=still_open, tested=tested, **more)


def test_cited_and_tested_mechanism_is_covered():
    result = audit(rules=[cited("M-1")], tested=[row("M-1")])
    assert result.faults == ()
    assert result.rows[0].status == "covered"
    assert result.rows[0].covered_by == ("rule tumour: x increases b",)
    assert result.rows[0].tested_by == ("tumour: x + b",)


@pytest.mark.parametrize("kind", ["processes", "knobs", "readouts"])
def test_process_knob_and_readout_cover_too(kind):
    assert audit(tested=[row("M-1", test="tests/a.py::test_b")], **{kind: {"thing": ["M-1"]}}).faults == ()


def test_rule_without_mechanism_is_a_fault():
    assert audit(rules=[cited()], still_open=["M-1"]).faults == (
        "rule tumour: x increases b: cites no mechanism",
    )


def test_unknown_id_is_a_fault():
    assert "cites M-9, which is no mechanism" in audit(rules=[cited("M-9")], still_open=["M-1"]).faults[0]


@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_uncovered_mechanism_is_a_fault_unless_open(tier):
    statements = [statement("M-1", tier)]
    assert "neither rule, process, knob nor readout" in audit(statements=statements).faults[0]
    assert audit(statements=statements, still_open=["M-1"]).faults == ()


def test_cited_mechanism_without_tested_row_is_a_fault():
    assert "no tested row" in audit(rules=[cited("M-1")]).faults[0]


def test_covered_mechanism_listed_as_open_is_a_fault():
    faults = audit(rules=[cited("M-1")], tested=[row("M-1")], still_open=["M-1"]).faults
    assert faults == ("M-1 (tier A): listed as open, but covered",)


def test_tier_d_mechanism_needs_a_reason():
    assert audit(statements=[statement("M-1", "D", "why not")]).faults == ()
    assert "out of scope without a reason" in audit(statements=[statement("M-1", "D")]).faults[0]


def test_intervention_without_mechanism_or_reason_is_a_fault(flagship):
    assert uses_of(flagship).unexplained == []
    bare = flagship.interventions["anti_il6"].model_copy(update={"evidence": ()})
    tool = flagship.interventions["ldhb_knockdown"].model_copy(update={"evidence": (), "why": "a tool"})
    acts = {**flagship.interventions, "anti_il6": bare, "ldhb_knockdown": tool}
    uses = uses_of(flagship.model_copy(update={"interventions": acts}))
    (fault,) = audit(unexplained=uses.unexplained, still_open=["M-1"]).faults
    assert fault.startswith("knob anti_il6 of s0_relay: cites no mechanism")


def test_assumed_rule_needs_a_why():
    faults = audit(rules=[cited("M-1", why="")], tested=[row("M-1")]).faults
    assert faults == ("rule tumour: x increases b: assumed without why",)


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (NumberUse("a.b", "", ""), "a.b: no source; give one, or `assumed` and why"),
        (NumberUse("a.b", "assumed", ""), "a.b: assumed without why"),
        (
            NumberUse("a.b", "nobody1999", "x"),
            "a.b: source 'nobody1999' is neither in the bibliography nor assumed",
        ),
    ],
)
def test_number_needs_a_known_source_or_a_why(number, fault):
    sound = [
        NumberUse("c", "he2022", ""),
        NumberUse("d", "assumed", "made"),
        NumberUse("e", "parameters:O2-1", ""),
    ]
    assert audit(numbers=[number, *sound], still_open=["M-1"]).faults == (fault,)


def test_one_test_does_not_cover_two_mechanisms():
    rules, tested = [cited("M-1", "M-2")], [row("M-1"), row("M-2")]
    faults = audit(rules=rules, statements=["M-1", "M-2"], tested=tested).faults
    assert "M-2 is tested as M-1 is" in faults[0]
    assert "no tested row" in faults[1]


def test_same_statement_may_share_a_test():
    tested = [row("M-1"), row("M-2", note="same statement as M-1")]
    assert audit(rules=[cited("M-1", "M-2")], statements=["M-1", "M-2"], tested=tested).faults == ()


def test_open_id_must_exist():
    assert audit(still_open=["M-1", "M-7"]).faults == ("open.yaml: M-7 is no mechanism",)


def test_named_test_must_exist(tmp_path):
    (tmp_path / "test_a.py").write_text("def test_here():\n    pass\n")
    there = audit(rules=[cited("M-1")], tested=[row("M-1", test="test_a.py::test_here")], root=tmp_path)
    gone = audit(rules=[cited("M-1")], tested=[row("M-1", test="test_a.py::test_gone")], root=tmp_path)
    assert there.faults == ()
    assert "there is no test test_a.py::test_gone" in gone.faults[0]


def test_read_open_ids_refuses_repeated(tmp_path):
    path = tmp_path / "open.yaml"
    path.write_text("open: [S0-01, S0-01]\n")
    with pytest.raises(EvidenceError, match="repeated: S0-01"):
        read_open_ids(path)


def test_every_s0_mechanism_of_tier_a_or_b_is_closed():
    assert [
        m.id for m in mechanisms() if m.id.startswith("S0") and m.tier in "AB" and m.id in open_ids()
    ] == []


def test_what_nothing_cites_is_not_used_when_incomplete():
    result = audit(tested=[row("M-1")], complete=False)
    assert (result.rows[0].status, result.faults) == ("not used", ())


def test_package_covers_what_is_not_open(documented):
    assert audit_package(documented, joined_scenarios(), root=ROOT).faults == ()


def test_benches_hold_every_alternative_of_a_hypothesis(flagship):
    gates = [[rule.gates for rule in bench.rules if rule.signal == "il6"] for bench in benches_of([flagship])]
    assert gates[0] == [()]
    assert any(found and found[0] and found[0][0].signal == "HIF" for found in gates[1:])


def data_of(kind):
    return yaml.safe_load((data_dir("seeds") / "built_in.yaml").read_text(encoding="utf-8"))[kind]


def test_readouts_and_measures_of_the_program_are_measures(package):
    """Readouts that are named in words are functions of `measures/response.py`, with tests of their own."""
    assert package.unmeasured == []


def test_misspelt_measures_of_the_program_are_faults(flagship, monkeypatch):
    named = {
        "processes": {},
        "readouts": {"resistant_fraction_rin": (), "resistant_fraction_rim": (), "in words": ()},
        "measures": {"tumour_ATP": (), "tumour_APT": (), "POOL_realesed": (), "POOL_decayed": ()},
    }
    monkeypatch.setattr(of_scenario, "_built_in", lambda: named)
    faults = [fault for fault in coverage(uses_of_package([flagship])).faults if "built_in" in fault]
    assert faults == [
        "built_in.yaml: tumour_APT is a measure of no scenario (did you mean tumour_ATP?)",
        "built_in.yaml: POOL_realesed is a measure of no scenario",
        "built_in.yaml: resistant_fraction_rin is a measure of no scenario (did you mean resistant_fraction_rim_SN38?)",
    ]


@pytest.fixture(scope="module")
def package(documented):
    return uses_of_package(documented)


@pytest.mark.parametrize(
    ("name", "identifier"), [(n, i) for n, ids in data_of("readouts").items() for i in ids]
)
def test_readout_that_loses_its_mechanism_is_a_fault(package, name, identifier):
    """Each is the only home of its ids, whatever else measures the same."""
    left = [i for i in package.readouts[name] if i != identifier]
    faults = coverage(replace(package, readouts={**package.readouts, name: left})).faults
    assert any(fault.startswith(f"{identifier} (tier") and "neither rule" in fault for fault in faults)


def test_measure_covers_nothing_by_itself():
    result = audit(tested=[row("M-1", test="tests/a.py::test_b")], measures={"thing": ["M-1"]})
    assert result.rows[0].measured_by == ("thing",)
    assert "neither rule, process, knob nor readout" in result.faults[0]
    assert "measure thing: cites M-9, which is no mechanism" in audit(measures={"thing": ["M-9"]}).faults


def test_what_a_measure_names_has_a_home_elsewhere(package):
    """A measure of what nothing models measures nothing."""
    homes = {row.id for row in coverage(package).rows if row.covered_by}
    assert {i for ids in data_of("measures").values() for i in ids} <= homes


# The link that their rules make stands in the text; the rest of their model form is ours.
STATED_IN_PART = {"S0-08", "S2-07", "S2-08", "S3-17", "S3-32", "S3-33", "S3-35", "S3-80", "S3-R12"}


def test_no_rule_claims_more_than_its_statements(documented):
    """The basis of a rule is not stronger than that of the strongest form it cites."""
    rank = ("assumed", "inferred", "stated")
    basis = {row.id: rank.index(row.basis) for row in mechanisms()}
    for made in (made for scenario in documented for made in scenario.rules):
        if rank.index(made.basis) > max(basis[i] for i in made.evidence):
            assert set(made.evidence) <= STATED_IN_PART, made
