"""Checks the order of libraries: a clock stands behind the libraries whose numbers it changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tme_sim.scenario.faults import Fault, Path, dotted
from tme_sim.scenario.merge import name_of
from tme_sim.scenario.source import Node

_MOST_KEYS = 3


def clocks_overridden(used: Sequence[tuple[Node, Node]]) -> list[Fault]:
    """Return a fault for each library that sets anew what a clock before it has set: the clock would say nothing.

    Parameters
    ----------
    used : sequence of (Node, Node)
        Entry of ``use`` and library, in their order. A library with the key ``clock`` is a clock.
    """
    faults: list[Fault] = []
    for i, (entry, clock) in enumerate(used):
        own = set(_keys(clock))
        if "clock" not in own:
            continue
        for other, library in used[i + 1 :]:
            if both := [key for key in _keys(library) if key in own]:
                more = f" and {len(both) - _MOST_KEYS} more" if len(both) > _MOST_KEYS else ""
                reason = (
                    f"{entry.value} stands before {other.value}, which sets {', '.join(both[:_MOST_KEYS])}{more} anew; "
                    "name the clock behind it"
                )
                faults.append(Fault(str(entry.mark), "use", reason))
    return faults


def clocks_of(used: Iterable[tuple[Node, Node]]) -> dict[str, str]:
    """Return file -> name of each library in use that is a clock."""
    return {
        library.mark.origin: str(entry.value)
        for entry, library in used
        if isinstance(library.value, dict) and "clock" in library.value
    }


def _keys(node: Node, path: Path = ()) -> Iterator[str]:
    """Yield the dotted keys of all values, blocks of a number as one; rules by their names."""
    parts = node.value
    if path == ("rules",) and isinstance(parts, list):
        yield from (f"rules.{name}" for rule in parts if (name := name_of(rule)) is not None)
    elif isinstance(parts, dict) and "value" not in parts:
        for key, part in parts.items():
            yield from _keys(part, (*path, key))
    else:
        yield dotted(path)
