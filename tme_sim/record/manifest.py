"""The manifest of a batch: what runs in its folder, sealed by a checksum."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tme_sim.record.seal import RunFileError

MANIFEST_VERSION = 1
_SEAL = "sha256"
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)")
# What readers are told of an experiment; manifests and merged files of earlier versions lack some of the second.
TOLD = ("experiment", "title", "scenario", "control", "plan_id")
REPLICATES = "replicates"  # the key of `converge` that counts runs and is no setting
TOLD_OF_PLAN = ("report", "settings", "arms", "converge", "tolerance")


class FolderError(RunFileError):
    """A folder holds no batch, or cannot hold this one; says why."""


@dataclass(frozen=True)
class Entry:
    """What a folder knows of one run without its scenario."""

    index: int
    arm: str
    point: Mapping[str, str]
    replicate: int
    seed: int
    run_id: str


def sealed_manifest(facts: Mapping[str, Any]) -> bytes:
    """Return what a manifest that says ``facts`` holds, its format and seal added."""
    facts = {"format": MANIFEST_VERSION, **facts}
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


def told_of_plan(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what facts say of reported measures, settings, arms and refinement, as far as they say it."""
    return {name: facts[name] for name in TOLD_OF_PLAN if name in facts}


def number_of(text: str) -> tuple[float, str] | None:
    """Return the number and the unit of a setting as it was written; None where it is anything else."""
    match = _NUMBER.fullmatch(text.strip())
    return (float(match[1]), match[2]) if match is not None else None


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
