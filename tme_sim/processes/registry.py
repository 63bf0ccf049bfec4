"""Which processes of users every model runs: registered ones, and those of installed packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tme_sim.processes.base import Process
from tme_sim.resources import entry_points
from tme_sim.scenario.scenario import Scenario

ENTRY_POINTS = "tme_sim.processes"
Maker = Callable[[Scenario], Iterable[Process]]
_registered: list[Maker] = []


def register(maker: Maker) -> None:
    """Let every later model run the processes that ``maker(scenario)`` returns, none for scenarios that lack them.

    They run after pathways and before fate. Installed packages do the same without a call through the
    entry-point group ``tme_sim.processes``. What a process must remember from step to step belongs in the
    tissue or in attributes that pickle.
    """
    if maker not in _registered:
        _registered.append(maker)


def unregister(maker: Maker) -> None:
    """Take back what `register` added."""
    _registered.remove(maker)


def processes_for(scenario: Scenario) -> list[Process]:
    """Return new processes of users for one model: registered ones first, then installed ones by name."""
    installed = (entry.load() for entry in entry_points(group=ENTRY_POINTS))
    makers: list[Maker] = [*_registered, *installed]
    return [process for maker in makers for process in maker(scenario)]
