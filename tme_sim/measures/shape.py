"""Size, place and blood supply of the tumour."""

from __future__ import annotations

import numpy as np

from tme_sim.measures.measure import Context, Measure, mean
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue


def radius_of_gyration(tissue: Tissue, context: Context) -> float:
    """Return the root mean square distance of living tumour cells from their centre, µm."""
    positions = _positions(tissue, context)
    if len(positions) == 0:
        return float("nan")
    centred = positions - positions.mean(axis=0)
    return float(np.sqrt(np.mean(np.sum(centred**2, axis=1))))


def equivalent_diameter(tissue: Tissue, context: Context) -> float:
    """Return the diameter of the disc (2-D) or ball (3-D) as large as all living tumour cells, µm."""
    cells, spacing = len(context.tumour_rows(tissue)), tissue.grid.spacing_um
    if tissue.grid.shape[0] == 1:
        return float(2.0 * np.sqrt(cells * spacing**2 / np.pi))
    return float(np.cbrt(6.0 * cells * spacing**3 / np.pi))


def cells_at_edge(tissue: Tissue, context: Context) -> float:
    """Return the number of living tumour cells on the outermost sites of the domain."""
    sites = tissue.cells["site"][context.tumour_rows(tissue)]
    at_edge = np.zeros(len(sites), bool)
    for index, length in zip(tissue.grid.coordinates(sites), tissue.grid.shape, strict=True):
        if length > 1:
            at_edge |= (index == 0) | (index == length - 1)
    return float(np.count_nonzero(at_edge))


def tumour_vessel_distance(tissue: Tissue, context: Context) -> float:
    """Return the mean distance of tumour cells to the nearest perfused vessel, µm; nan without vessels."""
    distance = _vessel_distance(tissue, context)
    return mean(distance) if np.all(np.isfinite(distance)) else float("nan")


def tumour_vessel_distance_max(tissue: Tissue, context: Context) -> float:
    """Return the largest distance of a tumour cell to a perfused vessel, µm; nan without vessels."""
    distance = _vessel_distance(tissue, context)
    return float(distance.max()) if distance.size and np.all(np.isfinite(distance)) else float("nan")


def vessel_sites(tissue: Tissue, context: Context) -> float:
    """Return the number of sites with a perfused vessel."""
    return float(np.count_nonzero(tissue.vessel > 0.0))


def vessel_density(tissue: Tissue, context: Context) -> float:
    """Return perfused vessel length per volume, 1/mm²: in a section, vessels per area."""
    spacing_mm = tissue.grid.spacing_um * 1e-3
    return vessel_sites(tissue, context) / (tissue.grid.n_sites * spacing_mm**2)


def mean_perfusion(tissue: Tissue, context: Context) -> float:
    """Return the mean perfusion over sites with a perfused vessel."""
    return mean(tissue.vessel[tissue.vessel > 0.0])


def measures(layout: Layout) -> list[Measure]:
    """Return the measures of this module."""
    return [
        Measure("tumour_radius_of_gyration", "um", "Radius of gyration of the tumour", radius_of_gyration),
        Measure(
            "tumour_diameter",
            "um",
            "Diameter of the disc or ball as large as the tumour",
            equivalent_diameter,
        ),
        Measure("tumour_edge_cells", "1", "Tumour cells touching the edge of the domain", cells_at_edge),
        Measure(
            "tumour_vessel_distance",
            "um",
            "Mean distance of tumour cells to a vessel",
            tumour_vessel_distance,
        ),
        Measure(
            "tumour_vessel_distance_max", "um", "Largest distance to a vessel", tumour_vessel_distance_max
        ),
        Measure("vessel_sites", "1", "Sites with a perfused vessel", vessel_sites),
        Measure("vessel_density", "mm-2", "Perfused vessels per area", vessel_density),
        Measure("vessel_perfusion", "1", "Mean perfusion of perfused vessels", mean_perfusion),
    ]


def _positions(tissue: Tissue, context: Context) -> np.ndarray:
    return tissue.grid.positions_um(tissue.cells["site"][context.tumour_rows(tissue)])


def _vessel_distance(tissue: Tissue, context: Context) -> np.ndarray:
    return tissue.vessel_distance_um.reshape(-1)[tissue.cells["site"][context.tumour_rows(tissue)]]
