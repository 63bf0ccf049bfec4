"""Starts the process that loads kernels, which imports what it needs while the command still plans."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

FOLDER, PARENT = "TME_SIM_WARM", "TME_SIM_WARM_PARENT"
SCENARIO = "scenario.pickle"


@contextmanager
def loading() -> Iterator[Path]:
    """Keep a fork server, and the folder where it awaits what `tell_scenario` puts there, within the block.

    Within a block, another one is the same.
    """
    if FOLDER in os.environ:
        yield Path(os.environ[FOLDER])
        return
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["tme_sim.batch.local", "tme_sim.batch.warm"]
    )
    with tempfile.TemporaryDirectory(prefix="tme-sim-") as folder:
        os.environ |= {FOLDER: folder, PARENT: str(os.getpid())}
        try:
            _start()
            yield Path(folder)
        finally:
            del os.environ[FOLDER], os.environ[PARENT]


def tell_scenario(folder: Path, scenario: object) -> None:
    """Let the fork server run the kernels of a scenario."""
    unfinished = folder / "unfinished"
    unfinished.write_bytes(pickle.dumps(scenario))
    unfinished.replace(folder / SCENARIO)


def _start() -> None:
    # Signals to the whole group are for this process, which asks its children to save themselves; those inherit
    # the mask, and take SIGTERM when they are ready to.
    resource_tracker.ensure_running()  # started within, it would lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
