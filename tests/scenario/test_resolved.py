import json

import pytest

from tests.scenario.made import DATA, SMALL, changed
from tme_sim.scenario.load import load_scenario, read_scenario
from tme_sim.scenario.resolved import json_schema, resolved_json, resolved_yaml


@pytest.fixture(scope="module")
def relay():
    return load_scenario(DATA / "relay.yaml")


def test_resolved_scenario_loads_back_to_an_equal_one(relay):
    text = resolved_yaml(relay)
    again = read_scenario(text, folder=DATA)
    assert again == relay
    assert resolved_yaml(again) == text
    assert resolved_json(again) == resolved_json(relay)


def test_scenario_of_the_package_survives_resolving():
    scenario = load_scenario("s0_relay")
    assert read_scenario(resolved_yaml(scenario)) == scenario


def test_resolved_scenario_states_defaults_with_units():
    text = resolved_yaml(read_scenario(SMALL))
    for line in (
        "step: 6 min",
        "spacing: 20 um",
        "push: 5",
        "interstitial_fraction: 0.2",
        "internalise: 1 /h",
    ):
        assert line in text


def test_canonical_text_is_the_same_for_the_same_numbers():
    one = read_scenario(SMALL)
    other = read_scenario(
        changed(("duration: 1 d", "duration: 24 h"), ("[200 um, 100 um]", "[0.2 mm, 0.1 mm]"))
    )
    assert resolved_json(one) == resolved_json(other)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("duration: 1 d", "duration: 2 d"),
        ("HIF above 0.5", "HIF above 0.6"),
        ("gate: open", "gate: closed"),
        ("  HIF: {time: 2 h}\n  STAT3: {time: 2 h}", "  STAT3: {time: 2 h}\n  HIF: {time: 2 h}"),
        ("active: false", "active: true"),
        ("half_life: 1 h}", "half_life: 1 h, source: assumed, why: guess}"),
    ],
)
def test_canonical_text_differs_where_a_run_would(old, new):
    assert resolved_json(read_scenario(SMALL)) != resolved_json(read_scenario(changed((old, new))))


def test_canonical_text_follows_the_content_of_data_files(tmp_path):
    texts = []
    for content in ("x_um,y_um,type\n10,10,hsc\n", "x_um,y_um,type\n30,10,hsc\n"):
        (tmp_path / "cells.csv").write_text(content)
        scenario = read_scenario(changed(("tissue:\n", "tissue:\n  from_file: cells.csv\n")), folder=tmp_path)
        texts.append(resolved_json(scenario))
    assert texts[0] != texts[1]
    assert str(tmp_path) not in texts[0]


def test_canonical_text_is_plain_json_with_sorted_keys(relay):
    data = json.loads(resolved_json(relay))
    assert list(data) == sorted(data)


def described(node, path=""):
    """Yield every key of the schema without a description."""
    if isinstance(node, dict):
        for key, value in (node.get("properties") or {}).items():
            if "description" not in value:
                yield f"{path}.{key}"
        for key, value in node.items():
            yield from described(value, f"{path}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from described(value, path)


def test_schema_describes_every_key():
    schema = json_schema()
    json.dumps(schema)
    assert list(described(schema)) == []


def test_schema_states_every_default():
    for name, block in json_schema()["$defs"].items():
        for key, value in block["properties"].items():
            if key not in block.get("required", []):
                assert "default" in value["description"] or "empty" in value["description"], f"{name}.{key}"
