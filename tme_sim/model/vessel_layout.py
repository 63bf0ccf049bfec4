"""Sites of vessels: random with a least spacing, hexagonal, or from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tme_sim.model.site_table import PlacementError, read_sites
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.philox import uniforms
from tme_sim.state.codes import STREAM_VESSELS
from tme_sim.state.grid import Grid


def random_vessels(grid: Grid, spacing_um: float, free: np.ndarray, seed: int) -> np.ndarray:
    """Return vessels at random places, no two nearer than the spacing, until no further one fits.

    In three dimensions vessels are straight lines along z, and distances are taken across them.

    Parameters
    ----------
    grid : Grid
        The lattice.
    spacing_um : float
        Least distance of two vessels, µm; the mean distance to the nearest other vessel comes out near 1.1
        times as large, with about 0.7 vessels per spacing².
    free : bool (n_sites,)
        Sites that a vessel may occupy.
    seed : int
        Seed of the run.

    Returns
    -------
    int64 (n,)
        Sites in ascending order, all planes.

    Raises
    ------
    PlacementError
        No free site is left for a vessel.
    """
    _, ny, nx = grid.shape
    column = np.flatnonzero(_free_columns(grid, free))
    order = column[np.argsort(uniforms(seed, column, 0, STREAM_VESSELS, 0), kind="stable")]
    chosen = np.empty(len(order), np.int64)
    count = _throw_darts(order, ny, nx, spacing_um / grid.spacing_um, np.zeros((ny, nx), np.bool_), chosen)
    return _through_all_planes(grid, np.sort(chosen[:count]), "random")


def hexagonal_vessels(grid: Grid, spacing_um: float, free: np.ndarray) -> np.ndarray:
    """Return vessels on a hexagonal lattice centred in the grid, each at the nearest site.

    Parameters and errors as in `random_vessels`. A vessel whose site is not free takes the nearest free one
    within half the spacing, and is left out if there is none.
    """
    _, ny, nx = grid.shape
    wide, high = nx * grid.spacing_um, ny * grid.spacing_um
    pitch_y = spacing_um * np.sqrt(3) / 2
    per_row, rows = max(1, round(wide / spacing_um)), max(1, round(high / pitch_y))
    shift = np.where(np.arange(rows) % 2 == 0, -0.25, 0.25) if rows > 1 else np.zeros(1)
    x = wide / 2 + (np.arange(per_row)[None, :] - (per_row - 1) / 2 + shift[:, None]) * spacing_um
    y = high / 2 + (np.arange(rows)[:, None] - (rows - 1) / 2) * pitch_y + 0 * x
    inside = (x >= 0) & (x < wide) & (y >= 0) & (y < high)
    open_column = _free_columns(grid, free)
    place = np.flatnonzero(open_column)
    sites = set()
    for x_um, y_um in zip(x[inside], y[inside], strict=True):
        column = int(y_um // grid.spacing_um) * nx + int(x_um // grid.spacing_um)
        if not open_column[column] and len(place):
            square = ((place % nx + 0.5) * grid.spacing_um - x_um) ** 2
            square += ((place // nx + 0.5) * grid.spacing_um - y_um) ** 2
            nearest = int(np.argmin(square))
            column = int(place[nearest]) if square[nearest] <= (spacing_um / 2) ** 2 else -1
        if column >= 0 and open_column[column]:
            sites.add(column)
    return _through_all_planes(grid, np.array(sorted(sites), np.int64), "regular")


def read_vessels(path: Path, grid: Grid, free: np.ndarray) -> np.ndarray:
    """Return vessels from a CSV file with the header ``x_um,y_um[,z_um]``.

    In three dimensions a table without z_um gives straight lines along z; with z_um each row is one site, so
    that a traced network can be given. Parameters, return and errors as in `random_vessels`, with the
    faults of the table as ``file:line``.
    """
    table = read_sites(path, grid, None, z_optional=True)
    sites = np.sort(table.site)
    sites = sites if table.has_z or grid.shape[0] == 1 else _through_all_planes(grid, sites, "file")
    if len(sites) == 0:
        raise PlacementError([f"{path}: no rows; expected at least one vessel"])
    blocked = sites[~free[sites]]
    if len(blocked):
        x, y, z = grid.positions_um(blocked[:1])[0]
        raise PlacementError(
            [f"{path}: {len(blocked)} vessel sites hold cells, first at x {x:g}, y {y:g}, z {z:g} um"]
        )
    return sites


def _free_columns(grid: Grid, free: np.ndarray) -> np.ndarray:
    return free.reshape(grid.shape).all(axis=0).ravel()


def _through_all_planes(grid: Grid, column: np.ndarray, layout: str) -> np.ndarray:
    nz, ny, nx = grid.shape
    if len(column) == 0:
        raise PlacementError([f"vessels.layout: {layout}: no free site is left for a vessel"])
    return (np.arange(nz)[:, None] * (ny * nx) + column[None, :]).ravel()


@kernel
def _throw_darts(order, ny, nx, spacing_sites, io_blocked, out_chosen):
    """Take columns in order unless an earlier one is nearer than the spacing; return how many were taken."""
    reach = int(spacing_sites) + 1
    least = spacing_sites * spacing_sites - 1e-9
    count = 0
    for i in range(len(order)):
        y, x = order[i] // nx, order[i] % nx
        if io_blocked[y, x]:
            continue
        out_chosen[count] = order[i]
        count += 1
        for v in range(max(0, y - reach), min(ny, y + reach + 1)):
            for u in range(max(0, x - reach), min(nx, x + reach + 1)):
                if (v - y) ** 2 + (u - x) ** 2 < least:
                    io_blocked[v, u] = True
    return count
