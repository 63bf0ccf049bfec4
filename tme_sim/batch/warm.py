"""Loads every kernel of a scenario into this process: imported by the fork server, whose children then start at once.

The environment variable ``TME_SIM_WARM`` names the pickled scenario.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path

from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.jit import set_threads
from tme_sim.record.session import recorder_of

VARIABLE = "TME_SIM_WARM"


def run_kernels(path: Path) -> None:
    """Step a pickled scenario twice."""
    set_threads(1)
    model = TumorMicroenvironment(pickle.loads(path.read_bytes()))  # noqa: S301 - written by this batch
    recorder_of(model).start(model)
    for _ in range(2):
        model.step()


if VARIABLE in os.environ:
    run_kernels(Path(os.environ[VARIABLE]))
