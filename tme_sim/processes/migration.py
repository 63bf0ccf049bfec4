"""Hops of migrating cells to free neighbour sites, biased along gradients of fields."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tme_sim.numerics.claims import settle_claims
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.lattice import directions, neighbour
from tme_sim.numerics.philox import happens, uniform, uniforms
from tme_sim.processes.base import Context
from tme_sim.state.codes import ALIVE, EMPTY, STREAM_MIGRATION
from tme_sim.state.tissue import Tissue

# Assumed: cells sense about 1 % across their length (Zigmond 1977, doi:10.1083/jcb.75.2.606).
SENSED_STEP = 0.01


@dataclass
class Migration:
    """Cells hop at the rate that makes their path in free space ``migration`` (µm/min) long per minute.

    At most one hop per step, to a neighbour site that is free when the process begins. Direction d is drawn
    with weight exp(sum_f w_f g_f·d/|d|), where w_f is behaviour ``chemotaxis to FIELD`` and g_f the
    gradient divided by its length plus the least gradient that cells can sense. Two cells that want one
    site: the higher random priority wins, the other stays.

    Parameters
    ----------
    moore : bool
        True for 8 neighbours (26 in space), False for 4 (6).
    sensed_step : float
        Relative difference of concentration between neighbour sites that halves the response.
    """

    moore: bool = True
    sensed_step: float = SENSED_STEP
    name: str = field(default="migration", init=False)
    reads: tuple[str, ...] = field(default=("behaviours", "fields", "cells.death"), init=False)
    writes: tuple[str, ...] = field(default=("cells.site",), init=False)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Move every cell that hops and wins its site."""
        cells = tissue.cells
        n = len(context.behaviours)
        steps = directions(tissue.grid.shape, moore=self.moore)
        speed = np.ascontiguousarray(context.of("migration"))
        if len(steps) == 0 or not np.any(speed > 0.0):
            return
        hop_um = tissue.grid.spacing_um * np.mean(np.sqrt((steps**2).sum(axis=1)))
        target, priority = np.empty(n, np.int64), np.empty(n)
        _propose(
            cells["death"][:n],
            cells["lineage"][:n],
            cells["site"][:n],
            cells.occupant,
            speed,
            context.behaviours,
            context.columns([f"chemotaxis to {name}" for name in tissue.layout.fields]),
            tissue.fields,
            steps,
            self.sensed_step,
            context.dt_min / hop_um,
            uniforms(context.seed, cells["lineage"][:n], context.step, STREAM_MIGRATION, 0),
            np.uint64(context.seed),
            context.step,
            target,
            priority,
        )
        movers = np.flatnonzero(target >= 0)
        if len(movers) == 0:
            return
        goal = target[movers]
        won = settle_claims(goal, priority[movers], cells["lineage"][movers], tissue.grid.n_sites)
        cells.move(movers[won], goal[won])


@kernel
def _difference(fields, z, y, x, dz, dy, dx, f):
    """Return the central difference of field f along one axis, one-sided at a face, per site."""
    nz, ny, nx = fields.shape[0], fields.shape[1], fields.shape[2]
    z1, y1, x1 = min(z + dz, nz - 1), min(y + dy, ny - 1), min(x + dx, nx - 1)
    z0, y0, x0 = max(z - dz, 0), max(y - dy, 0), max(x - dx, 0)
    apart = (z1 - z0) + (y1 - y0) + (x1 - x0)
    if apart == 0:
        return 0.0
    return (fields[z1, y1, x1, f] - fields[z0, y0, x0, f]) / apart


@kernel
def pull_at(site, weights, columns, fields, sensed_step, out_pull):
    """Write the sum over fields of weight times normalised gradient, components z, y, x."""
    ny, nx = fields.shape[1], fields.shape[2]
    x = site % nx
    y = (site // nx) % ny
    z = site // (nx * ny)
    out_pull[:] = 0.0
    for f in range(len(columns)):
        if columns[f] < 0 or weights[columns[f]] == 0.0:
            continue
        gz = _difference(fields, z, y, x, 1, 0, 0, f)
        gy = _difference(fields, z, y, x, 0, 1, 0, f)
        gx = _difference(fields, z, y, x, 0, 0, 1, f)
        size = math.sqrt(gz * gz + gy * gy + gx * gx)
        if size > 0.0:
            factor = weights[columns[f]] / (size + sensed_step * fields[z, y, x, f])
            out_pull[0] += factor * gz
            out_pull[1] += factor * gy
            out_pull[2] += factor * gx


@kernel
def _propose(
    death,
    lineage,
    site,
    occupant,
    speed,
    behaviours,
    columns,
    fields,
    steps,
    sensed_step,
    hops_per_speed,
    number,
    seed,
    step,
    out_target,
    out_priority,
):
    nz, ny, nx = fields.shape[0], fields.shape[1], fields.shape[2]
    pull = np.empty(3)
    goal = np.empty(len(steps), np.int64)
    weight = np.empty(len(steps))
    for i in range(len(out_target)):
        out_target[i] = -1
        out_priority[i] = 0.0
        if death[i] != ALIVE or not happens(number[i], speed[i] * hops_per_speed):
            continue
        pull_at(site[i], behaviours[i], columns, fields, sensed_step, pull)
        total = 0.0
        for d in range(len(steps)):
            goal[d] = neighbour(site[i], steps[d, 0], steps[d, 1], steps[d, 2], nz, ny, nx)
            weight[d] = 0.0
            if goal[d] >= 0 and occupant[goal[d]] == EMPTY:
                along = pull[0] * steps[d, 0] + pull[1] * steps[d, 1] + pull[2] * steps[d, 2]
                square = steps[d, 0] ** 2 + steps[d, 1] ** 2 + steps[d, 2] ** 2
                weight[d] = math.exp(min(along / math.sqrt(square), 500.0))
                total += weight[d]
        if total <= 0.0:
            continue
        left = uniform(seed, lineage[i], step, STREAM_MIGRATION, 1) * total
        for d in range(len(steps)):
            if weight[d] > 0.0:
                out_target[i] = goal[d]
                left -= weight[d]
                if left < 0.0:
                    break
        out_priority[i] = uniform(seed, lineage[i], step, STREAM_MIGRATION, 2)
