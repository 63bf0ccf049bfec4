"""Runs one planned run in this process and leaves its file in the batch's folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tme_sim.batch.folder import Folder, RunTaken
from tme_sim.batch.plan import Planned
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.machine import forget_peak_memory, machine_facts
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


def run_job(
    job: Job,
    stop: Callable[[], bool],
    tell: Callable[[int, int], None],
    say: Callable[[str], None] = lambda _: None,
) -> bool:
    """Run a job to its end, or until ``stop()``; return whether its file is there.

    ``say`` is told what was found of an earlier attempt: a checkpoint gone on from, or passed over and why.

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
        forget_peak_memory()  # of earlier runs in this process
        session = Session.begin(
            TumorMicroenvironment(job.scenario),
            folder.run_file(run.run_id),
            every_s=job.checkpoint_s,
            checkpoint=folder.checkpoint(run.run_id),
            measures=job.measures,
        )
        for note in session.notes:
            say(note)
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
        session.finish(machine_facts(time.monotonic() - started))
        folder.forget(run.run_id)
        return True


def outcome_of(job: Job, stop: Callable[[], bool], tell: Callable[[int, int], None]) -> tuple[str, str]:
    """Run a job whatever happens; return how it ended, as an `Event` names it or ``memory``, and why.

    For a run that is done or stopped, the second is what was found of an earlier attempt.
    """
    notes: list[str] = []
    try:
        finished = run_job(job, stop, tell, notes.append)
    except RunTaken:
        return "taken", "another process runs it"
    except MemoryError:
        return "memory", "out of memory"
    except Exception as error:  # noqa: BLE001 - whatever it is, the batch goes on and says so
        return "failed", told(error)
    return ("done" if finished else "stopped"), "; ".join(notes)


def told(error: BaseException) -> str:
    """Return an error on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
