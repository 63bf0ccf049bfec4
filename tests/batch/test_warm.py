"""The process that loads kernels before runs are forked off it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tme_sim.batch.warm import VARIABLE


def test_batch_stopped_before_kernels_are_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    gone = {**os.environ, VARIABLE: str(tmp_path / "gone.pickle")}
    line = [sys.executable, "-c", "import tme_sim.batch.warm"]
    done = subprocess.run(line, env=gone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
