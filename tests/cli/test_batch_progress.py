"""Lines of a batch's progress where there is no terminal."""

from __future__ import annotations

import io
import time

import pytest

from tme_sim.batch.local import Event
from tme_sim.batch.plan import Planned
from tme_sim.cli.batch_progress import BatchProgress


def run(index: int) -> Planned:
    return Planned(index, "relay", {}, index, index, 0, f"id{index}")


def test_time_left_does_not_count_the_loading_of_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stream = io.StringIO()
    with BatchProgress("small", 2, 0, stream=stream) as progress:
        now = 100.0
        progress.take(Event("started", run(0)))
        now = 103.0
        progress.take(Event("done", run(0)))
    assert stream.getvalue().endswith("small: 1 of 2 runs done, 0 failed, 0 running, 0:00:03 left\n")


def test_checkpoint_that_was_passed_over_is_told() -> None:
    stream = io.StringIO()
    with BatchProgress("small", 1, 0, stream=stream) as progress:
        progress.take(Event("started", run(0)))
        progress.take(Event("done", run(0), reason="x.checkpoint: damaged; not used"))
    assert "relay, replicate 0: x.checkpoint: damaged; not used" in stream.getvalue()
