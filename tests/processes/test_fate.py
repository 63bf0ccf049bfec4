import numpy as np
import pytest
from made_tissue import assert_same_after_permutation, finish_step, made_context, made_tissue

from tme_sim.processes.fate import Fate
from tme_sim.state.codes import ALIVE, APOPTOSIS, DRUG, NECROSIS

CLEARANCE = np.array([[480.0, 3600.0, 480.0], [60.0, 120.0, 180.0], [480.0, 3600.0, 480.0]])
FATE = Fate(CLEARANCE, np.array([1, -1]))


def full_tissue(n=10_000):
    return made_tissue((1, 100, 100), np.arange(n))


def held(tissue):
    cells = tissue.cells
    return (
        tissue.pools.sum() + cells["docked"].sum(),
        tissue.field("SN38").sum() + cells["drug"][:, 0].sum(),
        tissue.ledger.drugs[1, 1] + cells["drug"][:, 1].sum(),
    )


def test_apoptosis_survival_is_exponential():
    tissue = full_tissue()
    for _ in range(4):
        FATE.step(tissue, made_context(tissue, apoptosis=0.05))
        tissue.clock.step += 1
    expected = np.exp(-0.05 * 4 * 6)
    error = np.sqrt(expected * (1 - expected) / 10_000)
    assert abs(tissue.cells.alive().mean() - expected) < 4 * error


def test_competing_risks_split_by_rate():
    tissue = full_tissue()
    tissue.cells["damage"][:, 0] = 0.5
    risks = {"apoptosis": 0.1, "necrosis": 0.2, "death_from_SN38": 0.6, "transition_to_hsc": 0.4}
    FATE.step(tissue, made_context(tissue, **risks))
    rates = np.array([0.1, 0.2, 0.3, 0.4])
    death = tissue.cells["death"]
    counts = [np.sum(death == c) for c in (APOPTOSIS, NECROSIS, DRUG)] + [np.sum(tissue.cells["type"] == 1)]
    expected = rates / rates.sum() * 10_000 * (1 - np.exp(-rates.sum() * 6))
    assert np.all(np.abs(counts - expected) < 4 * np.sqrt(expected))


def test_no_rate_no_change():
    tissue = full_tissue(100)
    FATE.step(tissue, made_context(tissue, apoptosis=0.0, death_from_SN38=5.0))
    assert np.all(tissue.cells["death"] == ALIVE)
    assert tissue.events.deaths == []


def test_fate_without_cells_does_nothing():
    tissue = made_tissue((1, 3, 3), [])
    FATE.step(tissue, made_context(tissue, apoptosis=1.0))
    assert tissue.cells.n == 0


def test_death_gives_back_docked_vesicles_and_drug():
    tissue = full_tissue(3000)
    before = held(tissue)
    FATE.step(tissue, made_context(tissue, apoptosis=0.1))
    tissue.check()
    np.testing.assert_allclose(held(tissue), before, rtol=1e-14)
    dead = ~tissue.cells.alive()
    assert 0 < dead.sum() < 3000
    for name in ("docked", "drug", "cargo"):
        assert np.all(tissue.cells[name][dead] == 0.0)
        assert np.all(tissue.cells[name][~dead] > 0.0)


@pytest.mark.parametrize(("type_", "risk", "clearance"), [(0, "apoptosis", 480.0), (1, "necrosis", 120.0)])
def test_remains_hold_their_site_for_the_clearance_time_of_type_and_cause(type_, risk, clearance):
    tissue = made_tissue((1, 3, 3), [4], type_=type_)
    FATE.step(tissue, made_context(tissue, **{risk: 100.0}))
    finish_step(tissue)
    steps = 1
    while tissue.cells.n:
        FATE.step(tissue, made_context(tissue, **{risk: 100.0}))
        finish_step(tissue)
        steps += 1
    assert (steps - 1) * 6.0 == clearance
    assert len(tissue.events.table("deaths")) == 1


def test_deaths_are_recorded_in_id_order_with_cause_and_drug():
    tissue = full_tissue(500)
    tissue.cells["damage"][:] = 3.0
    FATE.step(tissue, made_context(tissue, death_from_SN38=0.01, death_from_sorafenib=0.01))
    table = tissue.events.table("deaths")
    assert np.all(np.diff(table["id"]) > 0)
    assert set(table["cause"]) == {DRUG}
    assert set(table["drug"]) == {0, 1}
    assert np.all(table["minutes"] == 6.0)


def test_transitions_are_recorded():
    tissue = full_tissue(200)
    FATE.step(tissue, made_context(tissue, transition_to_hsc=0.05))
    table = tissue.events.table("transitions")
    assert sorted(table["id"]) == sorted(tissue.cells["id"][tissue.cells["type"] == 1])
    assert np.all(table["from_type"] == 0)
    assert np.all(table["to_type"] == 1)


def test_fate_is_independent_of_row_order():
    def step(tissue):
        FATE.step(tissue, made_context(tissue, apoptosis=0.01, necrosis=0.02, transition_to_hsc=0.01))

    done = assert_same_after_permutation(lambda: full_tissue(2000), step)
    assert len(done.events.table("deaths")) > 100


@pytest.mark.parametrize("rate", [0.0, 1e9])
def test_extreme_rates_give_no_or_certain_death(rate):
    tissue = full_tissue(1000)
    FATE.step(tissue, made_context(tissue, necrosis=rate))
    assert tissue.cells.alive().sum() == (1000 if rate == 0.0 else 0)
