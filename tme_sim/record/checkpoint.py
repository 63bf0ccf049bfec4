"""Checkpoints of a run: the model and what was recorded so far, two generations, each sealed."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import tme_sim
from tme_sim.record.recorder import Recorder
from tme_sim.record.seal import TRAILER_BYTES, RunFileError, check_seal, check_sealed_file, seal
from tme_sim.record.store import publish

CHECKPOINT_VERSION = 1
_MAGIC = b"TME-SIM CHECKPOINT\n"
_HEADER_LIMIT = 1 << 16


class CheckpointError(ValueError):
    """A checkpoint cannot be used; says which file and why."""


@dataclass(frozen=True)
class Header:
    """What a checkpoint says of itself before anything of it is unpickled.

    Attributes
    ----------
    run_id : str
        The run that it belongs to.
    step : int
        Steps done.
    minutes : float
        Simulated time.
    program, numerics_version : str
        Versions that wrote it; others cannot read it.
    version : int
        Of this format.
    """

    run_id: str
    step: int
    minutes: float
    numerics_version: str
    program: str = tme_sim.__version__
    version: int = CHECKPOINT_VERSION


@dataclass(frozen=True)
class Checkpoint:
    """A run in the middle: its model and its recorder, attached to each other."""

    header: Header
    model: Any
    recorder: Recorder


def checkpoint_path(out: Path) -> Path:
    """Return the newest checkpoint's name for a run file; the one before ends in ``.1``."""
    return out.with_name(f"{out.name}.checkpoint")


def generations(path: Path) -> tuple[Path, Path]:
    """Return the names of both generations, the newest first."""
    return path, path.with_name(f"{path.name}.1")


def write_checkpoint(path: Path, run_id: str, model: Any, recorder: Recorder) -> None:
    """Write a checkpoint; the one before, where it is whole, stays as the second generation.

    Raises
    ------
    OSError
        When it cannot be written; the generations that were there stay.
    """
    clock = model.tissue.clock
    header = Header(run_id, clock.step, clock.minutes, model.numerics_version)
    content = b"".join(
        (
            _MAGIC,
            json.dumps(asdict(header)).encode(),
            b"\n",
            pickle.dumps((model, recorder), protocol=pickle.HIGHEST_PROTOCOL),
        )
    )
    if _is_whole(path):  # a damaged one must not take the place of a good one
        path.replace(generations(path)[1])
    publish(path, (content, seal(content)), replace=True)


def read_header(path: Path) -> Header:
    """Return what a checkpoint says of itself, after checking every byte of it."""
    return _read(path)[0]


def read_checkpoint(path: Path) -> Checkpoint:
    """Return a checkpoint ready to go on from.

    Unpickling runs what the file says: open only checkpoints that you or your batch have written.

    Raises
    ------
    CheckpointError
        When it is foreign, truncated, damaged or of another version.
    """
    header, pickled = _read(path)
    _refuse_other_versions(path, header)
    model, recorder = pickle.loads(pickled)  # noqa: S301 - sealed, and of this version
    if model.numerics_version != header.numerics_version:
        raise CheckpointError(
            f"{path}: written by numerics version {header.numerics_version}; this is {model.numerics_version}, "
            "whose results differ; run again"
        )
    recorder.context = model.measure_context
    recorder.attach(model)
    return Checkpoint(header, model, recorder)


def newest(path: Path, run_id: str | None = None) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest usable checkpoint of a run, and what was wrong with those passed over.

    Parameters
    ----------
    run_id : str, optional
        Pass over checkpoints of other runs.
    """
    passed_over: list[str] = []
    for generation in generations(path):
        if not generation.exists():
            continue
        try:
            header = read_header(generation)
            if run_id is not None and header.run_id != run_id:
                passed_over.append(f"{generation}: belongs to run {header.run_id}; not used")
                continue
            return read_checkpoint(generation), passed_over
        except (CheckpointError, OSError) as error:
            passed_over.append(f"{error}; not used")
    return None, passed_over


def discard(path: Path) -> None:
    """Remove both generations."""
    for generation in generations(path):
        generation.unlink(missing_ok=True)


def _is_whole(path: Path) -> bool:
    try:
        check_sealed_file(path)
    except (RunFileError, OSError):
        return False
    return True


def _read(path: Path) -> tuple[Header, memoryview]:
    """Return header and pickled part of a file whose seal holds."""
    raw = memoryview(path.read_bytes())
    if len(raw) <= len(_MAGIC) + TRAILER_BYTES or bytes(raw[: len(_MAGIC)]) != _MAGIC:
        raise CheckpointError(f"{path}: no checkpoint of tme-sim")
    try:
        end = check_seal(raw, str(path))
    except RunFileError as error:
        raise CheckpointError(str(error)) from None
    text, _, _ = bytes(raw[len(_MAGIC) : len(_MAGIC) + _HEADER_LIMIT]).partition(b"\n")
    said = json.loads(text)  # a newer version may say more, or less, before it is refused by its number
    header = Header(**{known.name: said.get(known.name) for known in fields(Header)})
    return header, raw[len(_MAGIC) + len(text) + 1 : end]


def _refuse_other_versions(path: Path, header: Header) -> None:
    ours = (CHECKPOINT_VERSION, tme_sim.__version__)
    theirs = (header.version, header.program)
    if theirs != ours:
        raise CheckpointError(
            f"{path}: written by tme-sim {theirs[1]} (checkpoint format {theirs[0]}); this is {ours[1]} "
            f"(format {ours[0]}); go on with the version that wrote it, or run again"
        )
