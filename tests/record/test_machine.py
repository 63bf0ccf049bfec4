"""What a run tells of the machine: the memory is its own."""

import subprocess
import sys

import numpy as np

from tme_sim.record.machine import peak_memory_mb

SAY = "from tme_sim.record.machine import peak_memory_mb; print(peak_memory_mb())"


def test_peak_memory_of_a_process_leaves_out_the_process_that_started_it():
    held = np.ones(40_000_000)
    assert peak_memory_mb() > held.nbytes / 1024**2
    told = subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True, check=True)
    assert 1.0 < float(told.stdout) < 200.0
