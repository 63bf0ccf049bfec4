"""Kills work in a process of its own, at a moment or at a write."""

from __future__ import annotations

import os
import shutil
import signal
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from tme_sim.batch.bundle import bundle
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import Plan
from tme_sim.batch.worker import Job, run_job
from tme_sim.record import store
from tme_sim.record.checkpoint import CheckpointError, read_header

# Every call by which a batch changes what lies on the disk, and what HDF5 does through `_Patient`.
WRITES = ("open", "write", "pwrite", "fsync", "link", "replace", "rename", "unlink", "mkdir", "ftruncate")


def whole_batch(plan: Plan, folder: Folder, say: Callable[[str], None]) -> None:
    """Do what the command ``batch`` does and then ``merge --bundle``, one run after the other; say what is done."""
    folder.prepare(plan)
    left = folder.left(plan.runs)
    for run in plan.runs:
        if run in left:
            job = Job(folder, run, plan.scenario(run), plan.experiment.measures, 0.0)
            assert run_job(job, lambda: False, lambda _step, _steps: None)
        say(run.run_id)
    merge(folder)
    bundle(folder, most=2)
    say("end")


def said_by(work: Callable[[Callable[[str], None]], None], kill: Callable[[int], None]) -> list[str]:
    """Run work in a fork; return what it said. ``kill`` is given its pid; a fork that fails says why."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work(lambda text: _say(writing, text))
        except BaseException as error:  # noqa: BLE001 - a fork must not go on as its parent
            _say(writing, f"failed: {error!r}")
        finally:
            os._exit(0)
    os.close(writing)
    kill(pid)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as said:
        return said.read().splitlines()


_REAL_WRITE = os.write


def _say(descriptor: int, text: str) -> None:
    _REAL_WRITE(descriptor, f"{text}\n".encode())


def after(seconds: float) -> Callable[[int], None]:
    """Return what kills a process after a time."""

    def kill(pid: int) -> None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)

    return kill


def let_live(pid: int) -> None:
    """Let a process end by itself."""


class DeadlyWrites:
    """Makes this process kill itself at the ``at``-th write, in the middle of what it writes; counts writes."""

    def __init__(self, at: int):
        self.at, self.count = at, 0

    def arm(self) -> None:
        """Take hold of every write of this process, which must not live on for other things."""
        for name in WRITES:
            setattr(os, name, self._deadly(getattr(os, name)))
        write = store._Patient.write

        def patient(file: store._Patient, data: bytes) -> int:
            return self._deadly(lambda _, part: write(file, part))(0, data)

        store._Patient.write = patient

    def _deadly(self, call: Callable) -> Callable:
        def deadly(*arguments, **options):
            self.count += 1
            if self.count == self.at:
                if isinstance(arguments[-1], bytes | memoryview) and len(arguments) == 2:
                    call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return deadly


def unreadable(folder: Folder) -> list[str]:
    """Return what lies under a final name and cannot be read."""
    if not folder.manifest.exists():
        return [str(path) for path in folder.path.glob("*/*") if not path.name.startswith(".")]
    folder.entries()
    faults = folder.damaged()
    for path in folder.path.glob("checkpoints/[!.]*"):
        try:
            read_header(path)
        except CheckpointError as error:
            faults.append(str(error))
    return faults


def extracted(folder: Folder, to: Path) -> Path:
    """Return a folder with every finished run as a file, bundled or not."""
    to.mkdir()
    for shard in folder.shards().values():
        if shard.bundled:
            with zipfile.ZipFile(shard.path) as archive:
                archive.extract(shard.member, to)
        else:
            shutil.copy(shard.path, to)
    return to
