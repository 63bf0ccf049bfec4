"""Lays the first tissue: vessels, nodules, scattered cells, their ages and first variables."""

from __future__ import annotations

import numpy as np

from tme_sim.measures.resistance import Assay
from tme_sim.model.first_stages import first_stages
from tme_sim.model.inherited import inheritance_of
from tme_sim.model.placement import Density, Nodule, PlacementError, place_cells, read_label_image
from tme_sim.model.site_table import SiteTable, read_sites
from tme_sim.model.specs import Numbers, supply, unbound_shares
from tme_sim.model.vessel_layout import hexagonal_vessels, random_vessels, read_vessels
from tme_sim.numerics.philox import child_keys
from tme_sim.processes.heredity import endow
from tme_sim.processes.vessel_network import first_vasculature
from tme_sim.processes.vessels import Vessels
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.events import Events
from tme_sim.state.ledger import DRUG_ACCOUNTS, POOL_ACCOUNTS, Ledger
from tme_sim.state.tissue import Tissue


def lay_tissue(numbers: Numbers, assay: Assay, seed: int) -> Tissue:
    """Return the tissue at time 0.

    Raises
    ------
    PlacementError
        Where cells do not fit; all faults at once.
    """
    layout, grid, scenario = numbers.layout, numbers.grid, numbers.scenario
    shape = grid.shape
    tissue = Tissue(
        layout=layout,
        grid=grid,
        clock=Clock(float(scenario.time.step)),
        seed=seed,
        cells=Cells(layout, grid.n_sites),
        fields=np.empty((*shape, len(layout.fields))),
        pools=np.zeros((*shape, len(layout.pools))),
        vessel=np.zeros(shape),
        vessel_distance_um=np.full(shape, np.inf),
        plasma=supply(numbers),
        ledger=Ledger.empty(len(layout.pools), len(layout.fields), len(layout.drugs), len(layout.cell_types)),
        events=Events(),
        loads=np.zeros((*shape, len(layout.loads))),
        unbound=unbound_shares(numbers),
    )
    for column, f in enumerate(scenario.fields.values()):
        tissue.fields[..., column] = float(f.start)
        tissue.ledger.start[column] = float(f.start) * grid.n_sites * tissue.capacity(column)
    for column, pool in enumerate(scenario.vesicles.values()):
        tissue.pools[..., column] = float(pool.start)
        tissue.ledger.pools[column, POOL_ACCOUNTS.index("given")] = pool.start * grid.n_sites
    for drug, spec in enumerate(scenario.drugs.values()):
        start = tissue.ledger.start[layout.fields.index(spec.field)]
        tissue.ledger.drugs[drug, DRUG_ACCOUNTS.index("supplied")] = start
    _place(numbers, assay, tissue)
    if layout.growing:
        tissue.vasculature = first_vasculature(tissue, vessel_type(numbers))
        if len(tissue.vasculature.roots) == 0:
            raise PlacementError(
                ["vessels: none reaches a face of the grid; expected one, for blood to enter"]
            )
    Vessels(vessel_type(numbers)).update(tissue)
    return tissue


def vessel_type(numbers: Numbers) -> int:
    """Return the cell type that lines vessels, -1 without vessels."""
    vessels = numbers.scenario.vessels
    return -1 if vessels is None else numbers.layout.cell_types.index(vessels.cell)


def _place(numbers: Numbers, assay: Assay, tissue: Tissue) -> None:
    """Put vessels first, then cells from files, then nodules and scattered cells."""
    grid, scenario, types = numbers.grid, numbers.scenario, numbers.layout.cell_types
    taken = np.zeros(grid.n_sites, bool)
    kind_at = np.full(grid.n_sites, -1, np.int16)
    id_at = np.full(grid.n_sites, -1, np.int64)
    tables = []
    if scenario.tissue.from_file is not None:
        tables.append(read_sites(scenario.tissue.from_file, grid, types))
    if scenario.tissue.label_image is not None:
        image = scenario.tissue.label_image
        codes = {int(label): types.index(kind) for label, kind in image.types.items()}
        placed = read_label_image(image.file, grid, codes, types)
        tables.append(SiteTable(placed.site, placed.type, np.full(len(placed.site), -1), has_z=True))
    for table in tables:
        if np.any(taken[table.site]):
            raise PlacementError(["tissue: from_file and label_image put two cells at one site"])
        kind_at[table.site], id_at[table.site], taken[table.site] = table.type, table.id, True
    vessels = _vessel_sites(numbers, ~taken, tissue.seed)
    kind_at[vessels], taken[vessels] = vessel_type(numbers), True
    nodules, densities = _asked(numbers)
    scattered = place_cells(grid, nodules, densities, taken, types, tissue.seed)
    kind_at[scattered.site] = scattered.type
    sites = np.flatnonzero(kind_at >= 0)
    _found(numbers, assay, tissue, sites, kind_at[sites], id_at[sites])


def _vessel_sites(numbers: Numbers, free: np.ndarray, seed: int) -> np.ndarray:
    vessels, grid = numbers.scenario.vessels, numbers.grid
    if vessels is None:
        return np.zeros(0, np.int64)
    if vessels.layout == "file" and vessels.file is not None:
        return read_vessels(vessels.file, grid, free)
    place = random_vessels if vessels.layout == "random" else None
    spacing_um = float(vessels.spacing or 0.0)
    return hexagonal_vessels(grid, spacing_um, free) if place is None else place(grid, spacing_um, free, seed)


def _asked(numbers: Numbers) -> tuple[list[Nodule], list[Density]]:
    nodules, densities = [], []
    for name, placement in numbers.scenario.tissue.placements.items():
        kind = numbers.layout.cell_types.index(name)
        for n in placement.nodules:
            centre = None if n.centre == "middle" else tuple(float(c) for c in n.centre)
            nodules.append(Nodule(kind, centre, float(n.radius), float(n.filling)))
        for position in placement.at:
            centre = tuple(float(c) for c in position)
            nodules.append(Nodule(kind, centre, 0.0))
        if placement.density is not None:
            densities.append(Density(kind, float(placement.density), placement.where))
    return nodules, densities


def _found(
    numbers: Numbers, assay: Assay, tissue: Tissue, sites: np.ndarray, kinds: np.ndarray, ids: np.ndarray
) -> None:
    """Make founders at ``sites``, with lineage keys by site and the ids that a file gives."""
    cells = tissue.cells
    keys = child_keys(sites.astype(np.uint64), np.zeros_like(sites))
    rows = found_cells(numbers, assay, tissue, sites, kinds, keys)
    given = ids >= 0
    if given.any():
        cells["id"][rows[given]] = ids[given]
        fresh = int(ids.max()) + 1
        cells["id"][rows[~given]] = np.arange(fresh, fresh + np.count_nonzero(~given))
        cells.next_id = int(cells["id"][rows].max()) + 1
        cells["founder"][rows] = cells["id"][rows]


def found_cells(
    numbers: Numbers, assay: Assay, tissue: Tissue, sites: np.ndarray, kinds: np.ndarray, keys: np.ndarray
) -> np.ndarray:
    """Make founders at free ``sites``, ascending: variables as in a naive cell, cycle spread over its stages.

    Parameters
    ----------
    kinds : int16 (n,)
        Cell types.
    keys : uint64 (n,)
        Lineage keys.

    Returns
    -------
    Their rows, int64 (n,).
    """
    layout, scenario, cells = numbers.layout, numbers.scenario, tissue.cells
    rows = cells.append(sites, parent=-1, type=kinds, lineage=keys)
    cells["founder"][rows] = cells["id"][rows]
    every = np.arange(len(layout.cell_types), dtype=np.int16)
    naive = assay.naive_behaviours(every)
    first = np.clip(naive[:, [numbers.column[name] for name in layout.variables]], 0.0, 1.0)
    for row, cell in enumerate(scenario.cells.values()):
        for name, value in cell.start.items():
            first[row, layout.variables.index(name)] = value
    cells["variables"][rows] = first[kinds]
    if scenario.heredity():
        endow(inheritance_of(numbers), cells, rows, tissue.seed)
        _settle_shifted(numbers, assay, cells, rows)
    stage, left = first_stages(
        keys, kinds, naive[:, numbers.column["cycle entry"]], *numbers.cycle_minutes(), tissue.seed
    )
    cells["stage"][rows], cells["stage_left_min"][rows] = stage, left
    return rows


def _settle_shifted(numbers: Numbers, assay: Assay, cells: Cells, rows: np.ndarray) -> None:
    """Let the variables of founders settle where traits shift them, but for those with a declared start."""
    layout = numbers.layout
    for name, block in numbers.scenario.heredity().items():
        mine = rows[cells["type"][rows] == layout.cell_types.index(name)]
        if len(mine) == 0 or not any(trait.shifts for trait in block.traits.values()):
            continue
        signals = assay.naive_signals(len(mine))
        signals[:, assay.physiology.trait_columns] = cells["traits"][mine]
        settled = assay.physiology.settle(cells["type"][mine], signals)
        for column, variable in enumerate(layout.variables):
            if variable not in numbers.scenario.cells[name].start:
                cells["variables"][mine, column] = np.clip(settled[:, numbers.column[variable]], 0.0, 1.0)
