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


@pytest.mark.parametrize("name", ["bench", "bench_biology", "crowd"])
def test_benchmarks_name_the_libraries_that_they_need(name):
    load_scenario(Path(__file__).parents[2] / "benchmarks" / f"{name}.yaml")
