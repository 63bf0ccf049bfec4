"""Loads every kernel of a scenario into the process that imports it, the fork server of the runs."""

from __future__ import annotations

import gc
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tme_sim.batch.loading import FOLDER, PARENT, SCENARIO
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.jit import set_threads
from tme_sim.record.session import recorder_of
from tme_sim.scenario.scenario import Scenario

_LOOK_EVERY_S, _WAIT_S = 0.5, 0.02
_COMPILED = "compiled"  # a file beside cached kernels once a whole scenario has been stepped with them


def run_kernels(folder: Path) -> None:
    """Step the pickled scenario that comes to lie in a folder twice; nothing where the folder goes before.

    Another process compiles them first where none has yet: all runs would inherit the memory which that takes.
    """
    path = folder / SCENARIO
    while folder.exists() and not path.exists():
        time.sleep(_WAIT_S)
    with suppress(FileNotFoundError):  # the batch was told to stop
        scenario = pickle.loads(path.read_bytes())  # noqa: S301 - written by this batch
        set_threads(1)
        compiled = Path(os.environ["NUMBA_CACHE_DIR"]) / _COMPILED
        if not compiled.exists():
            _in_a_child(lambda: _step(scenario))
        _step(scenario)
        with suppress(OSError):
            compiled.touch()


def _step(scenario: Scenario) -> None:
    model = TumorMicroenvironment(scenario)
    recorder_of(model).start(model)
    for _ in range(2):
        model.step()


def _in_a_child(work: Callable[[], None]) -> None:
    """Do something in a process of its own, which ends with this one; whatever fails will fail here, too."""
    parent = os.getpid()
    if (child := os.fork()) == 0:
        with suppress(Exception), ending_with(parent):
            work()
        os._exit(0)
    os.waitpid(child, 0)


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
