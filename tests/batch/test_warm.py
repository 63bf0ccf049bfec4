"""The process that loads kernels before runs are forked off it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tme_sim.batch.loading import FOLDER, PARENT

LINE = [sys.executable, "-c", "import tme_sim.batch.warm"]


def test_batch_stopped_before_kernels_are_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    gone = {**os.environ, FOLDER: str(tmp_path / "gone"), PARENT: str(os.getpid())}
    done = subprocess.run(LINE, env=gone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_batch_killed_before_it_has_planned_leaves_no_process_that_waits(tmp_path: Path) -> None:
    orphan = {**os.environ, FOLDER: str(tmp_path), PARENT: "1"}
    done = subprocess.run(LINE, env=orphan, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (1, "")
