"""The cell cycle: G1 left at a rate where there is room to divide, S and G2M timed, then ready to divide."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.philox import happens, uniforms
from tme_sim.processes.base import Context
from tme_sim.state.cells import Cells
from tme_sim.state.codes import ALIVE, G1, G2M, NO_CYCLE, STREAM_CYCLE, S
from tme_sim.state.tissue import Tissue


@dataclass
class Cycle:
    """G1 → S at rate ``cycle entry``, S → G2M → ready after the waiting times of the cell's type.

    The moment of leaving G1 within the step is drawn, and what is left of a step is carried into the next
    stage, so that waiting times are exact for every step length.

    Parameters
    ----------
    s_min, g2m_min : float64 (n_types,)
        Waiting times in S and G2M, minutes.
    cycles : bool (n_types,)
        Types that cycle at all; a cell that turns into such a type starts in G1.
    room : callable of Tissue and rows to bool (k,), optional
        Whether a daughter would find place: cells without stay in G1 (contact inhibition acts at the restriction
        point, not in G2M). By default every cell has room.
    """

    s_min: np.ndarray
    g2m_min: np.ndarray
    cycles: np.ndarray
    room: Callable[[Tissue, np.ndarray], np.ndarray] | None = None
    name: str = field(default="cycle", init=False)
    reads: tuple[str, ...] = field(default=("behaviours", "cells.type", "cells.death"), init=False)
    writes: tuple[str, ...] = field(default=("cells.stage", "cells.stage_left_min"), init=False)

    def __post_init__(self) -> None:
        self.s_min, self.g2m_min = np.array(self.s_min, np.float64), np.array(self.g2m_min, np.float64)
        self.cycles = np.array(self.cycles, np.bool_)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Advance every living cell's cycle by one step."""
        cells = tissue.cells
        n = len(context.behaviours)
        entry = context.of("cycle entry").copy()
        number = uniforms(context.seed, cells["lineage"][:n], context.step, STREAM_CYCLE, 0)
        if self.room is not None:
            leaving = np.flatnonzero(
                _leaving(
                    cells["death"][:n],
                    cells["stage"][:n],
                    number,
                    entry,
                    cells["stage_left_min"][:n],
                    context.dt_min,
                )
            )
            entry[leaving[~self.room(tissue, leaving)]] = 0.0
        _advance(
            cells["death"][:n],
            cells["type"][:n],
            number,
            entry,
            self.cycles,
            self.s_min,
            self.g2m_min,
            context.dt_min,
            cells["stage"][:n],
            cells["stage_left_min"][:n],
        )


def ready_to_divide(cells: Cells) -> np.ndarray:
    """Return a bool mask (n,) of living cells that have finished G2M."""
    return (cells["stage"] == G2M) & (cells["stage_left_min"] <= 0.0) & (cells["death"] == ALIVE)


@kernel
def _leaving(death, stage, number, entry, left, dt_min):
    """Return which cells in G1 draw to leave it in this step; the draw is the one that `_advance` makes."""
    out = np.zeros(len(death), np.bool_)
    for i in range(len(death)):
        if death[i] == ALIVE and stage[i] == G1 and entry[i] > 0.0:
            out[i] = happens(number[i], entry[i] * (dt_min - left[i]))
    return out


@kernel
def _advance(death, type_, number, entry, cycles, s_min, g2m_min, dt_min, io_stage, io_left):
    for i in range(len(death)):
        if death[i] != ALIVE:
            continue
        t = type_[i]
        if not cycles[t]:
            io_stage[i] = NO_CYCLE
            io_left[i] = 0.0
            continue
        if io_stage[i] == NO_CYCLE:
            io_stage[i] = G1
            io_left[i] = 0.0
        elif io_stage[i] != G1:
            io_left[i] -= dt_min
        elif entry[i] <= 0.0:
            io_left[i] = 0.0
        else:
            # A daughter enters with the rest of the step of its birth (left <= 0).
            window = dt_min - io_left[i]
            io_left[i] = 0.0
            if happens(number[i], entry[i] * window):
                io_stage[i] = S
                io_left[i] = s_min[t] - (window + math.log1p(-number[i]) / entry[i])
        if io_stage[i] == S and io_left[i] <= 0.0:
            io_stage[i] = G2M
            io_left[i] += g2m_min[t]
