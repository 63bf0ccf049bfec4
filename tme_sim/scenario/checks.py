"""Checks that need more than one block: citations, hypotheses, geometry, names used twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tme_sim.scenario.faults import Path
from tme_sim.scenario.scenario import Scenario


@dataclass(frozen=True)
class Finding:
    """Something wrong at a path; ``at_key``: the key is to blame rather than its value."""

    path: Path
    reason: str
    suggestion: str | None = None
    at_key: bool = False


def check_data(
    data: dict[str, Any],
    evidence: frozenset[str] | None,
    sources: frozenset[str] | None,
    documents: frozenset[str] | None,
    out: list[Finding],
) -> None:
    """Check citations."""


def check_scenario(scenario: Scenario, measures: frozenset[str] | None, out: list[Finding]) -> None:
    """Check geometry."""
