"""Runs one planned run in this process and leaves its file in the batch's folder."""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tme_sim.batch.folder import Folder
from tme_sim.batch.plan import Planned
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.session import Session
from tme_sim.scenario.scenario import Scenario

_TELL_EVERY_S = 0.5


@dataclass(frozen=True)
class Job:
    """Everything a process needs for one run.

    Attributes
    ----------
    measures : sequence of str or None
        Measures to keep; None keeps all.
    checkpoint_s : float
        Wall time between checkpoints, seconds.
    """

    folder: Folder
    run: Planned
    scenario: Scenario
    measures: Sequence[str] | None
    checkpoint_s: float


def run_job(job: Job, stop: Callable[[], bool], tell: Callable[[int, int], None]) -> bool:
    """Run a job to its end, or until ``stop()``; return whether its file is there.

    Raises
    ------
    RunTaken
        When another process runs it now.
    Exception
        Whatever the run fails with.
    """
    folder, run = job.folder, job.run
    with folder.claim(run) as claim:
        if folder.run_file(run.run_id).exists():
            return True
        started = time.monotonic()
        session = Session.begin(
            TumorMicroenvironment(job.scenario),
            folder.run_file(run.run_id),
            every_s=job.checkpoint_s,
            checkpoint=folder.checkpoint(run.run_id),
            measures=job.measures,
        )
        told = 0.0
        steps = job.scenario.time.n_steps

        def on_step() -> None:
            nonlocal told
            if time.monotonic() - told > _TELL_EVERY_S:
                told = time.monotonic()
                step = session.model.clock.step
                claim.tell(step, steps)
                tell(step, steps)

        if not session.advance(stop, on_step):
            session.save()
            return False
        session.finish(_machine(time.monotonic() - started))
        folder.forget(run.run_id)
        return True


def _machine(wall_s: float) -> dict[str, str | float]:
    """Return facts about the machine, kept apart from everything that must be byte-equal."""
    return {
        "wall_time_s": wall_s,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }
