"""The folder of a batch: where its files lie, what each run's state is, and whose folder it is.

batch.json       what runs here: plan id, one entry per run
runs/ID.h5       finished runs
bundles/         the same, packed into archives
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tme_sim.batch.manifest import manifest_of
from tme_sim.batch.plan import Plan, Planned
from tme_sim.record.checkpoint import checkpoint_path, discard, generations
from tme_sim.record.manifest import Entry, FolderError, read_manifest
from tme_sim.record.reader import verify
from tme_sim.record.seal import RunFileError
from tme_sim.record.shard import Shard, members_of, shards_in
from tme_sim.record.store import is_unfinished, publish, remove_unfinished

_NEWS_BYTES = 256  # all news are as long, so that none leaves the end of a longer one behind it
_PARTS = ("runs", "bundles", "checkpoints", "running", "failed")
DONE, FAILED, RUNNING, STOPPED, WAITING = "done", "failed", "running", "stopped", "waiting"
STATES = (DONE, FAILED, RUNNING, STOPPED, WAITING)


class RunTaken(RuntimeError):
    """Another process runs this run now."""


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

    @property
    def bundles(self) -> Path:
        """Where archives of finished runs lie."""
        return self.path / "bundles"

    def run_file(self, run_id: str) -> Path:
        """Return where a run's file comes to lie."""
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
        try:
            self._refuse_foreign(plan)
            for part in (self.path, *(self.path / part for part in _PARTS)):
                part.mkdir(parents=True, exist_ok=True)
                if not os.access(part, os.R_OK | os.W_OK | os.X_OK):
                    raise FolderError(f"--out {part}: cannot be read and written")
                remove_unfinished(part)
            try:
                publish(self.manifest, (manifest_of(plan),))
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
            ours = (*_PARTS, self.results.name)
            names = sorted(item.name for item in self.path.iterdir())
            others = [name for name in names if name not in ours and not is_unfinished(name)]
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
        """Return what runs here, as the manifest says.

        Raises
        ------
        FolderError
            When there is no batch, or its manifest is damaged.
        """
        return read_manifest(self.manifest)

    def entries(self) -> list[Entry]:
        """Return every run of the batch, in order."""
        return [Entry(**run) for run in self.read_manifest()["runs"]]

    def shards(self) -> dict[str, Shard]:
        """Return where each finished run lies."""
        return shards_in(self.path)

    def states(self) -> dict[str, list[Entry]]:
        """Return the runs by state."""
        out: dict[str, list[Entry]] = {state: [] for state in STATES}
        finished = self.shards()
        for entry in self.entries():
            out[DONE if entry.run_id in finished else self.state(entry.run_id)].append(entry)
        return out

    def state(self, run_id: str) -> str:
        """Return the state of a run that is not done: one of `STATES`."""
        if self.progress(run_id) is not None:
            return RUNNING
        if self._failed(run_id).exists():
            return FAILED
        return STOPPED if any(path.exists() for path in generations(self.checkpoint(run_id))) else WAITING

    def left(self, runs: Sequence[Planned]) -> list[Planned]:
        """Return those of some runs that are to be done, after removing what a kill left of the others."""
        done = self.sound()
        for part in ("checkpoints", "running", "failed"):
            for path in (self.path / part).iterdir():
                run_id = path.name.partition(".")[0]
                if run_id in done and self.progress(run_id) is None:
                    path.unlink(missing_ok=True)
        return [run for run in runs if run.run_id not in done]

    def sound(self) -> set[str]:
        """Return the ids of all finished runs that are whole; damaged files are put aside, to be made again."""
        whole = set()
        for run_id, shard in self.shards().items():
            try:
                shard.check()
            except (RunFileError, OSError):
                if not shard.bundled:
                    with suppress(FileNotFoundError):  # another command has just packed it into a bundle
                        shard.path.replace(shard.path.with_suffix(".damaged"))
            else:
                whole.add(run_id)
        return whole

    def damaged(self) -> list[str]:
        """Return what is wrong with each file of finished runs that is not whole, and with the merged file."""
        faults = []
        checks = [shard.check for shard in self.shards().values()]
        checks += [partial(members_of, path) for path in self.bundles.glob("*.zip")]
        checks += [partial(verify, self.results)] if self.results.exists() else []
        for check in checks:
            try:
                check()
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
