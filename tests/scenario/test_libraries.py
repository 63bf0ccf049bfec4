"""Libraries of the package share rules, not copies of them."""

from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from tme_sim import load_scenario
from tme_sim.resources import data_dir

FILES = sorted(data_dir("configs").rglob("*.yaml"))
OF_A_RULE = (
    "cell",
    "signal",
    "effect",
    "behaviour",
    "to",
    "half_max",
    "hill",
    "while",
    "hypothesis",
    "basis",
)


def test_no_rule_is_written_twice():
    """Two files with one rule of the same numbers and basis are a copy: a library should hold it for both."""
    places = defaultdict(list)
    for file in FILES:
        for rule in yaml.safe_load(file.read_text(encoding="utf-8")).get("rules", []):
            if "signal" in rule:
                places[repr([rule.get(key) for key in OF_A_RULE])].append(file.stem)
    assert {rule: files for rule, files in places.items() if len(files) > 1} == {}


# Libraries that say different numbers, and why that is meant: the later one in `use` holds.
MEANT = {
    "cells.endothelial.base.release endothelial_vesicle": "vesicle_cargo follows EV-2, vascular_niche EV-1 as exosomes",
    "cells.hepatocyte.base.release hepatocyte_vesicle": "vesicle_cargo follows EV-2, resistance_cargo EV-1 as exosomes",
}
SCALARS = ("time", "half_life", "base")


def numbers_of(data):
    """Yield (key, number as text) of time constants, half-lives of cargo and base values, without their reasons."""
    for group in ("variables", "cargo", "cells"):
        for name, block in (data.get(group) or {}).items():
            for key in SCALARS:
                part = (block or {}).get(key) or {}
                values = part.items() if key == "base" else [("", part)]
                for word, value in values:
                    if number := value.get("value") if isinstance(value, dict) else value:
                        yield f"{group}.{name}.{key}" + (f".{word}" if word else ""), str(number)


def test_number_in_several_libraries_is_the_same_in_all():
    """A library names no other, so each declares what it needs: a change in one alone would depend on `use`."""
    found = defaultdict(set)
    for file in sorted((data_dir("configs") / "libraries").glob("*.yaml")):
        if not file.stem.startswith("clock_"):
            for key, number in numbers_of(yaml.safe_load(file.read_text(encoding="utf-8"))):
                found[key].add(number)
    assert len(found) > 50
    assert {key for key, numbers in found.items() if len(numbers) > 1} == {*MEANT}


@pytest.mark.parametrize("name", ["bench", "bench_biology", "crowd"])
def test_benchmarks_name_the_libraries_that_they_need(name):
    load_scenario(Path(__file__).parents[2] / "benchmarks" / f"{name}.yaml")
