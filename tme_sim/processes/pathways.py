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

    ``target`` float64 (n, n_behaviours), ``columns`` int64 (n_variables,), ``io_variables`` (>= n, n_variables).
    """
    n = target.shape[0]
    for block in range(first, last):
        for v in range(columns.shape[0]):
            column, share = columns[v], gain[v]
            for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
                goal = target[i, column]
                goal = 0.0 if goal < 0.0 else goal
                goal = 1.0 if goal > 1.0 else goal
                io_variables[i, v] += (goal - io_variables[i, v]) * (share if death[i] == 0 else 0.0)


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
        relax(len(targets), targets, self.columns, gain, cells["death"], cells["variables"])
