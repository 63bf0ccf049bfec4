"""The arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from tme_sim.cli.errors import CommandError

Config = Annotated[
    str, typer.Argument(metavar="CONFIG", help="Scenario file, or the name of one that ships with tme-sim.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one value of the scenario; repeatable."),
]
Seed = Annotated[int | None, typer.Option(help="Seed of the random numbers, 0 to 2^64 - 1.")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Simulated time to run, e.g. 10d or '36 h'.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
File = Annotated[str, typer.Argument(metavar="FILE", help="Run file written by tme-sim run.")]


def overrides(
    settings: list[str] | None, until: str | None = None, seed: int | None = None
) -> tuple[str, ...]:
    """Return ``key=value`` texts from ``--set``, ``--until`` and ``--seed``.

    Raises
    ------
    CommandError
        When a setting is not ``key=value`` or a key is set twice.
    """
    pairs = [*(settings or [])]
    if until is not None:
        pairs.append(f"time.duration={until}")
    if seed is not None:
        pairs.append(f"seed={seed}")
    seen: dict[str, str] = {}
    faults = []
    for pair in pairs:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not key or not equals:
            faults.append(f"--set {pair}: expected key=value, for example --set vessels.spacing='150 um'")
        elif key in seen:
            faults.append(f"--set {key}: given twice ({seen[key]} and {value})")
        seen[key] = value
    if faults:
        raise CommandError("\n".join(faults))
    return tuple(f"{key}={value}" for key, value in seen.items())


@contextmanager
def naming_as_typed(until: str | None, seed: int | None) -> Iterator[None]:
    """Let errors of the block name ``--until`` and ``--seed``, which are settings as others to everything below."""
    try:
        yield
    except CommandError as error:
        text = str(error)
        for option, value, key in (("--until", until, "time.duration"), ("--seed", seed, "seed")):
            if value is not None:
                text = text.replace(f"--set {key}: {key}: ", f"{option}: ")
        raise CommandError(text, error.code) from error.__cause__
