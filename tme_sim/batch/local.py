"""Runs jobs on this machine in processes that take one after the other; one that is killed or hungry costs its run."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import resource
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess

from tme_sim.batch.loading import loading, tell_scenario
from tme_sim.batch.plan import Planned
from tme_sim.batch.worker import Job, outcome_of
from tme_sim.numerics.jit import set_threads
from tme_sim.record.machine import forget_peak_memory
from tme_sim.scenario.scenario import Scenario

ATTEMPTS = 2
_STARTS = 20  # tries to start a process while the fork server is being made anew
_POLL_S = 0.2
_LOST = 255  # what multiprocessing tells of a process whose fork server has gone
_WORKS_FOR_S, _MOST_RUNS = 60.0, 100  # a process costs 0.1 s, and what runs leave in it must not pile up


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
class _Worker:
    """A process that takes one run after the other; it has a job while it is in ``job``."""

    process: BaseProcess
    orders: Connection
    news: Connection
    began: float = field(default_factory=time.monotonic)
    job: Job | None = None
    attempt: int = 0
    runs: int = 0
    known: set[int] = field(default_factory=set)  # variants whose scenario it has

    def give(self, job: Job, attempt: int) -> Event:
        """Hand it a job; that it has just died shows by its end."""
        self.job, self.attempt, self.runs = job, attempt, self.runs + 1
        order = vars(job) | ({"scenario": None} if job.run.variant in self.known else {})
        self.known.add(job.run.variant)
        with suppress(OSError):
            self.orders.send(order)
        return Event("started", job.run)

    def dismiss(self) -> None:
        """Let it end once it has no job."""
        self.orders.close()


class LocalRuns:
    """Runs jobs in processes that a fork server starts, which holds the compiled kernels.

    A process takes up to `_MOST_RUNS` within `_WORKS_FOR_S`, and no more after one that did not end well.

    Parameters
    ----------
    workers : int
        Runs at a time.
    memory_mb : float or None
        What a run may allocate, program included; a run that needs more fails alone. None: no limit.
    """

    def __init__(self, workers: int, memory_mb: float | None = None):
        self.workers, self.memory_mb = workers, memory_mb
        self._staff: list[_Worker] = []
        self._waiting: deque[tuple[Job, int]] = deque()
        self._asked = False
        # Where the peak of memory cannot begin anew, it is that of a run only in a process of one run.
        self._most_runs = _MOST_RUNS if forget_peak_memory() else 1

    def run(self, jobs: Iterable[Job], stop: Callable[[], bool]) -> Iterator[Event]:
        """Yield what happens until all jobs have ended, or until ``stop()`` and all runs have saved themselves."""
        self._waiting = deque((job, 1) for job in jobs)
        if not self._waiting:
            return
        context = multiprocessing.get_context("forkserver")
        with loading() as folder, _lifeline(context) as lifeline:
            try:
                tell_scenario(folder, self._waiting[0][0].scenario)
                _await_kernels(context, stop)
                while self._waiting or any(worker.job for worker in self._staff):
                    if stop() and not self._asked:
                        self._ask_to_stop()
                    while self._waiting and (worker := self._free(context, lifeline)):
                        yield worker.give(*self._waiting.popleft())
                    yield from self._listen()
            finally:
                self._kill()

    def _free(self, context: ForkServerContext, lifeline: Connection) -> _Worker | None:
        """Return a worker for the next job, a new one for a job that is tried again; None while all have one."""
        retried = self._waiting[0][1] > 1
        for worker in self._staff:
            if worker.job is None and not worker.orders.closed:
                if not retried:
                    return worker
                worker.dismiss()
        return self._start(context, lifeline) if len(self._staff) < self.workers else None

    def _start(self, context: ForkServerContext, lifeline: Connection) -> _Worker:
        """Return a new worker; where the fork server has gone it is made anew, once it has been seen to be gone.

        Raises
        ------
        OSError
            When no process can be started.
        """
        for _ in range(_STARTS):
            (orders, ours), (news, theirs) = context.Pipe(duplex=False), context.Pipe(duplex=False)
            process = context.Process(
                target=_work, args=(orders, theirs, lifeline, self.memory_mb), daemon=True
            )
            with orders, theirs, suppress(EOFError, OSError):
                process.start()
            if process.pid is not None:
                self._staff.append(_Worker(process, ours, news))
                return self._staff[-1]
            ours.close()
            news.close()
            time.sleep(_POLL_S)
        raise OSError("no process could be started for the runs")

    def _listen(self) -> Iterator[Event]:
        ends = [end for worker in self._staff for end in (worker.news, worker.process.sentinel)]
        ready = set(wait(ends, _POLL_S))
        for worker in list(self._staff):
            if not ready.isdisjoint((worker.news, worker.process.sentinel)):
                yield from self._read(worker)
            if worker.process.sentinel in ready:
                yield from self._gone(worker)

    def _read(self, worker: _Worker) -> Iterator[Event]:
        """Yield what a worker has said: progress of its run, or how that ended."""
        try:
            while worker.news.poll():
                kind, value = worker.news.recv()
                if worker.job is None:
                    continue
                if kind == "progress":
                    yield Event("progress", worker.job.run, value)
                    continue
                if self._asked or kind not in ("done", "taken") or self._is_worn(worker):
                    worker.dismiss()
                yield self._ended(worker, worker.job, kind, value)
        except (EOFError, OSError, pickle.UnpicklingError):
            return

    def _is_worn(self, worker: _Worker) -> bool:
        return worker.runs >= self._most_runs or time.monotonic() - worker.began >= _WORKS_FOR_S

    def _gone(self, worker: _Worker) -> Iterator[Event]:
        """Part with a worker whose process has ended."""
        worker.process.join()
        if worker.process.exitcode == _LOST and worker.process.pid is not None:
            # With its fork server gone it may still be at work, and hold the run that is tried again.
            with suppress(ProcessLookupError):
                os.kill(worker.process.pid, signal.SIGKILL)
        self._staff.remove(worker)
        worker.dismiss()
        worker.news.close()
        if worker.job is not None:
            yield self._ended(worker, worker.job, "died", _fate(worker.process))

    def _ended(self, worker: _Worker, job: Job, kind: str, reason: str) -> Event:
        worker.job = None
        if kind == "stopped" and not self._asked:
            kind, reason = "died", "asked to stop from outside"
        if kind in ("died", "memory"):
            if worker.attempt < ATTEMPTS and self._asked:
                return Event("stopped", job.run, reason=reason)
            if worker.attempt < ATTEMPTS:
                self._waiting.appendleft((job, worker.attempt + 1))
                return Event("retried", job.run, reason=reason)
            kind = "failed"
        if kind == "failed":
            job.folder.note_failure(job.run.run_id, reason, worker.attempt)
        return Event(kind, job.run, reason=reason)

    def _ask_to_stop(self) -> None:
        self._asked = True
        self._waiting.clear()
        for worker in self._staff:
            if worker.job is None:
                worker.dismiss()
            else:
                worker.process.terminate()

    def _kill(self) -> None:
        for worker in self._staff:
            worker.process.kill()
        for worker in self._staff:
            worker.process.join()
        self._staff.clear()


def _fate(process: BaseProcess) -> str:
    code = process.exitcode
    if code == _LOST:
        return "the process that starts runs has gone"
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
def _lifeline(context: ForkServerContext) -> Iterator[Connection]:
    """Yield the end of a pipe that closes when this process dies, however it dies."""
    theirs, ours = context.Pipe(duplex=False)
    try:
        yield theirs
    finally:
        ours.close()
        theirs.close()


def _work(orders: Connection, news: Connection, lifeline: Connection, memory_mb: float | None) -> None:
    """Run one job after the other until no more come; the last word sent of each is how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which asks by SIGTERM
    asked: list[int] = []  # an Event's lock would be taken twice by two signals
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()
    if memory_mb is not None:
        limit = int(memory_mb * 2**20)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    set_threads(1)
    scenarios: dict[int, Scenario] = {}
    with suppress(EOFError):
        while True:
            news.send(_outcome_of_next(orders, scenarios, lambda: bool(asked), news))
            gc.collect()  # a model holds itself
            gc.freeze()


def _outcome_of_next(
    orders: Connection, io_scenarios: dict[int, Scenario], stop: Callable[[], bool], news: Connection
) -> tuple[str, str]:
    """Run the next job, whose scenario comes with the first job of its variant; raises EOFError when no more come."""
    try:
        order = orders.recv()
        run = order["run"]
        scenario = io_scenarios.setdefault(run.variant, order["scenario"])
        job = Job(**order | {"scenario": scenario.model_copy(update={"seed": run.seed})})
    except MemoryError:
        return "memory", "out of memory"
    return outcome_of(job, stop, lambda step, steps: news.send(("progress", step / steps)))


def _die_with(lifeline: Connection) -> None:
    """End this process when its parent has gone."""
    try:
        lifeline.poll(None)
    finally:
        os._exit(1)


def default_workers() -> int:
    """Return how many runs this machine can do at a time."""
    return len(os.sched_getaffinity(0))
