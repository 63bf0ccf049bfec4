"""A pytest plugin that runs tests on scenarios from which all that cites one mechanism has been cut.

``pytest -p tests.audit.cut --cut S1-02 NODE``: rules that cite it are gone, pools inert, integrins and interventions
idle, cells without base and metabolism, cargo not loaded, fields neither secreted nor freed. The run ends with 0
where every test passes all the same, with 1 where one fails by an assertion, with 3 where one fails otherwise.
"""

from __future__ import annotations

from typing import Any

import pytest

from tme_sim.scenario import load
from tme_sim.scenario.source import Node

STILL_PASSES, TURNS_FALSE, BREAKS = 0, 1, 3
_IDLE = {"factor": 1, "to": 0, "amount": 0, "rate": "0 /h"}
_CARRIED = ("cargo", "frees", "exports", "taken_up_by", "integrins")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the mechanism."""
    parser.addoption("--cut", required=True, help="id of the mechanism to cut")


def pytest_configure(config: pytest.Config) -> None:
    """Let every scenario be read without it."""
    identifier, plain = config.getoption("--cut"), load.plain
    load.plain = lambda node: without(plain(node), identifier) if isinstance(node, Node) else plain(node)


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> None:
    """Note failures that are no assertion: the scene broke, and the test said nothing."""
    if call.excinfo is not None and not call.excinfo.errisinstance((AssertionError, pytest.fail.Exception)):
        item.session.broken = True  # pyright: ignore[reportAttributeAccessIssue]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell such failures by the exit status."""
    if getattr(session, "broken", False):
        session.exitstatus = BREAKS


def without(data: dict[str, Any], identifier: str) -> dict[str, Any]:
    """Return a scenario's plain data without what cites a mechanism, changed in place."""

    def cites(block: Any) -> bool:
        return isinstance(block, dict) and identifier in (block.get("evidence") or ())

    def named(key: str) -> list[str]:
        return [name for name, block in (data.get(key) or {}).items() if cites(block)]

    pools, gone = data.get("vesicles") or {}, set()
    for name in named("vesicles"):
        gone.add(f"release {name}")
        for key in _CARRIED:
            pools[name].pop(key, None)
        for act in (data.get("interventions") or {}).values():
            if act.get("target") == name:
                for key in ("loaded_with", "level"):
                    act.pop(key, None)
    for name in named("integrins"):
        data["integrins"][name]["docking"] = {}
    for cargo in named("cargo"):
        for pool in pools.values():
            (pool.get("cargo") or {}).pop(cargo, None)
    for field in named("fields"):
        gone.add(f"secretion {field}")
        for pool in pools.values():
            (pool.get("frees") or {}).pop(field, None)
    for name in named("interventions"):
        data["interventions"][name] |= {"active": False} | {
            key: idle for key, idle in _IDLE.items() if key in data["interventions"][name]
        }
    for name, cell in (data.get("cells") or {}).items():
        base = cell.get("base") or {}
        cell["base"] = {} if name in named("cells") else {k: v for k, v in base.items() if k not in gone}
        if cites(cell.get("metabolism")):
            cell.pop("metabolism")
    data["rules"] = [
        rule for rule in data.get("rules") or [] if not cites(rule) and rule.get("behaviour") not in gone
    ]
    sets = {str(rule["hypothesis"]).partition(".")[0] for rule in data["rules"] if "hypothesis" in rule}
    data["hypotheses"] = {k: v for k, v in (data.get("hypotheses") or {}).items() if k in sets}
    return data
