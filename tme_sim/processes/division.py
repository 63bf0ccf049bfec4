"""Division of ready cells into a free neighbour site, pushing a chain of cells where there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.lattice import directions, neighbour
from tme_sim.numerics.philox import child_keys, uniforms
from tme_sim.processes.base import Context
from tme_sim.processes.cycle import ready_to_divide
from tme_sim.state.cells import Cells
from tme_sim.state.codes import ALIVE, EMPTY, G1, STREAM_DIVISION
from tme_sim.state.events import BIRTH
from tme_sim.state.tissue import Tissue

_HALVED = ("cargo", "docked", "load", "drug")
_OWN = ("id", "parent", "lineage", "births", "site", "born_min", "stage", "stage_left_min")


@dataclass
class Division:
    """Ready cells divide one after the other in order of a random priority, ties by lineage key.

    The daughter takes a free neighbour site, drawn evenly. Without one, the straight or diagonal line to the
    nearest free site is found, ties drawn, and its cells move one site along it. Cells without place stay
    ready; only cells that have place when the process begins are considered. Levels (variables, damage,
    exposure) are copied, amounts (cargo, docked vesicles, drug) are split in halves.

    Parameters
    ----------
    push : int64 (n_types,)
        Cells that a dividing cell of that type may push along; 0 is contact inhibition.
    movable : bool (n_types,)
        Types that can be pushed; remains of dead cells cannot.
    elsewhere : tuple of int
        Types whose daughters another process places.
    moore : bool
        True for 8 neighbours (26 in space), False for 4 (6).
    """

    push: np.ndarray
    movable: np.ndarray
    elsewhere: tuple[int, ...] = ()
    moore: bool = True
    name: str = field(default="division", init=False)
    reads: tuple[str, ...] = field(default=("cells.stage", "cells.stage_left_min", "cells.type"), init=False)
    writes: tuple[str, ...] = field(default=("cells.births", "cells.generation"), init=False)

    def __post_init__(self) -> None:
        self.push, self.movable = np.array(self.push, np.int64), np.array(self.movable, np.bool_)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Let every ready cell that finds place divide."""
        cells = tissue.cells
        steps = directions(tissue.grid.shape, moore=self.moore)
        lattice = (cells.occupant, cells["site"], cells["type"], cells["death"])
        ready = np.flatnonzero(ready_to_divide(cells))
        if self.elsewhere:
            ready = ready[~np.isin(cells["type"][ready], self.elsewhere)]
        ready = ready[self.has_room(tissue, ready)]
        if len(ready) == 0:
            return
        key = cells["lineage"][ready]
        draw = uniforms(context.seed, key, context.step, STREAM_DIVISION, 0)
        ready = ready[np.lexsort((key, draw))]
        draw = uniforms(context.seed, cells["lineage"][ready], context.step, STREAM_DIVISION, 1)
        mother, site = np.empty(len(ready), np.int64), np.empty(len(ready), np.int64)
        born = _divide(
            ready, draw, *lattice, steps, self.push, self.movable, *tissue.grid.shape, mother, site
        )
        rows = append_daughters(cells, mother[:born], site[:born], context)
        record_births(tissue, rows, context)

    def has_room(self, tissue: Tissue, rows: np.ndarray) -> np.ndarray:
        """Return for each of ``rows`` whether a daughter would find place now, bool (k,)."""
        cells = tissue.cells
        steps = directions(tissue.grid.shape, moore=self.moore)
        lattice = (cells.occupant, cells["site"], cells["type"], cells["death"])
        return _has_place(rows, *lattice, steps, self.push, self.movable, *tissue.grid.shape)


def append_daughters(cells: Cells, mother: np.ndarray, site: np.ndarray, context: Context) -> np.ndarray:
    """Add a daughter of every mother at its site and return their rows; both start in G1."""
    for name in _HALVED:
        cells[name][mother] *= 0.5
    cells["generation"][mother] += 1
    left = cells["stage_left_min"][mother]
    # The rest of the step in which G2M ended counts towards G1; a longer wait for place does not.
    rest = np.where(left > -context.dt_min, left, 0.0)
    cells["stage"][mother] = G1
    cells["stage_left_min"][mother] = rest
    values = {name: cells[name][mother] for name in cells.names if name not in _OWN}
    births = cells["births"][mother]
    rows = cells.append(
        site,
        parent=cells["id"][mother],
        lineage=child_keys(cells["lineage"][mother], births),
        born_min=context.end_min,
        stage=G1,
        stage_left_min=rest,
        **values,
    )
    cells["births"][mother] += 1
    return rows


def record_births(tissue: Tissue, rows: np.ndarray, context: Context) -> None:
    """Write the new cells to the events, in the order of their ids."""
    if len(rows) == 0:
        return
    cells = tissue.cells
    rows = rows[np.argsort(cells["id"][rows])]
    table = np.zeros(len(rows), BIRTH)
    table["minutes"] = context.end_min
    for name in ("id", "parent", "founder", "type", "site"):
        table[name] = cells[name][rows]
    tissue.events.births.append(table)


@kernel
def chain_length(site, d, steps, occupant, type_, death, movable, mother, reach, nz, ny, nx):
    """Return how many cells must move for the next site in direction d to be free, -1 where impossible.

    Rows from ``len(type_)`` on are daughters of this step: alive, of the type of their mother.
    """
    n = len(type_)
    dz, dy, dx = steps[d, 0], steps[d, 1], steps[d, 2]
    x = site % nx
    y = (site // nx) % ny
    z = site // (nx * ny)
    for pushed in range(reach + 1):
        z += dz
        y += dy
        x += dx
        if z < 0 or z >= nz or y < 0 or y >= ny or x < 0 or x >= nx:
            return -1
        row = occupant[(z * ny + y) * nx + x]
        if row == EMPTY:
            return pushed
        origin = row if row < n else mother[row - n]
        if death[origin] != ALIVE or not movable[type_[origin]]:
            return -1
    return -1


@kernel
def _has_place(ready, occupant, site, type_, death, steps, push, movable, nz, ny, nx):
    mother = np.empty(0, np.int64)
    found = np.zeros(len(ready), np.bool_)
    for i in range(len(ready)):
        row = ready[i]
        for d in range(len(steps)):
            reach = push[type_[row]]
            if (
                chain_length(site[row], d, steps, occupant, type_, death, movable, mother, reach, nz, ny, nx)
                >= 0
            ):
                found[i] = True
                break
    return found


@kernel
def _divide(
    ready, draw, io_occupant, io_site, type_, death, steps, push, movable, nz, ny, nx, out_mother, out_site
):
    """Place daughters of the ready cells in their order; return how many were born.

    Daughters get the rows behind the present ones; both a cell and a daughter can be pushed later on.
    """
    n = len(type_)
    born = 0
    length = np.empty(len(steps), np.int64)
    for i in range(len(ready)):
        row = ready[i]
        here = io_site[row]
        best = np.int64(-1)
        ties = 0
        for d in range(len(steps)):
            k = chain_length(
                here, d, steps, io_occupant, type_, death, movable, out_mother, push[type_[row]], nz, ny, nx
            )
            # Squared length of the line in sites; all free neighbours count alike.
            square = steps[d, 0] ** 2 + steps[d, 1] ** 2 + steps[d, 2] ** 2
            length[d] = -1 if k < 0 else (0 if k == 0 else (k + 1) * (k + 1) * square)
            if length[d] >= 0 and (best < 0 or length[d] < best):
                best = length[d]
                ties = 0
            if length[d] >= 0 and length[d] == best:
                ties += 1
        if best < 0:
            continue
        pick = int(draw[i] * ties)
        chosen = 0
        for d in range(len(steps)):
            if length[d] == best:
                if pick == 0:
                    chosen = d
                    break
                pick -= 1
        # Shift the chain from its first cell on; the daughter takes the first site.
        at = neighbour(here, steps[chosen, 0], steps[chosen, 1], steps[chosen, 2], nz, ny, nx)
        out_mother[born] = row
        out_site[born] = at
        carried = np.int64(n + born)
        born += 1
        while True:
            pushed = np.int64(io_occupant[at])
            io_occupant[at] = carried
            if carried < n:
                io_site[carried] = at
            else:
                out_site[carried - n] = at
            if pushed == EMPTY:
                break
            carried = pushed
            at = neighbour(at, steps[chosen, 0], steps[chosen, 1], steps[chosen, 2], nz, ny, nx)
    return born
