import numpy as np
import pytest
from made_tissue import assert_same_after_permutation, finish_step, made_context, made_tissue

from tme_sim.processes.cycle import Cycle
from tme_sim.processes.division import Division
from tme_sim.processes.fate import Fate
from tme_sim.processes.migration import Migration

PROCESSES = (
    Fate(np.tile([30.0, 60.0, 30.0], (3, 1)), np.array([1, -1])),
    Cycle(np.array([30.0, 12.0, 0.0]), np.array([12.0, 6.0, 0.0]), np.array([True, True, False])),
    Division(np.array([5, 0, 0]), np.array([True, True, False])),
    Migration(),
)
RATES = {
    "apoptosis": 0.002,
    "necrosis": 0.001,
    "death_from_SN38": 0.01,
    "transition_to_hsc": 0.0005,
    "transition_to_tumour": 0.0005,
    "cycle_entry": 0.03,
    "migration": 0.3,
    "chemotaxis_to_oxygen": 1.0,
}


def life(tissue):
    context = made_context(tissue, **RATES)
    for process in PROCESSES:
        process.step(tissue, context)


def scattered(shape, share=0.3):
    n = int(np.prod(shape))
    rng = np.random.default_rng(2)
    sites = rng.choice(n, int(share * n), replace=False)
    tissue = made_tissue(shape, sites)
    tissue.cells["type"][:] = rng.integers(0, 3, len(sites))
    tissue.cells["damage"][:] = 0.4
    tissue.fields[..., 0] = rng.random(shape)
    return tissue


@pytest.mark.parametrize("shape", [(1, 40, 40), (9, 10, 11), (1, 1, 200)])
def test_life_is_independent_of_row_order(shape):
    done = assert_same_after_permutation(lambda: scattered(shape), life, rounds=30)
    for table in ("births", "deaths", "transitions"):
        assert len(done.events.table(table)) > 3


def test_life_conserves_cells_vesicles_and_drug():
    tissue = scattered((1, 60, 60))
    first = tissue.cells.n
    docked = tissue.pools.sum() + tissue.cells["docked"].sum()
    drug = tissue.field("SN38").sum() + tissue.cells["drug"][:, 0].sum()
    cleared = 0
    for _ in range(60):
        life(tissue)
        before = tissue.cells.n
        finish_step(tissue)
        cleared += before - tissue.cells.n
        tissue.check()
    births, deaths = (len(tissue.events.table(name)) for name in ("births", "deaths"))
    assert births > 500
    assert tissue.cells.n == first + births - cleared
    assert tissue.cells.alive().sum() == first + births - deaths
    assert tissue.pools.sum() + tissue.cells["docked"].sum() == pytest.approx(docked, rel=1e-12)
    assert tissue.field("SN38").sum() + tissue.cells["drug"][:, 0].sum() == pytest.approx(drug, rel=1e-12)


def test_lineage_keys_and_ids_stay_unique():
    tissue = scattered((1, 60, 60))
    for _ in range(60):
        life(tissue)
        finish_step(tissue)
    for name in ("id", "lineage"):
        assert len(np.unique(tissue.cells[name])) == tissue.cells.n


def test_processes_own_different_state():
    owned = [what for process in PROCESSES for what in process.writes]
    assert len(set(owned)) == len(owned)
