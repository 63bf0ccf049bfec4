"""What a run tells of the machine: the memory is its own."""

import subprocess
import sys

import numpy as np

from tme_sim.record.machine import forget_peak_memory, peak_memory_mb

SAY = "from tme_sim.record.machine import peak_memory_mb; print(peak_memory_mb())"


def test_peak_memory_of_a_process_leaves_out_the_process_that_started_it():
    held = np.ones(40_000_000)
    assert peak_memory_mb() > held.nbytes / 1024**2
    told = subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True, check=True)
    assert 1.0 < float(told.stdout) < 200.0


def test_peak_memory_begins_anew_when_it_is_forgotten():
    held = np.ones(40_000_000)
    before = peak_memory_mb()
    del held
    assert peak_memory_mb() > before - 10.0  # the kernel counts in steps
    if forget_peak_memory():
        assert peak_memory_mb() < before - 200.0
