"""Loads every kernel of a scenario into this process: imported by the fork server, whose children then start at once.

The environment variable ``TME_SIM_WARM`` names the pickled scenario.
"""

from __future__ import annotations

import gc
import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.jit import set_threads
from tme_sim.record.session import recorder_of

VARIABLE = "TME_SIM_WARM"
_LOOK_EVERY_S = 0.5


def run_kernels(path: Path) -> None:
    """Step a pickled scenario twice."""
    set_threads(1)
    model = TumorMicroenvironment(pickle.loads(path.read_bytes()))  # noqa: S301 - written by this batch
    recorder_of(model).start(model)
    for _ in range(2):
        model.step()


@contextmanager
def ending_with_parent() -> Iterator[None]:
    """End this process within the block when its parent ends; compiling would outlive it by minutes."""
    parent, loaded = os.getppid(), threading.Event()

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


if VARIABLE in os.environ:
    # The file has gone where the batch was told to stop before this process had started.
    with ending_with_parent(), suppress(FileNotFoundError):
        run_kernels(Path(os.environ[VARIABLE]))
    gc.collect()
    gc.freeze()  # searching what is loaded for garbage takes 0.1 s each time
