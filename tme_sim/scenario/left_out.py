"""Checks changes of rules that may be missing (``if_there: true``): what is left out must hide no misspelling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import reduce
from pathlib import Path

from pydantic import ValidationError

from tme_sim.scenario.block import Reading
from tme_sim.scenario.checks import Finding, Known, citations
from tme_sim.scenario.faults import Fault, ScenarioError, dotted, nearest, shown
from tme_sim.scenario.merge import (
    lay_over,
    may_be_missing,
    name_of,
    place_of,
    plain,
    whole_rules,
    without_nulls,
)
from tme_sim.scenario.messages import findings_of
from tme_sim.scenario.rule_text import RuleSpec
from tme_sim.scenario.source import Node, read_file
from tme_sim.scenario.vocabulary import Vocabulary

_KEYS = {*(field.alias or name for name, field in RuleSpec.model_fields.items()), "if_there"}


def misspelt_changes(layers: Sequence[Node], folders: Sequence[Path], known: Known) -> list[Fault]:
    """Return a fault for each unknown key, unknown or missing name and wrong value of changes that may be left out.

    A value is wrong when it would be in the rule that the change is meant for, wherever that stands. Changes of
    nothing are faults, too, whether they may be left out or not.

    Parameters
    ----------
    layers : sequence of Node
        Libraries in use and the scenario.
    folders : sequence of Path
        Where other libraries and scenarios lie: a rule of one of them may well be missing here.
    known : Known
        Names that may be cited.
    """
    changes = [
        (f"rules[{i}]", rule)
        for layer in layers
        for i, rule in enumerate(_rules(layer))
        if may_be_missing(rule)
    ]
    here = {name_of(rule) for layer in layers for rule in whole_rules(_rules(layer))}
    faults = [fault for layer in layers for fault in _of_nothing(layer, here)]
    for path, rule in changes:
        faults += (*_of_flag(path, rule), *_of_keys(path, rule), *_of_name(path, rule, here, folders))
        # Where the rule is here, what is made of both is checked with all else.
        if name_of(rule) not in {None, *here}:
            faults += _of_values(path, rule, layers, folders, known)
    return faults


def _of_values(
    path: str, change: Node, layers: Sequence[Node], folders: Sequence[Path], known: Known
) -> list[Fault]:
    """Return what would be wrong with the change in the file whose rule it fits best."""
    name = str(name_of(change))
    tried = [_wrong(change, [file, *layers], known) for file in _files(folders, name) if _whole(file, name)]
    if any(tried):  # words that a third library brings are no fault
        everything = [*_files(folders), *layers]
        tried = [
            _wrong(change, [*everything, file], known) for file in _files(folders, name) if _whole(file, name)
        ]
    return [
        Fault(
            str(place_of(change, found.path, of_key=found.at_key)),
            f"{path}.{dotted(found.path)}",
            found.reason,
            found.suggestion,
        )
        for found in min(tried, key=len, default=[])
    ]


def _wrong(change: Node, layers: Sequence[Node], known: Known) -> list[Finding]:
    """Return what is wrong in the keys of a change once it is laid over the last whole rule of its name."""
    name = name_of(change)
    whole = [rule for layer in layers for rule in whole_rules(_rules(layer)) if name_of(rule) == name][-1]
    parts = change.value if isinstance(change.value, dict) else {}
    given = {key: part for key, part in parts.items() if key != "if_there"}
    rule = plain(without_nulls(lay_over(whole, Node(given, change.mark))))
    words = Vocabulary.sketch(plain(without_nulls(reduce(lay_over, layers))))
    found: list[Finding] = list(citations(rule, known))
    try:
        RuleSpec.model_validate(rule, context=Reading(words, Path()))
    except ValidationError as error:
        found += findings_of(error, RuleSpec)
    return [one for one in found if one.path and one.path[0] in {*given} & _KEYS]


def _of_nothing(layer: Node, here: set[str | None]) -> Iterator[Fault]:
    """Yield a fault for each change that gives nothing but a name; without ``if_there``, if the rule is here."""
    for i, rule in enumerate(_rules(layer)):
        parts = {*rule.value} if isinstance(rule.value, dict) else set()
        if parts == {"name", "if_there"} or (parts == {"name"} and name_of(rule) in here):
            reason = "changes nothing of its rule; expected a key of a rule besides its name"
            yield Fault(str(rule.mark), f"rules[{i}]", reason)


def _of_flag(path: str, rule: Node) -> Iterator[Fault]:
    flag = rule.value["if_there"] if isinstance(rule.value, dict) else rule
    if flag.value is not True:
        got = "false" if flag.value is False else shown(plain(flag))
        reason = f"got {got}; expected true, or no such key where a missing rule is a fault"
        yield Fault(str(flag.mark), f"{path}.if_there", reason)


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
    """Return the names of all rules in files that have this word anywhere."""
    rules = (rule for file in _files(folders, word) for rule in whole_rules(_rules(file)))
    return {name for rule in rules if (name := name_of(rule))}


def _files(folders: Iterable[Path], word: str = "") -> list[Node]:
    """Return the files that have this word anywhere, taken apart; those that cannot be read are left out."""
    files: list[Node] = []
    for path in (path for folder in folders for path in sorted(folder.glob("*.yaml"))):
        with suppress(OSError, ValueError, ScenarioError):
            if word in path.read_text("utf-8"):  # quick: most files need not be taken apart
                files.append(read_file(path))
    return files


def _whole(file: Node, name: str) -> bool:
    """Return whether a file has a whole rule of this name."""
    return any(name_of(rule) == name for rule in whole_rules(_rules(file)))


def _rules(layer: Node) -> list[Node]:
    rules = layer.value.get("rules") if isinstance(layer.value, dict) else None
    return rules.value if rules is not None and isinstance(rules.value, list) else []
