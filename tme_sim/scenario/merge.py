"""Layers of a scenario: libraries below, the file above them, overrides on top."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tme_sim.scenario.faults import Fault, Path, ScenarioError, dotted, nearest, shown
from tme_sim.scenario.source import Mark, Node, read_text


def lay_over(below: Node, above: Node, path: Path = ()) -> Node:
    """Return ``above`` merged over ``below``: mappings key by key, ``rules`` appended, all else replaced.

    A rule takes the place of one of the same ``name`` below.
    """
    if isinstance(below.value, dict) and isinstance(above.value, dict):
        merged = dict(below.value)
        for key, node in above.value.items():
            merged[key] = lay_over(merged[key], node, (*path, key)) if key in merged else node
        return Node(merged, above.mark, above.key_mark)
    if path == ("rules",) and isinstance(below.value, list) and isinstance(above.value, list):
        return Node(_joined(below.value, above.value), above.mark, above.key_mark)
    return above


def _joined(below: list[Node], above: list[Node]) -> list[Node]:
    """Return both lists of rules; one of ``above`` stands in the place of one of the same name in ``below``.

    One that says no signal only changes the keys that it gives; with ``if_there: true`` it is dropped where no
    rule has its name.
    """
    joined, place = list(below), {name: i for i, rule in enumerate(below) if (name := name_of(rule))}
    for written in above:
        rule, conditional = _condition(written)
        at = place.get(name_of(rule) or "")
        if at is None:
            joined += [] if conditional else [rule]
        else:
            joined[at] = rule if _is_whole(rule) else lay_over(joined[at], rule)
    return joined


def _condition(rule: Node) -> tuple[Node, bool]:
    """Return a change of a rule without its key ``if_there``, and whether it has one; a whole rule as it is.

    What the key says is checked elsewhere: only true is right.
    """
    if _is_whole(rule) or not isinstance(rule.value, dict) or "if_there" not in rule.value:
        return rule, False
    kept = {key: part for key, part in rule.value.items() if key != "if_there"}
    return Node(kept, rule.mark, rule.key_mark), rule.value["if_there"].value is not None


def may_be_missing(rule: Node) -> bool:
    """Return whether it says ``if_there``: it changes a rule and is left out where there is none of its name."""
    return _condition(rule)[1]


def whole_rules(rules: Iterable[Node]) -> list[Node]:
    """Return those that are no changes of others."""
    return [rule for rule in rules if _is_whole(rule)]


def _is_whole(rule: Node) -> bool:
    return isinstance(rule.value, dict) and "signal" in rule.value


def name_of(item: Node) -> str | None:
    """Return the ``name`` of a list item, None where it has none that is a text."""
    name = item.value["name"].value if isinstance(item.value, dict) and "name" in item.value else None
    return name if isinstance(name, str) else None


def without_nulls(node: Node) -> Node:
    """Drop the keys whose value is empty: they count as absent, also where a library has set them."""
    if isinstance(node.value, dict):
        kept = {key: without_nulls(child) for key, child in node.value.items() if child.value is not None}
        return Node(kept, node.mark, node.key_mark)
    if isinstance(node.value, list):
        return Node([without_nulls(child) for child in node.value], node.mark, node.key_mark)
    return node


def plain(node: Node) -> Any:
    """Return the data without places."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def place_of(root: Node, path: Path, *, of_key: bool = False) -> Mark:
    """Return where the value (or the key) at ``path`` is written, or its nearest ancestor that exists."""
    node = root
    for i, part in enumerate(path):
        child = None
        if isinstance(node.value, dict):
            child = node.value.get(str(part))
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
        if child is None:
            break
        node = child
        if of_key and i == len(path) - 1 and node.key_mark is not None:
            return node.key_mark
    return node.mark


def apply_overrides(root: Node, overrides: Iterable[str]) -> Node:
    """Apply ``key.path=value`` in order.

    A part of a path names a key, the index of a list item, or the ``name`` of a list item.

    Raises
    ------
    ScenarioError
        With one fault for every override that has no such form or place.
    """
    faults: list[Fault] = []
    for override in overrides:
        key, equals, value = override.partition("=")
        key = key.strip()
        where = f"--set {shown(key)}"
        parts = key.split(".")
        if not equals or not all(parts):
            faults.append(Fault(f"--set {shown(override)}", "", "expected key.path=value"))
            continue
        mark = Mark(where)
        try:
            node = read_text(value, where, origin=mark)
            node.key_mark = mark
            root = _replaced(root, parts, node, ())
        except ScenarioError as error:
            faults.extend(error.faults)
        except LookupError as error:
            reason, suggestion = error.args
            faults.append(Fault(where, "", reason, suggestion))
    if faults:
        raise ScenarioError(faults)
    return root


def _replaced(node: Node, parts: Sequence[str], new: Node, done: Path) -> Node:
    if not parts:
        return new
    head, rest = parts[0], parts[1:]
    if isinstance(node.value, list):
        at = _index(node.value, head, done)
        items = list(node.value)
        items[at] = _replaced(items[at], rest, new, (*done, at))
        return Node(items, node.mark, node.key_mark)
    if not isinstance(node.value, dict):
        reason = f"{dotted(done)} is {shown(node.value)}, which has no part {shown(head)}"
        raise LookupError(reason, None)  # noqa: TRY004 - the path is wrong, not a type of Python
    child = node.value.get(head) or Node({}, new.mark, new.mark)
    if child.value is None:
        child = Node({}, new.mark, new.mark)
    return Node({**node.value, head: _replaced(child, rest, new, (*done, head))}, node.mark, node.key_mark)


def _index(items: list[Node], head: str, done: Path) -> int:
    if re.fullmatch(r"[0-9]{1,6}", head):
        if int(head) < len(items):
            return int(head)
        raise LookupError(
            f"{dotted(done)} has {len(items)} items; there is no item {head} (they count from 0)", None
        )
    names = {name: at for at, item in enumerate(items) if (name := name_of(item)) is not None}
    if head in names:
        return names[head]
    raise LookupError(f"{dotted(done)} has no item named {shown(head)}", nearest(head, names))
