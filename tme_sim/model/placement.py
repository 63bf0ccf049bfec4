"""Sites of the first cells: nodules, densities by type, tables and label images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from tme_sim.model.site_table import PlacementError
from tme_sim.numerics.philox import uniforms
from tme_sim.state.codes import STREAM_TISSUE
from tme_sim.state.grid import Grid

_FIRST_NODULE_DRAW = 4096


@dataclass(frozen=True)
class Nodule:
    """A disc (ball in three dimensions) of cells of one type.

    Attributes
    ----------
    type : int
        Index into the cell types.
    centre_um : tuple of float or None
        x, y[, z] in µm; None for the middle of the grid.
    radius_um : float
        Sites whose centre lies within it belong to the nodule, and the site that holds the nodule's centre
        always does: radius 0 is a single cell.
    filling : float
        Share of its free sites that get a cell, 0 to 1.
    """

    type: int
    centre_um: tuple[float, ...] | None
    radius_um: float
    filling: float = 1.0


@dataclass(frozen=True)
class Density:
    """Scattered cells of one type.

    Attributes
    ----------
    type : int
        Index into the cell types.
    share : float
        Cells per site of the region, 0 to 1.
    where : str
        ``anywhere``, ``inside`` or ``outside`` the nodules.
    """

    type: int
    share: float
    where: str = "anywhere"


@dataclass(frozen=True)
class Placement:
    """First cells in site order: ``site`` int64 (n,) and ``type`` int16 (n,)."""

    site: np.ndarray
    type: np.ndarray


def inside_nodule(grid: Grid, nodule: Nodule) -> np.ndarray:
    """Return a bool mask (n_sites,) of the sites of a nodule, free or not."""
    nz, ny, nx = grid.shape
    size = np.array([nx, ny, nz]) * grid.spacing_um
    centre = size / 2 if nodule.centre_um is None else np.array([*nodule.centre_um, size[2] / 2][:3])
    if nz == 1:
        centre[2] = size[2] / 2
    axes = [(np.arange(n) + 0.5) * grid.spacing_um - c for n, c in zip((nx, ny, nz), centre, strict=True)]
    square = axes[0][None, None, :] ** 2 + axes[1][None, :, None] ** 2 + axes[2][:, None, None] ** 2
    mask = (square <= nodule.radius_um**2).ravel()
    x, y, z = np.floor(centre / grid.spacing_um).astype(np.int64)
    if 0 <= x < nx and 0 <= y < ny and 0 <= z < nz:
        mask[(z * ny + y) * nx + x] = True
    return mask


def place_cells(
    grid: Grid,
    nodules: Sequence[Nodule],
    densities: Sequence[Density],
    taken: np.ndarray,
    type_names: Sequence[str],
    seed: int,
) -> Placement:
    """Choose sites for nodules, then for scattered cells, in the order given.

    Counts are exact (share times sites, rounded); which sites are taken depends on the seed, the site and the
    type alone.

    Parameters
    ----------
    grid : Grid
        The lattice.
    nodules : sequence of Nodule
        Where two overlap, the first takes the sites.
    densities : sequence of Density
        Shares of all sites of the region, those of vessels and nodule cells included.
    taken : bool (n_sites,)
        Sites that are occupied already (vessels, cells from files).
    type_names : sequence of str
        Names of the cell types, for errors.
    seed : int
        Seed of the run.

    Returns
    -------
    Placement

    Raises
    ------
    PlacementError
        More cells than free sites; a nodule that holds no site.
    """
    type_at = np.where(taken, np.int16(-2), np.int16(-1))
    nodular = np.zeros(grid.n_sites, bool)
    faults: list[str] = []
    for k, nodule in enumerate(nodules):
        mask = inside_nodule(grid, nodule)
        nodular |= mask
        free = np.flatnonzero(mask & (type_at == -1))
        if not mask.any():
            faults.append(
                f"tissue.{type_names[nodule.type]}.nodules: no site within {nodule.radius_um:g} um of "
                f"{nodule.centre_um or 'middle'}; expected a nodule inside the grid"
            )
        elif len(free) == 0:
            faults.append(
                f"tissue.{type_names[nodule.type]}.nodules: all {mask.sum()} sites within "
                f"{nodule.radius_um:g} um of {nodule.centre_um or 'middle'} are taken; expected a free one"
            )
        count = round(nodule.filling * len(free))
        type_at[_draw_sites(free, count, seed, _FIRST_NODULE_DRAW + k)] = nodule.type
    regions = {"anywhere": np.ones(grid.n_sites, bool), "inside": nodular, "outside": ~nodular}
    for density in densities:
        region = regions[density.where]
        free = np.flatnonzero(region & (type_at == -1))
        count = round(density.share * int(region.sum()))
        if count > len(free):
            faults.append(
                f"tissue.{type_names[density.type]}.density: {count} cells ({density.share:.3g} of the sites "
                f"{density.where}); expected at most {len(free)}, the sites still free there"
            )
            continue
        type_at[_draw_sites(free, count, seed, density.type)] = density.type
    if faults:
        raise PlacementError(faults)
    site = np.flatnonzero(type_at >= 0)
    return Placement(site, type_at[site])


def _draw_sites(free: np.ndarray, count: int, seed: int, draw: int) -> np.ndarray:
    """Return ``count`` of the free sites: those with the lowest random numbers, ties by site."""
    number = uniforms(seed, free, 0, STREAM_TISSUE, draw)
    return free[np.argsort(number, kind="stable")[:count]]


def read_label_image(
    path: Path, grid: Grid, types: Mapping[int, int], type_names: Sequence[str]
) -> Placement:
    """Read cells from an image with one pixel per site; its first row is at y = 0.

    Parameters
    ----------
    path : Path
        Grey or palette image of nx by ny pixels.
    grid : Grid
        A plane (nz = 1).
    types : mapping of int to int
        Label of a pixel to index of a cell type; label 0 is an empty site unless it is named.
    type_names : sequence of str
        Names of the cell types, for errors.

    Returns
    -------
    Placement

    Raises
    ------
    PlacementError
        Not an image, wrong size, colours in place of labels, labels without a type.
    """
    nz, ny, nx = grid.shape
    try:
        with Image.open(path) as image:
            mode, labels = image.mode, np.asarray(image)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise PlacementError([f"{path}: {error}; expected a readable image"]) from error
    if nz != 1:
        raise PlacementError([f"{path}: the grid has {nz} planes; expected one for a label image"])
    if labels.ndim != 2:
        raise PlacementError([f"{path}: colour mode {mode}; expected one grey or palette value per pixel"])
    if labels.shape != (ny, nx):
        size = f"{labels.shape[1]} x {labels.shape[0]} pixels"
        raise PlacementError([f"{path}: {size}; expected {nx} x {ny}, one per site"])
    flat = labels.ravel().astype(np.int64)
    faults = []
    for label in np.unique(flat):
        if label != 0 and int(label) not in types:
            at = np.flatnonzero(flat == label)
            known = ", ".join(f"{k} ({type_names[v]})" for k, v in types.items())
            faults.append(
                f"{path}: label {label} in {len(at)} pixels, first at x {at[0] % nx}, y {at[0] // nx}; "
                f"expected 0 or one of {known}"
            )
    if faults:
        raise PlacementError(faults)
    site = np.flatnonzero(np.isin(flat, list(types)))
    return Placement(site, np.array([types[int(label)] for label in flat[site]], np.int16))
