"""Runs jobs on this machine, one process per run, so that a run that is killed or hungry costs only itself."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import resource
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess

from tme_sim.batch.plan import Planned
from tme_sim.batch.warm import VARIABLE
from tme_sim.batch.worker import Job, outcome_of
from tme_sim.numerics.jit import set_threads

ATTEMPTS = 2
_POLL_S = 0.2


@dataclass(frozen=True)
class Event:
    """News of a run.

    Attributes
    ----------
    kind : str
        ``started``, ``progress``, ``done``, ``failed``, ``retried``, ``stopped`` or ``taken``.
    share : float
        Share of its steps that is done.
    reason : str
        Why it failed or is tried again; of a run that went on from a checkpoint, which, and what was passed over.
    """

    kind: str
    run: Planned
    share: float = 0.0
    reason: str = ""


@dataclass
class _Child:
    job: Job
    process: BaseProcess
    news: Connection
    attempt: int
    said: tuple[str, str] | None = None


class LocalRuns:
    """Runs jobs in processes of their own, started by a fork server that holds the compiled kernels.

    Parameters
    ----------
    workers : int
        Runs at a time.
    memory_mb : float or None
        What a run may allocate, program included; a run that needs more fails alone. None: no limit.
    """

    def __init__(self, workers: int, memory_mb: float | None = None):
        self.workers, self.memory_mb = workers, memory_mb
        self._children: list[_Child] = []
        self._waiting: deque[tuple[Job, int]] = deque()
        self._asked = False

    def run(self, jobs: Iterable[Job], stop: Callable[[], bool]) -> Iterator[Event]:
        """Yield what happens until all jobs have ended, or until ``stop()`` and all runs have saved themselves."""
        self._waiting = deque((job, 1) for job in jobs)
        if not self._waiting:
            return
        with _fork_server(self._waiting[0][0]) as context, _lifeline(context) as lifeline:
            try:
                _await_kernels(context, stop)
                while self._waiting or self._children:
                    if stop() and not self._asked:
                        self._ask_to_stop()
                    while self._waiting and len(self._children) < self.workers:
                        child = self._start(context, *self._waiting.popleft(), lifeline)
                        yield Event("started", child.job.run)
                        if child.process.pid is None:
                            yield self._ended(child)
                        else:
                            self._children.append(child)
                    yield from self._listen()
            finally:
                self._kill()

    def _start(self, context: ForkServerContext, job: Job, attempt: int, lifeline: Connection) -> _Child:
        """Return a child; its process has no pid where the fork server has gone, which is made anew next time."""
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(job, theirs, lifeline, self.memory_mb), daemon=True)
        with theirs, suppress(EOFError, OSError):
            process.start()
        return _Child(job, process, ours, attempt)

    def _listen(self) -> Iterator[Event]:
        ready = set(
            wait([c.news for c in self._children] + [c.process.sentinel for c in self._children], _POLL_S)
        )
        for child in list(self._children):
            if child.news in ready:
                yield from self._read(child)
            if child.process.sentinel in ready:
                yield from self._read(child)
                child.process.join()
                self._children.remove(child)
                child.news.close()
                yield self._ended(child)

    def _read(self, child: _Child) -> Iterator[Event]:
        """Yield the progress that a child has sent, and keep its last word."""
        try:
            while child.news.poll():
                kind, value = child.news.recv()
                if kind == "progress":
                    yield Event("progress", child.job.run, value)
                else:
                    child.said = (kind, value)
        except (EOFError, OSError, pickle.UnpicklingError):
            return

    def _ended(self, child: _Child) -> Event:
        run, (kind, reason) = child.job.run, child.said or ("died", _fate(child.process))
        if kind == "stopped" and not self._asked:
            kind, reason = "died", "asked to stop from outside"
        if kind in ("died", "memory"):
            if child.attempt < ATTEMPTS and self._asked:
                return Event("stopped", run, reason=reason)
            if child.attempt < ATTEMPTS:
                self._waiting.appendleft((child.job, child.attempt + 1))
                return Event("retried", run, reason=reason)
            kind = "failed"
        if kind == "failed":
            child.job.folder.note_failure(run.run_id, reason, child.attempt)
        return Event(kind, run, reason=reason)

    def _ask_to_stop(self) -> None:
        self._asked = True
        self._waiting.clear()
        for child in self._children:
            child.process.terminate()

    def _kill(self) -> None:
        for child in self._children:
            child.process.kill()
        for child in self._children:
            child.process.join()
        self._children.clear()


def _fate(process: BaseProcess) -> str:
    if process.pid is None:
        return "could not be started"
    code = process.exitcode
    return f"killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with exit code {code}"


def _await_kernels(context: ForkServerContext, stop: Callable[[], bool]) -> None:
    """Wait until the fork server has run the kernels and starts processes, or until ``stop()``."""
    first = context.Process(target=os.getpid, daemon=True)
    starting = threading.Thread(target=_try_to_start, args=(first,), daemon=True)
    starting.start()
    while starting.is_alive() and not stop():
        starting.join(_POLL_S)


def _try_to_start(process: BaseProcess) -> None:
    with suppress(EOFError, OSError):
        process.start()
        process.join()


@contextmanager
def _fork_server(job: Job) -> Iterator[ForkServerContext]:
    """Yield a context whose fork server has run the kernels of a job's scenario."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tme_sim.batch.warm", "tme_sim.batch.local"])
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        file.write(pickle.dumps(job.scenario))
        file.flush()
        os.environ[VARIABLE] = file.name
        # Signals to the whole group are for this process, which asks its children to save themselves; those inherit
        # the mask, and take SIGTERM when they are ready to.
        resource_tracker.ensure_running()  # started within, it would lift the mask
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        try:
            yield context
        finally:
            del os.environ[VARIABLE]


@contextmanager
def _lifeline(context: ForkServerContext) -> Iterator[Connection]:
    """Yield the end of a pipe that closes when this process dies, however it dies."""
    theirs, ours = context.Pipe(duplex=False)
    try:
        yield theirs
    finally:
        ours.close()
        theirs.close()


def _child(job: Job, news: Connection, lifeline: Connection, memory_mb: float | None) -> None:
    """Run one job; the last word sent is how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which asks by SIGTERM
    asked: list[int] = []  # an Event's lock would be taken twice by two signals
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()
    if memory_mb is not None:
        limit = int(memory_mb * 2**20)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    set_threads(1)
    news.send(outcome_of(job, lambda: bool(asked), lambda step, steps: news.send(("progress", step / steps))))


def _die_with(lifeline: Connection) -> None:
    """End this process when its parent has gone."""
    try:
        lifeline.poll(None)
    finally:
        os._exit(1)


def default_workers() -> int:
    """Return how many runs this machine can do at a time."""
    return len(os.sched_getaffinity(0))
