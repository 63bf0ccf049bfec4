"""What a process is given in a step, and what it must offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from tme_sim.state.tissue import Tissue


class ProcessError(RuntimeError):
    """A process failed; names step, time, process, and the field or cell."""


@dataclass
class Context:
    """What the processes of one step share.

    Rows of cells never move within a step: births are appended behind (and have no behaviours until the next
    step), and a cell to be taken out gets ``death = codes.REMOVED``; the model removes it at the end of the
    step.

    Attributes
    ----------
    scenario : Scenario
        The frozen scenario; processes that take their numbers in their constructor do not read it.
    dt_min : float
        Length of the step, minutes.
    step : int
        Steps done before this one.
    seed : int
        Seed of the run, 0 to 2**64 - 1.
    behaviours : float64 (n, n_behaviours)
        Values at the start of the step, for the n cells there were then.
    names : dict of str to int
        Column of each behaviour.
    extra_decay : float64 (n_fields,)
        Decay that interventions add to each field, 1/min.
    clamped : dict of int to float
        Steady fields that an intervention holds at a level in the whole tissue.
    """

    scenario: Any
    dt_min: float
    step: int
    seed: int
    behaviours: np.ndarray
    names: dict[str, int]
    extra_decay: np.ndarray = field(default_factory=lambda: np.zeros(0))
    clamped: dict[int, float] = field(default_factory=dict)

    @property
    def end_min(self) -> float:
        """Simulated time at the end of the step, minutes: the time of the step's events."""
        return (self.step + 1) * self.dt_min

    def of(self, name: str) -> np.ndarray:
        """Return the (n,) values of one behaviour; zeros where nothing sets or regulates it."""
        column = self.names.get(name)
        return np.zeros(len(self.behaviours)) if column is None else self.behaviours[:, column]

    def columns(self, names: list[str]) -> np.ndarray:
        """Return the columns of behaviours, int64 (len(names),), -1 where nothing sets or regulates one."""
        return np.array([self.names.get(name, -1) for name in names], np.int64)


class Process(Protocol):
    """One part of a step.

    Attributes
    ----------
    name : str
        Its name in plans and errors.
    reads : tuple of str
        State it reads, as ``cells.stage``, ``fields``, ``pools``, ``behaviours``.
    writes : tuple of str
        State it owns; no two processes own the same. What it merely hands over (death returns docked vesicles
        to the pools) is not owned.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def reads(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def writes(self) -> tuple[str, ...]: ...  # noqa: D102

    def step(self, tissue: Tissue, context: Context) -> None:
        """Advance its part of the state by one step, in place."""
        ...
