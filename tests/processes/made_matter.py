"""Made tissues and processes of matter that tests of fields, vesicles and drugs share."""

import numpy as np

from tme_sim.numerics.philox import founder_keys
from tme_sim.processes.base import Context
from tme_sim.processes.fields import Fields, FieldSpec
from tme_sim.processes.vesicles import PoolSpec, Vesicles
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import FIELD_ACCOUNTS, POOL_ACCOUNTS, Ledger
from tme_sim.state.tissue import Tissue

SPACING_UM = 20.0


def made_matter(layout, shape, sites=(), types=0, *, dt_min=6.0, seed=1, share=0.2):
    """Return an empty tissue of a layout with cells at `sites`; everything else is zero."""
    grid = Grid(shape, SPACING_UM, share)
    cells = Cells(layout, grid.n_sites, capacity=4)
    sites = np.asarray(sites, np.int64)
    cells.append(sites, type=types, lineage=founder_keys(sites), parent=-1)
    return Tissue(
        layout=layout,
        grid=grid,
        clock=Clock(dt_min),
        seed=seed,
        cells=cells,
        fields=np.zeros((*shape, len(layout.fields))),
        pools=np.zeros((*shape, len(layout.pools))),
        vessel=np.zeros(shape),
        vessel_distance_um=np.full(shape, np.inf),
        plasma=np.zeros(len(layout.fields)),
        ledger=Ledger.empty(len(layout.pools), len(layout.fields), len(layout.drugs), len(layout.cell_types)),
        events=Events(),
    )


def made_layout(fields=(), pools=(), cargo=(), drugs=(), cell_types=("tumour", "hsc"), variables=()):
    """Return a layout."""
    return Layout(
        tuple(cell_types), tuple(variables), tuple(fields), tuple(pools), tuple(cargo), tuple(drugs)
    )


def field_spec(name, **changes):
    """Return a field that diffuses and does nothing else."""
    plain = {
        "name": name, "steady": False, "diffusion_um2_min": 600.0, "decay_per_min": 0.0, "exchange_per_min": 0.0,
        "half_saturation": 0.0, "background_uptake": 0.0, "per_molecule": 1.0, "boundary": {},
        "uptake": f"uptake {name}", "secretion": f"secretion {name}",
    }  # fmt: skip
    return FieldSpec(**{**plain, **changes})


def drug_field(name, **changes):
    """Return the field of drug 0 of the same name."""
    plain = {
        "drug": 0, "uptake": f"influx {name}", "efflux": f"efflux {name}", "metabolism": f"metabolism {name}",
    }  # fmt: skip
    return field_spec(name, **{**plain, **changes})


def pool_spec(name, **changes):
    """Return a pool that diffuses and does nothing else."""
    plain = {
        "name": name, "diffusion_um2_min": 30.0, "decay_per_min": 0.0, "washout_per_min": 0.0, "donor": 0,
        "docking_per_min": (0.0, 0.0), "internalise_per_min": 0.0, "saturation": 1e12, "cargo": (),
        "boundary": {}, "release": f"release {name}", "uptake": f"uptake {name}",
    }  # fmt: skip
    return PoolSpec(**{**plain, **changes})


def made_context(tissue, behaviours):
    """Return the context of the next step; behaviours by their words, one number or one per cell."""
    names = {name: k for k, name in enumerate(behaviours)}
    values = np.zeros((tissue.cells.n, len(names)))
    for k, value in enumerate(behaviours.values()):
        values[:, k] = value
    values[tissue.cells["death"] != 0] = 0.0
    return Context(
        None, tissue.clock.dt_min, tissue.clock.step, tissue.seed, values, names,
        extra_decay=np.zeros(len(tissue.layout.fields)),
    )  # fmt: skip


def fields_of(tissue, specs, behaviours=(), *, well=1.0, tolerance=1e-9):
    """Return the process of fields for a tissue."""
    names = {name: k for k, name in enumerate(behaviours)}
    return Fields(list(specs), tissue.grid.shape, SPACING_UM, names, well, tolerance)


def vesicles_of(tissue, specs, behaviours, *, cargo_decay=(), tolerance=1e-9):
    """Return the process of vesicles for a tissue."""
    names = {name: k for k, name in enumerate(behaviours)}
    shape, types = tissue.grid.shape, len(tissue.layout.cell_types)
    return Vesicles(
        list(specs), shape, SPACING_UM, names, np.array(cargo_decay, float), types, tolerance=tolerance
    )


def field_account(tissue, field, account):
    """Return one account of a field."""
    return tissue.ledger.fields[tissue.layout.fields.index(field), FIELD_ACCOUNTS.index(account)]


def pool_account(tissue, pool, account):
    """Return one account of a pool."""
    return tissue.ledger.pools[tissue.layout.pools.index(pool), POOL_ACCOUNTS.index(account)]


def field_gap(tissue, field, before):
    """Return how far a field's book is off: change of its total minus what entered, plus what left."""
    book = dict(zip(FIELD_ACCOUNTS, tissue.ledger.fields[tissue.layout.fields.index(field)], strict=True))
    entered = book["secreted"] + book["supplied"]
    left = sum(book[name] for name in ("consumed", "decayed", "left_vessel", "left_boundary", "neutralised"))
    return (tissue.field(field).sum() - before - entered + left) / max(entered, before)
