"""Loads every kernel of a scenario into the process that imports it, the fork server of the runs."""

from __future__ import annotations

import gc
import os
import pickle
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tme_sim.batch.loading import FOLDER, PARENT, SCENARIO
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.jit import set_threads
from tme_sim.record.session import recorder_of

_LOOK_EVERY_S, _WAIT_S = 0.5, 0.02


def run_kernels(folder: Path) -> None:
    """Step the pickled scenario that comes to lie in a folder twice; nothing where the folder goes before."""
    path = folder / SCENARIO
    while folder.exists() and not path.exists():
        time.sleep(_WAIT_S)
    with suppress(FileNotFoundError):  # the batch was told to stop
        scenario = pickle.loads(path.read_bytes())  # noqa: S301 - written by this batch
        set_threads(1)
        model = TumorMicroenvironment(scenario)
        recorder_of(model).start(model)
        for _ in range(2):
            model.step()


@contextmanager
def ending_with(parent: int) -> Iterator[None]:
    """End this process within the block when its parent has gone; compiling would outlive it by minutes."""
    loaded = threading.Event()

    def watch() -> None:
        while not loaded.wait(_LOOK_EVERY_S):
            if os.getppid() != parent:
                os._exit(1)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        loaded.set()
        watching.join()  # no thread may live when this process forks


if FOLDER in os.environ:
    with ending_with(int(os.environ[PARENT])):
        run_kernels(Path(os.environ[FOLDER]))
    gc.collect()
    gc.freeze()  # searching what is loaded for garbage takes 0.1 s each time
