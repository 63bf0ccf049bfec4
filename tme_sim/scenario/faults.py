"""Faults of a scenario: where, what was got, what was expected, what was perhaps meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

type Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes
    ----------
    where : str
        ``file:line:column`` or ``--set KEY``.
    path : str
        Dotted path of the key, such as ``rules[3].half_max``; empty for the file as a whole.
    reason : str
        What was got and what was expected.
    suggestion : str or None
        The nearest known word.
    """

    where: str
    path: str
    reason: str
    suggestion: str | None = None

    def __str__(self) -> str:
        hint = f" (did you mean {self.suggestion}?)" if self.suggestion else ""
        path = f"{self.path}: " if self.path else ""
        return _on_one_line(f"{self.where}: {path}{self.reason}{hint}")


class ScenarioError(Exception):
    """A scenario that cannot be used; carries every fault that was found.

    Attributes
    ----------
    faults : list of Fault
        In order of the file.
    """

    def __init__(self, faults: Sequence[Fault]):
        self.faults = list(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple:
        return (type(self), (self.faults,))


def dotted(path: Path) -> str:
    """Return ``rules[3].half_max`` for ``("rules", 3, "half_max")``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}" if text else shown(part)
    return text


def nearest(word: object, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the known word most like ``word``, None when none is as like as ``likeness`` (0 to 1) asks."""
    choices = list(known)
    if not isinstance(word, str) or len(word) > 100:
        return None
    found = difflib.get_close_matches(word, choices, 1, likeness)
    if found:
        return found[0]
    folded = {choice.casefold(): choice for choice in choices}
    return folded.get(word.casefold())


def shown(value: object) -> str:
    """Return a short, one-line rendering of an offending value."""
    text = _on_one_line(value if isinstance(value, str) else repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _on_one_line(text: str) -> str:
    """Return text without line breaks and without characters that act on a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))


def problem(reason: str, word: object = None, known: Iterable[str] = ()) -> PydanticCustomError:
    """Return an error for pydantic with a reason and the known name nearest to ``word``."""
    return PydanticCustomError(
        "problem", "{reason}", {"reason": reason, "suggestion": nearest(word, known) if word else None}
    )


def consequence() -> PydanticCustomError:
    """Return an error that only follows from another one, which is reported in its place."""
    return PydanticCustomError("consequence", "follows from another fault")


class Problems:
    """Gathers what is wrong inside one value, each at its own place, and raises it together."""

    def __init__(self) -> None:
        self._found: list[InitErrorDetails] = []

    def add(self, path: Path, error: PydanticCustomError | ValidationError, got: object = None) -> None:
        """Note an error at ``path`` below the value."""
        if isinstance(error, ValidationError):
            for line in error.errors(include_url=False):
                context = line.get("ctx", {})
                inner = PydanticCustomError(
                    "problem", "{reason}", {"reason": line["msg"], "suggestion": context.get("suggestion")}
                )
                self._found.append(
                    InitErrorDetails(type=inner, loc=(*path, *line["loc"]), input=line["input"])
                )
        else:
            self._found.append(InitErrorDetails(type=error, loc=path, input=got))

    def settle(self) -> None:
        """Raise what was found, if anything."""
        if self._found:
            raise ValidationError.from_exception_data("value", self._found)
