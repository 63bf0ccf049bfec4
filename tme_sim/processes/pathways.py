"""Intracellular variables relax towards the targets that the rules set.

dx/dt = (target − x)/τ,   solved exactly over a step with the target held
"""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import BLOCK, block_kernel
from tme_sim.processes.base import Context
from tme_sim.state.tissue import Tissue


@block_kernel
def relax(
    first: int,
    last: int,
    target: np.ndarray,
    columns: np.ndarray,
    gain: np.ndarray,
    death: np.ndarray,
    io_variables: np.ndarray,
) -> None:
    """Move x by ``gain`` = 1 − exp(−Δt/τ) of the way to its target in every living cell.

    ``target`` float64 (n_behaviours, n), ``columns`` int64 (n_variables,), ``io_variables`` (n_variables, >= n).
    """
    n = target.shape[1]
    for block in range(first, last):
        begin, end = block * BLOCK, min(n, (block + 1) * BLOCK)
        dead = death[begin:end]
        for v in range(len(columns)):
            share, goals, now = gain[v], target[columns[v]][begin:end], io_variables[v][begin:end]
            for i in range(len(now)):
                goal = goals[i]
                goal = 0.0 if goal < 0.0 else goal
                goal = 1.0 if goal > 1.0 else goal
                now[i] += (goal - now[i]) * (share if dead[i] == 0 else 0.0)


class Pathways:
    """Advance every intracellular variable by one step.

    Parameters
    ----------
    time_min : float64 (n_variables,)
        Time constants, in the order of ``layout.variables``.
    columns : int64 (n_variables,)
        Column of each variable's target among the behaviours.
    """

    name = "pathways"
    reads = ("behaviours",)
    writes = ("cells.variables",)

    def __init__(self, time_min: np.ndarray, columns: np.ndarray):
        self.time_min, self.columns = time_min, columns

    def step(self, tissue: Tissue, context: Context) -> None:
        """Relax all variables of living cells."""
        gain = -np.expm1(-context.dt_min / self.time_min)
        targets, cells = context.behaviours, tissue.cells
        relax(len(targets), targets.T, self.columns, gain, cells["death"], cells.whole("variables"))
