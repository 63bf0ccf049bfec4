"""Small tissues for tests of processes: built from arrays, without a scenario."""

import numpy as np

from tme_sim.numerics.philox import founder_keys
from tme_sim.processes.base import Context
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.codes import REMOVED
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue

LAYOUT = Layout(
    cell_types=("tumour", "hsc", "endothelial"),
    variables=("HIF",),
    fields=("oxygen", "SN38"),
    pools=("exosome",),
    cargo=("pERK",),
    drugs=("SN38", "sorafenib"),
)


def made_tissue(shape, sites, *, type_=0, seed=1, dt_min=6.0):
    """Return a tissue with cells at `sites`, their amounts different from cell to cell."""
    grid = Grid(shape, 20.0, 0.2)
    cells = Cells(LAYOUT, grid.n_sites, capacity=4)
    sites = np.asarray(sites, np.int64)
    rows = cells.append(sites, type=type_, lineage=founder_keys(sites), parent=-1)
    cells["founder"][:] = cells["id"]
    rng = np.random.default_rng(7)
    for name in ("variables", "cargo", "docked", "drug"):
        cells[name][rows] = rng.random(cells[name].shape)
    return Tissue(
        layout=LAYOUT,
        grid=grid,
        clock=Clock(dt_min),
        seed=seed,
        cells=cells,
        fields=np.ones((*shape, len(LAYOUT.fields))),
        pools=np.ones((*shape, len(LAYOUT.pools))),
        vessel=np.zeros(shape),
        vessel_distance_um=np.full(shape, np.inf),
        plasma=np.zeros(len(LAYOUT.fields)),
        ledger=Ledger.empty(len(LAYOUT.pools), len(LAYOUT.fields), len(LAYOUT.drugs), len(LAYOUT.cell_types)),
        events=Events(),
    )


def made_context(tissue, **values):
    """Return a context; behaviours by name (spaces as underscores), one number or one per cell."""
    names = {name.replace("_", " "): k for k, name in enumerate(values)}
    behaviours = np.zeros((tissue.cells.n, len(names)))
    for k, value in enumerate(values.values()):
        behaviours[:, k] = value
    return Context(None, tissue.clock.dt_min, tissue.clock.step, tissue.seed, behaviours, names)


def finish_step(tissue):
    """Do what the model does at the end of a step."""
    tissue.cells.remove(np.flatnonzero(tissue.cells["death"] == REMOVED))
    tissue.clock.step += 1


def state_by_id(tissue):
    """Return every column ordered by id."""
    order = np.argsort(tissue.cells["id"])
    return {name: tissue.cells[name][order].copy() for name in tissue.cells.names}


def assert_same_after_permutation(make, step, rounds=3):
    """Run `step(tissue)` on a tissue and on one whose rows are shuffled before every step; compare by id."""
    plain, shuffled = make(), make()
    rng = np.random.default_rng(3)
    for _ in range(rounds):
        shuffled.cells.permute(rng.permutation(shuffled.cells.n))
        for tissue in (plain, shuffled):
            step(tissue)
            tissue.check()
            finish_step(tissue)
    a, b = state_by_id(plain), state_by_id(shuffled)
    for name in a:
        assert np.array_equal(a[name], b[name]), name
    assert np.array_equal(plain.fields, shuffled.fields)
    assert np.array_equal(plain.pools, shuffled.pools)
    for table in ("births", "deaths", "transitions"):
        assert plain.events.table(table).tobytes() == shuffled.events.table(table).tobytes()
    return plain
