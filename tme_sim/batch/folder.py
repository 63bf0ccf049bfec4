"""The folder of a batch: where its files lie, what each run's state is, and whose folder it is.

batch.json       what runs here: plan id, one entry per run
runs/ID.h5       finished runs
checkpoints/     runs under way
running/ID.json  who runs it now, locked by its process, and how far it is
failed/ID.json   why a run failed
results.h5       everything merged
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tme_sim.batch.plan import Plan, Planned
from tme_sim.record.checkpoint import checkpoint_path, discard
from tme_sim.record.reader import verify
from tme_sim.record.seal import RunFileError
from tme_sim.record.store import publish

_NEWS_BYTES = 256  # all news are as long, so that none leaves the end of a longer one behind it
_PARTS = ("runs", "checkpoints", "running", "failed")
DONE, FAILED, RUNNING, STOPPED, WAITING = "done", "failed", "running", "stopped", "waiting"
STATES = (DONE, FAILED, RUNNING, STOPPED, WAITING)


class FolderError(ValueError):
    """A folder cannot hold this batch; says why."""


class RunTaken(RuntimeError):
    """Another process runs this run now."""


@dataclass(frozen=True)
class Entry:
    """What a folder knows of one run without its scenario."""

    index: int
    arm: str
    point: Mapping[str, str]
    replicate: int
    seed: int
    run_id: str


@dataclass(frozen=True)
class Folder:
    """The folder of a batch."""

    path: Path

    @property
    def manifest(self) -> Path:
        """What runs here."""
        return self.path / "batch.json"

    @property
    def results(self) -> Path:
        """The merged file."""
        return self.path / "results.h5"

    def run_file(self, run_id: str) -> Path:
        """Return where a finished run lies."""
        return self.path / "runs" / f"{run_id}.h5"

    def checkpoint(self, run_id: str) -> Path:
        """Return where the newest checkpoint of a run lies."""
        return checkpoint_path(self.path / "checkpoints" / run_id)

    def _running(self, run_id: str) -> Path:
        return self.path / "running" / f"{run_id}.json"

    def _failed(self, run_id: str) -> Path:
        return self.path / "failed" / f"{run_id}.json"

    def prepare(self, plan: Plan) -> None:
        """Make the folder ready for a plan, or find it ready already.

        Raises
        ------
        FolderError
            When it is a link, cannot be written, holds another experiment or other files.
        """
        self._refuse_foreign(plan)
        try:
            for part in _PARTS:
                (self.path / part).mkdir(parents=True, exist_ok=True)
            content = json.dumps(_manifest(plan), indent=1).encode()
            try:
                publish(self.manifest, (content,))
            except FileExistsError:
                self._refuse_foreign(plan)
        except OSError as error:
            raise FolderError(f"--out {self.path}: {error.strerror}") from None

    def _refuse_foreign(self, plan: Plan) -> None:
        if self.path.is_symlink() or any((self.path / part).is_symlink() for part in _PARTS):
            raise FolderError(
                f"--out {self.path}: a link, or holds linked folders; expected a folder of its own"
            )
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise FolderError(f"--out {self.path}: a file; expected a folder")
        if not self.manifest.exists():
            others = sorted(item.name for item in self.path.iterdir() if item.name not in _PARTS)
            if others:
                raise FolderError(
                    f"--out {self.path}: holds {others[0]} and no batch; expected an empty or a new folder"
                )
            return
        found = self.read_manifest()
        if found["plan_id"] != plan.plan_id:
            raise FolderError(
                f"--out {self.path}: holds experiment {found['experiment']} (plan {found['plan_id'][:8]}), which "
                f"differs from {plan.experiment.experiment} (plan {plan.plan_id[:8]}); choose another folder"
            )

    def read_manifest(self) -> dict[str, Any]:
        """Return what runs here.

        Raises
        ------
        FolderError
            When there is no batch, or its manifest is damaged.
        """
        try:
            return json.loads(self.manifest.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise FolderError(f"{self.path}: holds no batch") from None
        except (OSError, ValueError) as error:
            raise FolderError(f"{self.manifest}: cannot be read: {error}") from None

    def entries(self) -> list[Entry]:
        """Return every run of the batch, in order."""
        return [Entry(**run) for run in self.read_manifest()["runs"]]

    def state(self, run_id: str) -> str:
        """Return the state of a run: one of `STATES`."""
        if self.run_file(run_id).exists():
            return DONE
        if self.progress(run_id) is not None:
            return RUNNING
        if self._failed(run_id).exists():
            return FAILED
        return STOPPED if self.checkpoint(run_id).exists() else WAITING

    def states(self) -> dict[str, list[Entry]]:
        """Return the runs by state."""
        out: dict[str, list[Entry]] = {state: [] for state in STATES}
        for entry in self.entries():
            out[self.state(entry.run_id)].append(entry)
        return out

    def sound(self, run_id: str) -> bool:
        """Return whether a run's file is there and whole; a damaged one is put aside, to be made again."""
        path = self.run_file(run_id)
        if not path.exists():
            return False
        try:
            verify(path)
        except (RunFileError, OSError):
            path.replace(path.with_suffix(".damaged"))
            return False
        return True

    def damaged(self) -> list[str]:
        """Return what is wrong with each run file that is not whole."""
        faults = []
        for entry in self.entries():
            path = self.run_file(entry.run_id)
            try:
                if path.exists():
                    verify(path)
            except (RunFileError, OSError) as error:
                faults.append(str(error))
        return faults

    @contextmanager
    def claim(self, run: Planned) -> Iterator[Claim]:
        """Hold a run against every other process of this machine, as long as the block lasts.

        Raises
        ------
        RunTaken
            When another process holds it.
        """
        path = self._running(run.run_id)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _locked(descriptor):
                raise RunTaken(run.run_id)
            os.ftruncate(descriptor, 0)  # what a process said that was killed
            try:
                yield Claim(descriptor)
            finally:
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def progress(self, run_id: str) -> dict[str, Any] | None:
        """Return how far a run under way is; None where no process of this machine holds it."""
        try:
            descriptor = os.open(self._running(run_id), os.O_RDONLY)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _news(os.pread(descriptor, _NEWS_BYTES, 0))
        else:
            return None
        finally:
            os.close(descriptor)

    def note_failure(self, run_id: str, reason: str, attempts: int) -> None:
        """Keep why a run failed; on a full disk the batch goes on without."""
        content = json.dumps({"reason": reason, "attempts": attempts}).encode()
        with suppress(OSError):
            publish(self._failed(run_id), (content,), replace=True)

    def failure(self, run_id: str) -> str:
        """Return why a run failed; empty where it did not."""
        try:
            return json.loads(self._failed(run_id).read_text(encoding="utf-8"))["reason"]
        except (OSError, ValueError, KeyError):
            return ""

    def forget(self, run_id: str) -> None:
        """Remove what a finished run leaves: checkpoints and earlier failures."""
        discard(self.checkpoint(run_id))
        self._failed(run_id).unlink(missing_ok=True)


@dataclass(frozen=True)
class Claim:
    """A run held by this process."""

    descriptor: int

    def tell(self, step: int, steps: int) -> None:
        """Say how far the run is; a full disk is no reason to give it up."""
        news = json.dumps({"step": step, "steps": steps, "pid": os.getpid(), "time": time.time()})
        with suppress(OSError):
            os.pwrite(self.descriptor, news.encode().ljust(_NEWS_BYTES), 0)


def _news(raw: bytes) -> dict[str, Any]:
    """Return what a running run says of itself; empty where it has not spoken yet or speaks just now."""
    try:
        news = json.loads(raw)
    except ValueError:
        return {}
    return news if isinstance(news, dict) else {}


def _locked(descriptor: int) -> bool:
    """Lock a file for this process; try again for a moment, as a reader of its state holds it that long."""
    for _ in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.01)
        else:
            return True
    return False


def _manifest(plan: Plan) -> dict[str, Any]:
    entries = [
        asdict(Entry(run.index, run.arm, dict(run.point), run.replicate, run.seed, run.run_id))
        for run in plan.runs
    ]
    experiment = plan.experiment
    return {
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
