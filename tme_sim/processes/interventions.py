"""The timeline: drug in plasma; what is blocked, neutralised, knocked down, given or taken away, and when."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from tme_sim.processes.acts import Act, ChangeDose, WashOut
from tme_sim.processes.acts_on_cells import OnCells
from tme_sim.processes.base import Context
from tme_sim.processes.dosing import CourseSpec, Dosing
from tme_sim.rules.physiology import Change
from tme_sim.state.tissue import Tissue


class Interventions:
    """Set plasma levels and let the interventions in force act.

    Parameters
    ----------
    supply : float64 (n_fields,)
        Plasma level of every field without drugs.
    courses : sequence of CourseSpec
        What is given of each drug.
    acts : sequence of Act
        In the order of the scenario.

    Raises
    ------
    TypeError
        When an act changes behaviours of cells in a way that attribution could not repeat on thought cells.
    """

    name = "interventions"
    reads = ("clock",)
    writes = ("plasma", "extra_decay", "timeline")

    def __init__(self, supply: np.ndarray, courses: Sequence[CourseSpec] = (), acts: Sequence[Act] = ()):
        for act in acts:
            _check_holdable(type(act))
        self.supply, self.dosing, self.acts = supply, Dosing(list(courses)), tuple(acts)
        self._force: tuple[int, list[Act]] = (-1, [])

    def step(self, tissue: Tissue, context: Context) -> None:
        """Write ``tissue.plasma`` and ``context.extra_decay``; give and take what is due."""
        force = self.in_force(tissue)  # conditions see the plasma of the step before
        self.dosing.look(tissue)
        tissue.plasma[:] = self.supply
        context.extra_decay[:] = 0.0
        factors: dict[str, float] = {}
        for act in force:
            if isinstance(act, ChangeDose):
                factors[act.drug] = factors.get(act.drug, 1.0) * act.factor
        washed = frozenset(act.drug for act in force if isinstance(act, WashOut))
        self.dosing.step(tissue, factors, washed)
        for act in force:
            act.begin(tissue, context)

    def in_force(self, tissue: Tissue) -> list[Act]:
        """Return the interventions that act in the present step: conditions are looked at once in it."""
        if self._force[0] != tissue.clock.step:
            self._force = (tissue.clock.step, [act for act in self.acts if act.switch.is_on(tissue)])
        return self._force[1]

    def modify(self, tissue: Tissue, cell_type: np.ndarray, io_behaviours: np.ndarray) -> None:
        """Let the interventions in force change the behaviours of cells."""
        for act in self.in_force(tissue):
            act.modify(tissue, cell_type, io_behaviours)

    def held(self, tissue: Tissue, cells: np.ndarray, columns: Collection[int]) -> Change | None:
        """Return what the interventions of the last step do to behaviours of thought cells; nothing in the tissue.

        Parameters
        ----------
        cells : int64 (n,)
            Rows of the cells in whose places the thought ones are.
        columns : collection of int
            The behaviours that are asked for.

        Returns
        -------
        Change or None
            Counts the thought cells from 0 to n − 1; None where nothing acts on these behaviours.
        """
        cell_type = tissue.cells["type"][cells]
        on_cells = [act for act in self.acts if isinstance(act, OnCells) and act.column in columns]
        acts = [act for act in on_cells if act.rows(cell_type).any() and act.switch.was_on(tissue)]

        def change(rows: np.ndarray, io_behaviours: np.ndarray) -> None:
            for act in acts:
                act.change(tissue, cells[rows], cell_type[rows], io_behaviours)

        return change if acts else None


def _check_holdable(kind: type[Act]) -> None:
    """Raise TypeError for an act that modifies the cells of the tissue and says not how it would thought ones.

    The class that says `change` must not stand behind the one that says `modify`: it knows nothing of that one.
    """
    modify, change = (_depth(kind, name) for name in ("modify", "change"))
    if kind.modify is not Act.modify and not (issubclass(kind, OnCells) and change <= modify):
        raise TypeError(
            f"{kind.__name__} overrides modify alone; expected a subclass of OnCells that overrides change, "
            "or attribution could not hold what it does"
        )


def _depth(kind: type[Act], name: str) -> int:
    """Return the place, in the method resolution order, of the class that a method comes from."""
    return next((depth for depth, one in enumerate(kind.__mro__) if name in vars(one)), len(kind.__mro__))
