"""Checks the rules that change others by name: what they change must be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tme_sim.scenario.checks import Finding
from tme_sim.scenario.faults import nearest, shown
from tme_sim.scenario.merge import name_of
from tme_sim.scenario.source import Node

_OF_WHOLE_RULES = ("cell", "signal", "behaviour")


def unmatched_changes(root: Node, clocks: dict[str, str]) -> Iterator[Finding]:
    """Yield a finding for each change of a named rule that is nowhere, and for ``if_there`` in a whole rule.

    Parameters
    ----------
    root : Node
        The scenario, merged and overridden; a change that is still among its rules found nothing to change.
    clocks : dict of str to str
        File -> name of each clock in use.
    """
    rules = root.value.get("rules") if isinstance(root.value, dict) else None
    written = rules.value if rules is not None and isinstance(rules.value, list) else []
    names = {name for rule in written if not _is_change(rule) and (name := name_of(rule)) is not None}
    for i, rule in enumerate(written):
        if _is_change(rule):
            name, clock = name_of(rule), clocks.get(rule.mark.origin)
            who = f"the clock {clock} " if clock else ""
            if name in names:  # only rules of the libraries below are changed
                yield Finding(
                    ("rules", i), f"{who}changes rule {shown(name)} of the same file; change it there"
                )
                continue
            reason = f"{who}changes rule {shown(name)}, and no rule is called {shown(name)}"
            yield Finding(("rules", i), reason, nearest(name, names))
        elif isinstance(rule.value, dict) and "if_there" in rule.value:
            reason = "counts only for a change of a named rule, which gives no signal; leave it out of a whole rule"
            yield Finding(("rules", i, "if_there"), reason, at_key=True)


def without_consequences(findings: Iterable[Finding], unmatched: Iterable[Finding]) -> list[Finding]:
    """Leave out what is said only because of unmatched changes: keys that they lack, and ``if_there`` once more."""
    paths = {found.path for found in unmatched}
    return [f for f in findings if not (f.path in paths or (f.reason == "missing" and f.path[:2] in paths))]


def _is_change(rule: Node) -> bool:
    """Return whether it has a name and nothing that says of whom, from what or to what it is a rule."""
    parts = rule.value if isinstance(rule.value, dict) else {}
    return name_of(rule) is not None and not any(key in parts for key in _OF_WHOLE_RULES)
