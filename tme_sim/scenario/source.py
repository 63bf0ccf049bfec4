"""Reading of YAML, narrowed to the YAML 1.2 core schema, into a tree that knows the place of every value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from tme_sim.scenario.faults import Fault, ScenarioError, shown

MAX_BYTES = 2**20
MAX_DEPTH = 20
MAX_VALUES = 20_000  # the largest scenario of the package has 4,000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {
    word: value
    for value, words in ((True, "true True TRUE"), (False, "false False FALSE"))
    for word in words.split()
}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL, _HEX = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

type Scalar = str | int | float | bool | None


@dataclass(frozen=True, order=True)
class Mark:
    """A place: a line and column (from 1) of a file, or, with line 0, an origin such as ``--set KEY``."""

    origin: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.origin}:{self.line}:{self.column}" if self.line else self.origin


@dataclass
class Node:
    """A value with its place.

    Attributes
    ----------
    value : dict, list or scalar
        Mappings and sequences hold nodes.
    mark : Mark
        Where the value begins.
    key_mark : Mark or None
        Where its key begins, for a value of a mapping.
    """

    value: dict[str, Node] | list[Node] | Scalar
    mark: Mark
    key_mark: Mark | None = None


class _Refusal(Exception):
    """What makes a text, or a value of it, unreadable."""

    def __init__(self, reason: str, mark: Mark):
        super().__init__(reason)
        self.fault = Fault(str(mark), "", reason)


def read_file(path: Path, name: str | None = None) -> Node:
    """Read a YAML file; raises ScenarioError for one that cannot be read, or with faults of single values."""
    root, faults = survey_file(path, name)
    if faults:
        raise ScenarioError(faults)
    return root


def survey_file(path: Path, name: str | None = None) -> tuple[Node, list[Fault]]:
    """Read a YAML file; return it and the faults of single values, which stand as 0 there.

    Raises
    ------
    ScenarioError
        When it cannot be read at all.
    """
    name = name or str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioError([Fault(name, "", f"larger than {MAX_BYTES // 2**20} MiB")])
        raw = path.read_bytes()
    except OSError as error:
        raise ScenarioError([Fault(name, "", f"cannot be read: {error.strerror}")]) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise ScenarioError([Fault(f"{name}:{line}:{column}", "", "is not UTF-8 text")]) from None
    root, faults = _read_once(text, name)
    return root, list(faults)


@lru_cache(maxsize=64)
def _read_once(text: str, name: str) -> tuple[Node, tuple[Fault, ...]]:
    """Read the text of a file; libraries are read again and again, and nodes are never changed in place."""
    root, faults = survey_text(text, name)
    return root, tuple(faults)


def read_text(text: str, name: str, *, origin: Mark | None = None) -> Node:
    """Read YAML text, as `read_file`; ``origin`` takes the place of file, line and column."""
    root, faults = survey_text(text, name, origin=origin)
    if faults:
        raise ScenarioError(faults)
    return root


def survey_text(text: str, name: str, *, origin: Mark | None = None) -> tuple[Node, list[Fault]]:
    """Read YAML text, as `survey_file`."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise ScenarioError([Fault(name, "", f"larger than {MAX_BYTES // 2**20} MiB")])
    try:
        reader = _Reader(text, name, origin)
        return reader.document(), reader.faults
    except _Refusal as refusal:
        raise ScenarioError([refusal.fault]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Mark(name, mark.line + 1, mark.column + 1) if mark else Mark(name)
        reason = f"is not valid YAML: {error.problem or error.context}"
        raise ScenarioError([Fault(str(origin or place), "", reason)]) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise ScenarioError(
            [Fault(str(origin or Mark(name)), "", f"is not valid YAML: {shown(str(error))}")]
        ) from None


class _Reader:
    """Composes nodes from the event stream, so that every limit is met before memory is spent."""

    def __init__(self, text: str, name: str, origin: Mark | None):
        self._events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=_LOADER))
        self._name, self._origin = name, origin
        self._values = 0
        self.faults: list[Fault] = []

    def document(self) -> Node:
        root = Node({}, self._origin or Mark(self._name, 1, 1))
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Refusal("holds more than one YAML document", self._mark(event))
                root = self._node(next(self._events), 0)
        return root

    def _mark(self, event: yaml.Event) -> Mark:
        start = event.start_mark
        return self._origin or Mark(self._name, start.line + 1, start.column + 1)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        mark = self._mark(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _Refusal("anchors and aliases are not accepted; write the value out", mark)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _Refusal(f"tags such as {shown(tag)} are not accepted", mark)
        self._values += 1
        if self._values > MAX_VALUES:
            raise _Refusal(f"more than {MAX_VALUES:,} keys and values", mark)
        if depth > MAX_DEPTH:
            raise _Refusal(f"nested deeper than {MAX_DEPTH} levels", mark)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._items(depth), mark)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self._pairs(depth), mark)
        if isinstance(event, yaml.ScalarEvent):
            try:
                return Node(_resolve(event, mark), mark)
            except _Refusal as refusal:
                self.faults.append(refusal.fault)
                return Node(0, mark)
        raise _Refusal("is not valid YAML: a value is missing", mark)

    def _items(self, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _pairs(self, depth: int) -> dict[str, Node]:
        pairs: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            mark = self._mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _Refusal("a key must be a word", mark)
            if self._node(event, depth).value is None:
                raise _Refusal("a key must not be empty", mark)
            key: str = event.value
            value = self._node(next(self._events), depth + 1)
            value.key_mark = mark
            if (first := pairs.setdefault(key, value)) is not value:
                reason = f"the key {shown(key)} occurs twice; first at {first.key_mark}"
                self.faults.append(Fault(str(mark), "", reason))
        return pairs


def _resolve(event: yaml.ScalarEvent, mark: Mark) -> Scalar:
    text: str = event.value
    if event.style:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _NOT_FINITE.fullmatch(text):
        raise _Refusal(f"got {text}; expected a finite number", mark)
    for pattern, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.fullmatch(text):
            if len(text) > 100:
                raise _Refusal("a number with more than 100 digits is not accepted", mark)
            return int(text.removeprefix("0o").removeprefix("0x"), base)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isfinite(value):
            raise _Refusal(f"got {shown(text)}; expected a finite number", mark)
        return value
    return text
