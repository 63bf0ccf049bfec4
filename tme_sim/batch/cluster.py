"""Runs jobs on a Dask cluster; its workers write the same files as local processes do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait

from tme_sim.batch.local import ATTEMPTS, Event
from tme_sim.batch.worker import Job, outcome_of, told

_POLL_S = 0.5
# Two threads inside compiled kernels abort a process: a worker with several threads runs one job at a time.
_ONE_AT_A_TIME = threading.Lock()


class ClusterError(RuntimeError):
    """A scheduler cannot be used; says why."""


class ClusterRuns:
    """Runs jobs on the workers of a Dask scheduler, which must see the batch's folder under the same path.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://node1:8786``.
    """

    def __init__(self, address: str):
        self.address = address

    def run(self, jobs: Iterable[Job], stop: Callable[[], bool]) -> Iterator[Event]:
        """Yield what happens until all jobs have ended, or until ``stop()``: what has not begun is then called off."""
        from dask.distributed import Client

        try:
            client = Client(self.address, timeout="10s", set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(f"--scheduler {self.address}: cannot be reached: {error}") from None
        with client, client.get_executor(retries=ATTEMPTS - 1, pure=False) as executor:
            pending: dict[Future, Job] = {executor.submit(run_remote, job): job for job in jobs}
            for job in pending.values():
                yield Event("started", job.run)
            while pending:
                if stop():
                    for future in pending:
                        future.cancel()
                    return
                ended, _ = wait(pending, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield _outcome(future, pending.pop(future))


def run_remote(job: Job) -> tuple[str, str]:
    """Run a job in a Dask worker; return how it ended and why."""
    from tme_sim.numerics.jit import set_threads

    with _ONE_AT_A_TIME:
        set_threads(1)
        return outcome_of(job, lambda: False, lambda _step, _steps: None)


def _outcome(future: Future, job: Job) -> Event:
    try:
        kind, reason = future.result()
    except Exception as error:  # noqa: BLE001 - the worker died too often, or the scheduler went
        kind, reason = "failed", told(error)
    if kind == "memory":
        kind = "failed"
    if kind == "failed":
        job.folder.note_failure(job.run.run_id, reason, ATTEMPTS)
    return Event(kind, job.run, reason=reason)
