import json
import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scenario.made import DATA, SMALL
from tme_sim.scenario.load import Known, ScenarioError, read_scenario
from tme_sim.scenario.merge import plain
from tme_sim.scenario.resolved import resolved_json, resolved_yaml
from tme_sim.scenario.source import read_text

RELAY = (DATA / "relay.yaml").read_text()
NAMES = {"S0-03", "S0-04", "S0-06", "S0-08", "tumour_cells", "PMC7423356-fig7"}
PRESETS = {f"parameters:EV-{n}" for n in (8, 9, 29, 30)}
KNOWN = Known(*(frozenset(NAMES | PRESETS),) * 4)
FAST = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**64, 10**30, 1e308, -0.0, 1e-320]),
    st.sampled_from(
        ["", "1 h", "-1 h", "1 ng/mL", "5 %", "x", "tumour", "oxygen", "every 1 h", "a > 1", "1e9 d"]
    ),
    st.lists(st.sampled_from([1, "1 um", "tumour", None]), max_size=3),
    st.dictionaries(
        st.sampled_from(["value", "range", "source", "why", "cell"]), st.integers(0, 3), max_size=3
    ),
    st.text(string.printable, max_size=12),
)


def accepted_or_refused(text, *overrides):
    """Load; what is accepted must also print, hash and load again, what is refused must say where and why."""
    scenario, faults = None, []
    try:
        scenario = read_scenario(text, overrides, KNOWN, folder=DATA)
    except ScenarioError as error:
        faults = error.faults
    assert (scenario is None) == bool(faults)
    assert all(fault.where and fault.reason and "\n" not in str(fault) for fault in faults)
    if scenario is not None:
        again = read_scenario(resolved_yaml(scenario), known=KNOWN, folder=DATA)
        assert resolved_json(again) == resolved_json(scenario)


def places(node, path=()):
    """Yield the path of every value."""
    yield path
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in parts:
        yield from places(value, (*path, key))


def edited(node, path, value):
    """Return a copy of plain data with one value replaced."""
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = edited(copy[path[0]], path[1:], value)
    return copy


RAW = plain(read_text(RELAY, "relay"))
PLACES = [path for path in places(RAW) if path]


@settings(FAST, max_examples=100)
@given(st.sampled_from(PLACES), VALUES)
def test_scenario_with_one_value_replaced_is_accepted_or_refused(path, value):

    accepted_or_refused(json.dumps(edited(RAW, path, value)))


@settings(FAST, max_examples=100)
@given(st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_scenario_with_two_values_exchanged_is_accepted_or_refused(one, other):

    data = RAW
    for path, source in ((one, other), (other, one)):
        value = RAW
        for part in source:
            value = value[part]
        if path[: len(source)] != source and source[: len(path)] != path:
            data = edited(data, path, value)
    accepted_or_refused(json.dumps(data))


@FAST
@given(st.integers(0, len(SMALL) - 1), st.integers(0, 12), st.text(max_size=4))
def test_scenario_with_a_few_characters_changed_is_accepted_or_refused(at, length, text):
    accepted_or_refused(SMALL[:at] + text + SMALL[at + length :])


@FAST
@given(st.text(max_size=200))
def test_any_text_is_accepted_or_refused(text):
    accepted_or_refused(text)


@FAST
@given(st.text(max_size=30), VALUES)
def test_any_override_is_accepted_or_refused(key, value):
    accepted_or_refused(SMALL, f"{key}={value}")
