"""Checks of what a scenario cites and names, on unchecked data: they run whatever else is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tme_sim.scenario.faults import Path, nearest, shown

NO_ALTERNATIVE = "none"


@dataclass(frozen=True)
class Known:
    """Names that a scenario may cite; None: not checked.

    Attributes
    ----------
    evidence : frozenset of str or None
        Ids of mechanisms.
    sources : frozenset of str or None
        Keys of the bibliography, and ``parameters:ID``.
    documents : frozenset of str or None
        Keys of documents.
    measures : frozenset of str or None
        Names of measures.
    """

    evidence: frozenset[str] | None = None
    sources: frozenset[str] | None = None
    documents: frozenset[str] | None = None
    measures: frozenset[str] | None = None


@dataclass(frozen=True)
class Finding:
    """Something wrong at a path.

    Attributes
    ----------
    at_key : bool
        The key is to blame rather than its value.
    beside : tuple of str or int
        Where the value stands that it does not go with; empty for none.
    """

    path: Path
    reason: str
    suggestion: str | None = None
    at_key: bool = False
    beside: Path = ()


def check_data(data: Mapping[str, Any], known: Known) -> Iterator[Finding]:
    """Yield what is wrong with citations, hypotheses and names used twice."""
    yield from citations(data, known)
    if known.documents is not None:
        for i, key in enumerate(_items(data.get("documents"))):
            if isinstance(key, str) and key not in known.documents:
                yield Finding(
                    ("documents", i), f"{shown(key)} is no known document", nearest(key, known.documents)
                )
    yield from _hypotheses(data)
    yield from _repeated_names(data)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _block(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def citations(value: Any, known: Known, path: Path = (), why: Any = None) -> Iterator[Finding]:
    """Walk through all blocks; a reason counts for the block that holds it and all blocks inside."""
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from citations(item, known, (*path, i), why)
    if not isinstance(value, Mapping):
        return
    why = value.get("why", why)
    source = value.get("source")
    if source == "assumed" and not why:
        yield Finding((*path, "source"), "assumed without a reason; add why: ...")
    elif isinstance(source, str) and source not in (known.sources or (source,)) and source != "assumed":
        reason = f"{shown(source)} is no key of the bibliography, no parameters:ID, and not assumed"
        yield Finding((*path, "source"), reason, nearest(source, known.sources or ()))
    if known.evidence is not None:
        for i, key in enumerate(_items(value.get("evidence"))):
            if isinstance(key, str) and key not in known.evidence:
                reason = f"{shown(key)} is no id of a mechanism"
                yield Finding((*path, "evidence", i), reason, nearest(key, known.evidence))
    for key, part in value.items():
        yield from citations(part, known, (*path, key), why)


def alternatives(chosen: str) -> frozenset[str]:
    """Return the names of alternatives that a choice such as ``escape + attack`` puts in force."""
    return frozenset(name.strip() for name in chosen.split("+"))


def _hypotheses(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Every set of alternatives that rules name needs one choice, and every choice an alternative."""
    chosen = _block(data.get("hypotheses"))
    sets: dict[str, dict[str, int]] = {}
    for i, rule in enumerate(_items(data.get("rules"))):
        text = _block(rule).get("hypothesis")
        if isinstance(text, str) and text.count(".") == 1:
            group, name = text.split(".")
            sets.setdefault(group, {}).setdefault(name, i)
    for group, names in sets.items():
        if group not in chosen:
            options = ", ".join((*names, NO_ALTERNATIVE))
            path = ("rules", min(names.values()), "hypothesis")
            yield Finding(path, f"hypotheses does not choose a {shown(group)}; expected one of {options}")
    for group, name in chosen.items():
        path = ("hypotheses", group)
        if group not in sets:
            yield Finding(
                path, f"no rule belongs to the hypothesis {shown(group)}", nearest(group, sets), at_key=True
            )
        elif isinstance(name, str) and (
            name != NO_ALTERNATIVE and not alternatives(name) <= set(sets[group])
        ):
            options = ", ".join((*sets[group], NO_ALTERNATIVE))
            yield Finding(path, f"got {shown(name)}; expected one of {options}", nearest(name, sets[group]))


def _repeated_names(data: Mapping[str, Any]) -> Iterator[Finding]:
    fields = _block(data.get("fields"))
    for name in _block(data.get("variables")):
        if name in fields:
            yield Finding(
                ("variables", name), f"{name} is also a field: rules could not tell them apart", at_key=True
            )
    seen: dict[str, int] = {}
    for i, rule in enumerate(_items(data.get("rules"))):
        name = _block(rule).get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield Finding(("rules", i, "name"), f"{shown(name)} is also the name of rules[{seen[name]}]")
        seen.setdefault(name, i)
