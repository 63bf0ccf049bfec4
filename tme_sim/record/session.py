"""A run on its way to its file: steps, records, checkpoints, and goes on where it was broken off."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.checkpoint import checkpoint_path, discard, newest, write_checkpoint
from tme_sim.record.identity import run_id
from tme_sim.record.recorder import Recorder
from tme_sim.record.schedule import Every
from tme_sim.record.writer import write_run


def identity(model: TumorMicroenvironment) -> str:
    """Return the id of a model's run."""
    return run_id(model.resolved_json, model.seed, model.numerics_version)


def recorder_of(model: TumorMicroenvironment, measures: Sequence[str] | None = None) -> Recorder:
    """Return a recorder that keeps what the model's scenario asks for: these measures, or all."""
    kept = model.config.record
    return Recorder(
        Every(float(kept.measures)), Every(float(kept.snapshots)), measures, model.measure_context
    )


@dataclass
class Session:
    """One run.

    Parameters
    ----------
    model, recorder
        At the same moment, attached to each other.
    out : Path
        Run file to write at the end; checkpoints lie beside it unless ``checkpoint`` names another place.
    every_s : float
        Wall time between checkpoints, seconds; infinite: none.
    """

    model: TumorMicroenvironment
    recorder: Recorder
    out: Path
    every_s: float = float("inf")
    checkpoint: Path | None = None
    notes: list[str] = field(default_factory=list)
    _saved_at: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(
        cls,
        model: TumorMicroenvironment,
        out: Path,
        *,
        every_s: float = float("inf"),
        checkpoint: Path | None = None,
        measures: Sequence[str] | None = None,
    ) -> Session:
        """Return a run at its start, or where its newest usable checkpoint left it."""
        found, notes = newest(checkpoint or checkpoint_path(out), identity(model))
        if found is not None:
            session = cls(found.model, found.recorder, out, every_s, checkpoint, notes)
            session.notes.append(f"goes on at {found.header.minutes / 1440.0:.2f} d from its checkpoint")
            return session
        session = cls(model, recorder_of(model, measures), out, every_s, checkpoint, notes)
        session.recorder.start(model)
        return session

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return identity(self.model)

    @property
    def checkpoint_file(self) -> Path:
        """Where the newest checkpoint lies."""
        return self.checkpoint or checkpoint_path(self.out)

    def advance(self, stop: Callable[[], bool], on_step: Callable[[], None] = lambda: None) -> bool:
        """Step until the run ends, True, or until ``stop()``, False; checkpoints fall due in between."""
        while self.model.running:
            if stop():
                return False
            self.model.step()
            self.recorder.observe(self.model.tissue)
            on_step()
            if time.monotonic() - self._saved_at >= self.every_s:
                self._save_if_possible()
        return True

    def save(self) -> None:
        """Write a checkpoint now."""
        write_checkpoint(self.checkpoint_file, self.run_id, self.model, self.recorder)
        self._saved_at = time.monotonic()

    def _save_if_possible(self) -> None:
        """Write a checkpoint; a disk that is full now is no reason to give up the run."""
        try:
            self.save()
        except OSError as error:
            self.notes.append(f"no checkpoint: {self.checkpoint_file}: {error.strerror}")
            self._saved_at = time.monotonic()

    def finish(
        self, provenance: Mapping[str, str | int | float], *, force: bool = False, keep: bool = False
    ) -> None:
        """Write the run file; checkpoints go, or with ``keep`` the last state stays to be gone on from."""
        if keep:
            self.save()
        write_run(self.recorder.finish(), self.out, force=force, provenance=provenance)
        if not keep:
            discard(self.checkpoint_file)
