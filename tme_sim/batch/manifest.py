"""The manifest of a batch: what runs in its folder, sealed by a checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tme_sim.batch.plan import Plan

MANIFEST_VERSION = 1
_SEAL = "sha256"


class FolderError(ValueError):
    """A folder cannot hold this batch; says why."""


@dataclass(frozen=True)
class Entry:
    """What a folder knows of one run without its scenario."""

    index: int
    arm: str
    point: Mapping[str, str]
    replicate: int
    seed: int
    run_id: str


def manifest_of(plan: Plan) -> bytes:
    """Return the manifest of a plan, as its file holds it."""
    facts = _facts(plan)
    return json.dumps({_SEAL: _digest(facts), **facts}, indent=1).encode()


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what runs in a folder, from its manifest.

    Raises
    ------
    FolderError
        When it is missing, damaged, foreign or of another format.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        sealed = facts.pop(_SEAL)
    except FileNotFoundError:
        raise FolderError(f"{path.parent}: holds no batch") from None
    except OSError as error:
        raise FolderError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        sealed = facts = None
    if facts is None or sealed != _digest(facts):
        raise FolderError(
            f"{path}: damaged, or no manifest of tme-sim; move it away and give the batch command again: finished "
            "runs are kept"
        )
    if facts["format"] != MANIFEST_VERSION:
        raise FolderError(
            f"{path}: format {facts['format']}; this version reads {MANIFEST_VERSION}, update tme-sim"
        )
    return facts


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _facts(plan: Plan) -> dict[str, Any]:
    experiment = plan.experiment
    entries = [
        asdict(Entry(run.index, run.arm, dict(run.point), run.replicate, run.seed, run.run_id))
        for run in plan.runs
    ]
    return {
        "format": MANIFEST_VERSION,
        "plan_id": plan.plan_id,
        "experiment": experiment.experiment,
        "title": experiment.title,
        "scenario": experiment.scenario,
        "control": next(iter(experiment.arms)),
        "converge": dict(experiment.converge),
        "tolerance": experiment.tolerance,
        "report": experiment.report,
        "interval_min": min(float(scenario.record.measures) for scenario in plan.scenarios),
        "duration_min": max(scenario.time.n_steps * float(scenario.time.step) for scenario in plan.scenarios),
        "runs": entries,
    }
