"""Runs jobs on a Dask cluster; its workers write the same files as local processes do."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import suppress
from typing import Any

from tme_sim.batch.local import ATTEMPTS, Event
from tme_sim.batch.worker import Job, outcome_of, told

_POLL_S = 0.5
_LOOK_EVERY_S = 1.0
_CLOSE_S = 1.0
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

    def check(self) -> None:
        """Raise ClusterError unless the scheduler can be reached."""
        self._client().close(timeout=_CLOSE_S)

    def run(self, jobs: Iterable[Job], stop: Callable[[], bool]) -> Iterator[Event]:
        """Yield what happens until all jobs have ended, or until ``stop()`` and all runs have saved themselves."""
        from dask.distributed import Event as Flag

        client = self._client()
        asked = Flag(f"tme-sim-{secrets.token_hex(8)}", client)
        executor = client.get_executor(retries=ATTEMPTS - 1, pure=False)
        try:
            pending: dict[Future, Job] = {executor.submit(run_remote, job, asked.name): job for job in jobs}
            waiting, told_to_stop = dict(pending), False
            while pending:
                # Jobs begin in order, one in each worker; what a future knows itself is only whether it has ended.
                begun = len(pending) - len(waiting)
                for _ in range(min(len(waiting), _workers(client) - begun)):
                    yield Event("started", waiting.pop(next(iter(waiting))).run)
                if stop() and not told_to_stop:
                    asked.set()
                    told_to_stop = True
                ended, _ = wait(pending, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                for future in ended:
                    waiting.pop(future, None)
                    yield _outcome(future, pending.pop(future))
        finally:  # a second Ctrl-C comes through here: nothing may be waited for
            executor.shutdown(wait=False)
            client.close(timeout=_CLOSE_S)

    def _client(self) -> Any:
        from dask.distributed import Client
        from distributed.comm import get_address_host_port

        try:
            # A client that cannot read the address waits for seconds and leaves a traceback.
            get_address_host_port(self.address)
            return Client(self.address, timeout="10s", set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(f"--scheduler {self.address}: cannot be reached: {error}") from None


def _workers(client: Any) -> int:
    """Return how many workers there are now; none while the scheduler cannot be reached."""
    with suppress(OSError):
        return len(client.nthreads())
    return 0


def run_remote(job: Job, stop_flag: str) -> tuple[str, str]:
    """Run a job in a Dask worker until the flag of this name is set; return how it ended and why."""
    from dask.distributed import Event as Flag

    from tme_sim.numerics.jit import set_threads

    asked, looked = Flag(stop_flag), float("-inf")

    def stop() -> bool:
        nonlocal looked
        if time.monotonic() - looked < _LOOK_EVERY_S:
            return False
        looked = time.monotonic()
        return bool(asked.is_set())

    with _ONE_AT_A_TIME:
        if stop():
            return "stopped", ""
        set_threads(1)
        return outcome_of(job, stop, lambda _step, _steps: None)


def _outcome(future: Future, job: Job) -> Event:
    try:
        kind, reason = future.result()
    except CancelledError:
        return Event("failed", job.run, reason="the scheduler has gone; the same command goes on")
    except Exception as error:  # noqa: BLE001 - the worker died too often
        kind, reason = "failed", told(error)
    if kind == "memory":
        kind = "failed"
    if kind == "failed":
        job.folder.note_failure(job.run.run_id, reason, ATTEMPTS)
    return Event(kind, job.run, reason=reason)
