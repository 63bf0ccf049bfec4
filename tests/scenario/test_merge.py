import pytest

from tests.scenario.made import SMALL, changed, faults
from tme_sim.scenario.load import ScenarioError, load_scenario, read_scenario


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries" / "low.yaml").write_text(
        "cells: {tumour: {push: 1, base: {HIF: 0.9}}, extra: {push: 2}}\nrules:\n"
        "  - {cell: extra, signal: il6, effect: increases, behaviour: STAT3, to: 1, half_max: 2 ng/mL}\n"
    )
    (tmp_path / "libraries" / "high.yaml").write_text("cells: {extra: {push: 3}}\n")
    (tmp_path / "small.yaml").write_text("use: [low, high]\n" + SMALL)
    return tmp_path


def test_file_wins_over_its_libraries_key_by_key(folder):
    scenario = load_scenario(folder / "small.yaml")
    assert scenario.cells["tumour"].base["HIF"] == 0.5
    assert scenario.cells["tumour"].push == 1


def test_later_library_wins_over_earlier(folder):
    assert load_scenario(folder / "small.yaml").cells["extra"].push == 3


def test_rules_of_libraries_come_before_those_of_the_file(folder):
    assert [rule.cell for rule in load_scenario(folder / "small.yaml").rules] == [
        "extra",
        "tumour",
        "tumour",
        "tumour",
    ]


def test_named_rule_takes_the_place_of_one_of_its_name_below(folder):
    words = "cell: extra, signal: il6, effect: increases, behaviour: STAT3"
    rule = f"  - {{name: first, {words}, to: 1, half_max: 5 ng/mL}}\n"
    (folder / "libraries" / "low.yaml").write_text("cells: {extra: {}}\nrules:\n" + rule)
    rules = load_scenario(folder / "small.yaml").rules
    assert [rule.name for rule in rules].count("first") == 1
    assert (rules[0].name, rules[0].cell) == ("first", "tumour")


def test_named_rule_without_a_signal_changes_the_keys_it_gives(folder):
    words = "cell: hsc, signal: il6, effect: increases, behaviour: STAT3"
    rule = f"  - {{name: other, {words}, to: 1, half_max: 5 ng/mL}}\n"
    (folder / "libraries" / "low.yaml").write_text("rules:\n" + rule)
    (folder / "libraries" / "high.yaml").write_text("rules:\n  - {name: other, to: 0.5}\n")
    other = next(rule for rule in load_scenario(folder / "small.yaml").rules if rule.name == "other")
    assert (other.signal, other.to, other.half_max.written) == ("il6", 0.5, "5 ng/mL")


def test_change_of_a_rule_that_may_be_missing(folder):
    high = folder / "libraries" / "high.yaml"
    high.write_text("rules:\n  - {name: nobody, if_there: true, to: 0.5}\n")
    (folder / "libraries" / "unused.yaml").write_text("rules: [{name: nobody, signal: il6}]\n")
    assert "nobody" not in [rule.name for rule in load_scenario(folder / "small.yaml").rules]
    words = "name: other, cell: hsc, signal: il6, effect: increases, behaviour: STAT3"
    (folder / "libraries" / "low.yaml").write_text(f"rules: [{{{words}, to: 1, half_max: 5 ng/mL}}]\n")
    high.write_text("rules:\n  - {name: other, if_there: true, to: 0.5}\n")
    assert [r.to for r in load_scenario(folder / "small.yaml").rules if r.name == "other"] == [0.5]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("name: nobody, if_there: true, too: 3", r"2:36: rules\[0\].too: unknown key \(did you mean to\?\)"),
        (
            "name: othre, if_there: true, to: 3",
            r"2:12: rules\[0\].name: .* rule othre \(did you mean other\?\)",
        ),
        ("name: cycle_entri, if_there: true, to: 3", r".* rule cycle_entri \(did you mean cycle_entry\?\)"),
        ("if_there: true, to: 0.5", r"2:5: rules\[0\].name: if_there needs the name"),
    ],
)
def test_change_that_may_be_left_out_hides_no_misspelling(folder, change, fault):
    high = folder / "libraries" / "high.yaml"
    high.write_text(f"rules:\n  - {{{change}}}\n")
    (folder / "libraries" / "unused.yaml").write_text(
        "rules: [{name: other, signal: il6}, {name: nobody, signal: il6}]"
    )
    with pytest.raises(ScenarioError, match="high.yaml:" + fault) as caught:
        load_scenario(folder / "small.yaml")
    assert len(caught.value.faults) == 1


FULL = "name: nobody, cell: hsc, signal: il6, effect: increases, behaviour: secretion il6, to: 1 molecules/s"


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ("to: 2 molecules/min", None),
        ("to: {value: 2 molecules/min, range: [1 molecules/min, 3 molecules/min]}", None),
        ("half_max: 3 ng/mL", None),
        ("while: [HIF above 0.5 hill 4]", None),
        ("while: [elsewhere above 0.5]", None),
        ("to: 2 molecuels/min", r"to: got 2 molecuels/min; expected"),
        ("to: 2 /h", r"to: got 2 /h; expected"),
        ("to: 3", r"to: got 3 without a unit"),
        ("half_max: 3 mmHg", r"half_max: got 3 mmHg; expected"),
        ("to: {valeu: 2 molecules/min}", r"to.valeu: unknown key"),
        ("hill: -2", r"hill: got -2; expected > 0"),
        ("effect: incraeses", r"effect: got incraeses"),
        ("basis: sure", r"basis: got sure"),
        ("while: [HIF above 0.5 mmHg]", r"while\[0\]: got 0.5 mmHg"),
        ("while: [HFI above 0.5]", r"while\[0\]: HFI is no signal"),
        ("evidence: [S9-99]", r"evidence\[0\]: S9-99 is no id"),
        ("source: assumed", r"source: assumed without a reason"),
    ],
)
def test_values_of_a_change_that_is_left_out_are_checked_in_its_rule(folder, keys, fault):
    """The rule stands in a library that is not used; a third one has the variable of a gate."""
    libraries = folder / "libraries"
    (libraries / "high.yaml").write_text(f"rules:\n  - {{name: nobody, if_there: true, {keys}}}\n")
    (libraries / "unused.yaml").write_text(f"rules:\n  - {{{FULL}, half_max: 1 ng/mL}}\n")
    (libraries / "third.yaml").write_text("variables: {elsewhere: {time: 1 h}}\n")
    if fault is None:
        assert "nobody" not in [rule.name for rule in load_scenario(folder / "small.yaml").rules]
    else:
        with pytest.raises(ScenarioError, match=r"high.yaml:2:.*rules\[0\]." + fault) as caught:
            load_scenario(folder / "small.yaml")
        assert len(caught.value.faults) == 1


def test_fault_of_libraries_is_not_told_again_once_they_are_others(folder):
    (folder / "libraries" / "high.yaml").write_text("rules:\n  - {name: nothere, if_there: true, to: 3}\n")
    (folder / "small.yaml").write_text(SMALL)
    with pytest.raises(ScenarioError):
        load_scenario(folder / "small.yaml", ["use=[high]"])
    load_scenario(folder / "small.yaml")


def test_misspelt_change_is_told_beside_other_faults(folder):
    (folder / "libraries" / "high.yaml").write_text("rules:\n  - {name: nothere, if_there: true, to: 3}\n")
    (folder / "small.yaml").write_text("use: [high]\n" + SMALL + "posh: 3\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder / "small.yaml")
    assert [fault.path for fault in caught.value.faults] == ["rules[0].name", "posh"]


def test_name_that_is_no_text_is_a_fault(folder):
    """Names are looked up while layers are joined, before anything is checked."""
    (folder / "libraries" / "high.yaml").write_text("rules: [{name: {a: 1}, if_there: true, to: 3}]\n")
    (folder / "small.yaml").write_text("use: [high]\n" + changed(("name: first", "name: [1]")))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder / "small.yaml")
    assert [fault.path for fault in caught.value.faults] == ["rules[0].name", "rules[1].name"]


@pytest.mark.parametrize("head", ["use: [high]\n", ""])
def test_change_in_the_lowest_layer_may_be_left_out(folder, head):
    change = "{name: cycle_entry, if_there: true, to: 0.05 /h}"
    (folder / "libraries" / "high.yaml").write_text(f"rules: [{change}]\n")
    own = changed(("rules:\n", f"rules:\n  - {change}\n")) if not head else SMALL
    (folder / "small.yaml").write_text(head + own)
    assert [rule.name for rule in load_scenario(folder / "small.yaml").rules] == [None, "first", None]


@pytest.mark.parametrize(
    ("high", "fault"),
    [
        ("rules: [{name: frist, to: 0.5}]", "1:9: rules[1]: changes rule frist, and no rule is called frist"),
        (
            "{clock: patient, rules: [{name: nobody, half_max: 0.2}]}",
            "1:26: rules[1]: the clock high changes rule nobody, and no rule is called nobody",
        ),
    ],
)
def test_change_of_a_rule_that_is_missing_is_one_fault(folder, high, fault):
    (folder / "libraries" / "high.yaml").write_text(high)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder / "small.yaml")
    assert f"high.yaml:{fault}" in str(caught.value)
    assert len(caught.value.faults) == 1


def test_unknown_key_is_told_beside_the_rule_that_is_missing(folder):
    (folder / "libraries" / "high.yaml").write_text("rules: [{name: nobody, too: 1}]")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder / "small.yaml")
    assert [fault.path for fault in caught.value.faults] == ["rules[1]", "rules[1].too"]


def test_missing_rule_that_is_changed_has_a_suggestion(folder):
    (folder / "libraries" / "low.yaml").write_text(f"rules: [{{{FULL}, half_max: 1 ng/mL}}]")
    (folder / "libraries" / "high.yaml").write_text("rules: [{name: nobdy, hill: 2}]")
    with pytest.raises(ScenarioError, match=r"no rule is called nobdy \(did you mean nobody\?\)"):
        load_scenario(folder / "small.yaml")


def test_rule_of_the_same_file_is_changed_in_its_place(folder):
    text = f"rules: [{{{FULL}, half_max: 1 ng/mL}}, {{name: nobody, hill: 2}}]"
    (folder / "libraries" / "high.yaml").write_text(text)
    with pytest.raises(ScenarioError, match="changes rule nobody of the same file; change it there"):
        load_scenario(folder / "small.yaml")


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("name: first, if_there: false, to: 0.5", "1:33: rules[0].if_there: got false; expected true"),
        ("name: first, if_there: maybe, to: 0.5", "1:33: rules[0].if_there: got maybe; expected true"),
        ("name: first, if_there: [1], to: 0.5", "1:33: rules[0].if_there: got [1]; expected true"),
        ("name: first, if_there: true", "1:9: rules[0]: changes nothing of its rule"),
    ],
)
def test_wrong_change_with_if_there_says_what_is_wrong(folder, rule, fault):
    (folder / "libraries" / "unused.yaml").write_text(f"rules: [{{{FULL.replace('nobody', 'first')}}}]")
    (folder / "libraries" / "high.yaml").write_text(f"rules: [{{{rule}}}]\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder / "small.yaml")
    assert [str(one).partition("high.yaml:")[2][: len(fault)] for one in caught.value.faults] == [fault]


def test_change_of_nothing_is_a_fault(folder):
    (folder / "libraries" / "high.yaml").write_text(f"rules: [{{{FULL}, half_max: 1 ng/mL}}]")
    (folder / "small.yaml").write_text(
        "use: [high]\n" + changed(("rules:\n", "rules:\n  - {name: nobody}\n"))
    )
    with pytest.raises(ScenarioError, match=r"rules\[0\]: changes nothing of its rule"):
        load_scenario(folder / "small.yaml")


def test_if_there_in_a_whole_rule_is_one_fault():
    found = faults(changed(("name: first,", "name: first, if_there: true,")))
    assert len(found) == 1
    assert "rules[1].if_there: counts only for a change of a named rule" in found[0]
    found = faults(SMALL, "rules.first.if_there=true")
    assert found == [f"--set rules.first.if_there: {found[0].partition(': ')[2]}"]
    assert "counts only for" in found[0]


def test_empty_value_takes_a_library_entry_away(folder):
    (folder / "small.yaml").write_text("use: [low]\n" + changed(("  hsc: {}\n", "  hsc: {}\n  extra:\n")))
    with pytest.raises(ScenarioError, match="there is no such cell type"):
        load_scenario(folder / "small.yaml")


def test_fault_in_a_library_names_the_library(folder):
    (folder / "libraries" / "high.yaml").write_text("cells:\n  extra: {posh: 3}\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder / "small.yaml")
    text = str(caught.value)
    assert "high.yaml:2:11: cells.extra.posh: unknown key (did you mean push?)" in text


def test_unknown_library_is_a_fault_at_its_name(folder):
    (folder / "small.yaml").write_text("use: [low, hihg]\n" + SMALL)
    with pytest.raises(
        ScenarioError, match=r"small.yaml:1:12: use: there is no library hihg \(did you mean high\?\)"
    ):
        load_scenario(folder / "small.yaml")


@pytest.mark.parametrize("text", ["use: [other]", "scenario: x", "- 1"])
def test_library_is_not_a_scenario(folder, text):
    (folder / "libraries" / "high.yaml").write_text(text)
    with pytest.raises(ScenarioError, match="high.yaml:1:1"):
        load_scenario(folder / "small.yaml")


@pytest.mark.parametrize("name", ["../small", "/etc/passwd", "[1]", "{a: 1}", "3"])
def test_library_name_is_a_plain_name(folder, name):
    (folder / "small.yaml").write_text(f"use: [{name}]\n" + SMALL)
    with pytest.raises(ScenarioError, match="use"):
        load_scenario(folder / "small.yaml")


def test_override_may_choose_libraries(folder):
    assert "extra" in load_scenario(folder / "small.yaml", ["use=low"]).cells


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("grid.size=[400 um, 300 um]", lambda s: s.grid.shape == (1, 15, 20)),
        ("vessels.spacing=60 um", lambda s: s.vessels.spacing == 60),
        ("seed=18446744073709551615", lambda s: s.seed == 2**64 - 1),
        ("interventions.block.active=true", lambda s: list(s.active_interventions()) == ["block"]),
        ("cells.tumour.base.cycle entry=6 /h", lambda s: s.cells["tumour"].base["cycle entry"] == 0.1),
        ("rules.0.half_max=9 mmHg", lambda s: s.rules[0].half_max == 9),
        ("rules.first.half_max=2 ng/mL", lambda s: s.rules[1].half_max == 0.1),
        ("drugs.SN38.schedule.0.dose=1 uM", lambda s: s.drugs["SN38"].schedule[0].dose == 1000),
        ("hypotheses.gate=closed", lambda s: len(s.active_rules()[1].gates) == 1),
        (
            "vesicles.exosome.hindrance={value: 0.5, range: [0.1, 1]}",
            lambda s: s.vesicles["exosome"].hindrance == 0.5,
        ),
        ("cells.macrophage.push=2", lambda s: s.cells["macrophage"].push == 2),
        ("title=a=b", lambda s: s.title == "a=b"),
    ],
)
def test_override_changes_its_key(override, read):
    assert read(read_scenario(SMALL, [override]))


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("vessels.spacing=60 h", "--set vessels.spacing: vessels.spacing: got 60 h; expected a length"),
        (
            "vessels.spacign=60 um",
            "--set vessels.spacign: vessels.spacign: unknown key (did you mean spacing?)",
        ),
        ("rules.7.half_max=9 mmHg", "--set rules.7.half_max: rules has 3 items; there is no item 7"),
        ("rules.frist.hill=2", "--set rules.frist.hill: rules has no item named frist (did you mean first?)"),
        ("seed.x=1", "--set seed.x: seed is"),
        ("vessels.spacing", "--set vessels.spacing: expected key.path=value"),
        ("=3", "expected key.path=value"),
        ("a..b=3", "expected key.path=value"),
        ("title=[1", "--set title: is not valid YAML"),
        ("title=!!python/name:os x", "--set title: tags"),
        ("seed=.nan", "--set seed: got .nan"),
    ],
)
def test_fault_of_an_override_names_its_key(override, fault):
    text = changed(("grid: {size", "seed: 1\ngrid: {size"))
    assert any(line.startswith(fault) or fault in line for line in faults(text, override))


def test_faults_of_all_overrides_are_reported_at_once():
    assert len(faults(SMALL, "rules.9.hill=1", "a", "title=[")) == 3
