"""How cells of different types lie to each other: pair correlation, Ripley's K, neighbourhood enrichment.

Arrays in, numbers out: positions come from a snapshot's ``site`` and its grid. Cells sit on a lattice, one per site, so
counts of pairs by displacement are a correlation of occupancy maps (`scipy.signal.correlate`): exact, in two and three
dimensions, and with the translation correction for the edges of the domain. Libraries were looked at: pointpats has no
correction for edges and no pairs of types, astropy's RipleysKEstimator needs memory with the square of the cells and
two dimensions, squidpy's ripley one type and no correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import signal, spatial


@dataclass(frozen=True)
class PairCorrelation:
    """Pairs of cells by distance.

    Attributes
    ----------
    radius_um : float64 (n_bins,)
        Mean distance of the displacements in each bin.
    g : float64 (n_bins,)
        Pairs over those of cells scattered at random over the domain: 1 without order, above 1 where cells cluster.
    k : float64 (n_bins,)
        Ripley's K up to the outer edge of each bin, µm² in one plane, µm³ in a volume.
    expected_k : float64 (n_bins,)
        K of cells scattered at random over the sites.
    edge_um : float64 (n_bins,)
        Outer edge of each bin.
    """

    radius_um: np.ndarray
    g: np.ndarray
    k: np.ndarray
    expected_k: np.ndarray
    edge_um: np.ndarray


def pair_correlation(
    sites_a: np.ndarray,
    sites_b: np.ndarray,
    shape: tuple[int, int, int],
    spacing_um: float,
    reach_um: float = 200.0,
    bin_um: float | None = None,
) -> PairCorrelation:
    """Return pair correlation and Ripley's K of cells a with cells b.

    Parameters
    ----------
    sites_a, sites_b : int (n,)
        Flat indices of the sites they sit on; the same array for the order within one type, whose cells are then not
        paired with themselves.
    shape : (nz, ny, nx)
    spacing_um : float
    reach_um : float
        Largest distance.
    bin_um : float, optional
        Width of the bins; default: the spacing.

    Raises
    ------
    ValueError
        When there are no such cells (or one alone, within one type), or the reach is below the spacing.

    Notes
    -----
    Source: Ripley 1977, doi:10.1111/j.2517-6161.1977.tb01615.x; translation correction of Ohser 1983.
    """
    same = sites_a is sites_b or np.array_equal(sites_a, sites_b)
    if len(sites_b) < 1 + same or len(sites_a) < 1 + same:
        raise ValueError(f"{len(sites_a)} and {len(sites_b)} cells; expected at least a pair")
    if reach_um < spacing_um:
        raise ValueError(f"reach {reach_um:g} um; expected at least the spacing, {spacing_um:g} um")
    width = spacing_um if bin_um is None else bin_um
    maps = [np.bincount(sites, minlength=int(np.prod(shape))).reshape(shape) for sites in (sites_a, sites_b)]
    ones = np.ones(shape)
    pairs = np.rint(_correlate(maps[1].astype(float), maps[0].astype(float)))
    overlap = np.rint(_correlate(ones, ones))
    axes = [np.arange(1 - length, length) * spacing_um for length in shape]
    distance = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))
    within = (distance > 0.0) & (distance <= reach_um)
    # The chance that both sites of a displacement are taken, for cells scattered at random, one per site.
    sites = int(np.prod(shape))
    by_chance = len(sites_a) / sites * (len(sites_b) - same) / (sites - 1)
    ratio = pairs[within] / (overlap[within] * by_chance)
    r = distance[within]
    bins = np.ceil(r / width - 1e-9).astype(np.int64) - 1
    n_bins = int(bins.max()) + 1
    count = np.bincount(bins, minlength=n_bins)
    filled = count > 0
    cell = spacing_um ** (2 if min(shape) == 1 else 3)
    k = np.cumsum(np.bincount(bins, ratio, n_bins)) * cell
    mean = np.where(filled, np.bincount(bins, ratio, n_bins) / np.maximum(count, 1), np.nan)
    radius = np.where(filled, np.bincount(bins, r, n_bins) / np.maximum(count, 1), np.nan)
    edge = (np.arange(n_bins) + 1.0) * width
    return PairCorrelation(
        radius[filled], mean[filled], k[filled], np.cumsum(count)[filled] * cell, edge[filled]
    )


def _correlate(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return signal.correlate(a, b, mode="full", method="fft")


@dataclass(frozen=True)
class Enrichment:
    """How often cells of two types are neighbours, against labels dealt at random.

    Attributes
    ----------
    types : tuple of str
    count : int64 (n_types, n_types)
        Ordered pairs of neighbours: of a cell of the row type, neighbours of the column type.
    expected : float64 (n_types, n_types)
        Mean over permutations of the labels.
    z : float64 (n_types, n_types)
        Standard deviations above that mean; nan where permutations do not vary.
    """

    types: tuple[str, ...]
    count: np.ndarray
    expected: np.ndarray
    z: np.ndarray


def neighbourhood_enrichment(
    positions_um: np.ndarray,
    labels: Sequence[str] | np.ndarray,
    reach_um: float,
    permutations: int = 1000,
    seed: int = 0,
) -> Enrichment:
    """Compare who neighbours whom with labels dealt at random to the same positions.

    Parameters
    ----------
    positions_um : float64 (n, 2 or 3)
    labels : (n,)
        Type of each cell.
    reach_um : float
        Cells closer than this are neighbours; 1.5 times the spacing takes the 8 sites around a cell in a plane.
    permutations : int
    seed : int
        Of the permutations.

    Notes
    -----
    Source: Schapiro et al. 2017, doi:10.1038/nmeth.4391; the counts and z scores are those of squidpy's
    ``gr.nhood_enrichment``.
    """
    types, codes = np.unique(np.asarray(labels, str), return_inverse=True)
    found = spatial.KDTree(positions_um).query_pairs(reach_um, output_type="ndarray")
    n = len(types)

    def counts(of: np.ndarray) -> np.ndarray:
        one_way = np.bincount(of[found[:, 0]] * n + of[found[:, 1]], minlength=n * n).reshape(n, n)
        return one_way + one_way.T

    rng = np.random.default_rng(seed)
    observed = counts(codes)
    dealt = np.stack([counts(rng.permutation(codes)) for _ in range(permutations)])
    spread = dealt.std(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(spread > 0.0, (observed - dealt.mean(axis=0)) / spread, np.nan)
    return Enrichment(tuple(types.tolist()), observed, dealt.mean(axis=0), z)
