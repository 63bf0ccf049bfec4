"""Checks changes of rules that may be missing (``if_there: true``): what is left out must hide no misspelling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tme_sim.scenario.faults import Fault, ScenarioError, nearest, shown
from tme_sim.scenario.merge import may_be_missing, name_of, place_of, whole_rules
from tme_sim.scenario.rule_text import RuleSpec
from tme_sim.scenario.source import Node, read_file

_KEYS = {*(field.alias or name for name, field in RuleSpec.model_fields.items()), "if_there"}


def misspelt_changes(layers: Sequence[Node], folders: Sequence[Path]) -> list[Fault]:
    """Return a fault for each unknown key and each unknown or missing name of the changes that may be left out.

    Parameters
    ----------
    layers : sequence of Node
        Libraries in use and the scenario.
    folders : sequence of Path
        Where other libraries and scenarios lie: a rule of one of them may well be missing here.
    """
    changes = [
        (f"rules[{i}]", rule)
        for layer in layers
        for i, rule in enumerate(_rules(layer))
        if may_be_missing(rule)
    ]
    here = {name_of(rule) for layer in layers for rule in whole_rules(_rules(layer))}
    return [
        fault
        for path, rule in changes
        for fault in (*_of_keys(path, rule), *_of_name(path, rule, here, folders))
    ]


def _of_keys(path: str, rule: Node) -> Iterator[Fault]:
    parts = rule.value if isinstance(rule.value, dict) else {}
    for key, part in parts.items():
        if key not in _KEYS:
            where = str(part.key_mark or part.mark)
            yield Fault(where, f"{path}.{shown(key)}", "unknown key", nearest(key, _KEYS))


def _of_name(path: str, rule: Node, here: set[str | None], folders: Sequence[Path]) -> Iterator[Fault]:
    name = name_of(rule)
    if name is None:
        yield Fault(str(rule.mark), f"{path}.name", "if_there needs the name of the rule that is changed")
    elif name not in here and name not in _names(folders, name):
        reason = f"no library or scenario has a rule {shown(name)}"
        known = sorted({*_names(folders), *filter(None, here)})
        yield Fault(str(place_of(rule, ("name",))), f"{path}.name", reason, nearest(name, known))


def _names(folders: Sequence[Path], word: str = "") -> set[str]:
    """Return the names of all rules in files that have this word anywhere; files that cannot be read have none."""
    names: set[str] = set()
    for file in (file for folder in folders for file in sorted(folder.glob("*.yaml"))):
        with suppress(OSError, ValueError, ScenarioError):
            if word in file.read_text("utf-8"):  # quick: most files need not be taken apart
                names |= {name for rule in whole_rules(_rules(read_file(file))) if (name := name_of(rule))}
    return names


def _rules(layer: Node) -> list[Node]:
    rules = layer.value.get("rules") if isinstance(layer.value, dict) else None
    return rules.value if rules is not None and isinstance(rules.value, list) else []
