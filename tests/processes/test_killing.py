import numpy as np
import pytest
from made_tissue import assert_same_after_permutation, made_context, made_tissue

from tme_sim.processes.fate import Fate
from tme_sim.processes.killing import clearance_by_neighbours, risk_of_attack
from tme_sim.state.codes import ALIVE, APOPTOSIS, DEATHS, KILLED, REMOVED

CLEARANCE = np.full((3, len(DEATHS) - 1), 480.0)
FATE = Fate(CLEARANCE, np.array([1, -1]))
RATE = 0.01


def surrounded(types, shape=(1, 3, 3)):
    """Return a tissue with a tumour cell in the middle and neighbours of these types, 0 being tumour."""
    middle = shape[0] * shape[1] * shape[2] // 2
    around = [site for site in range(shape[0] * 9) if site != middle][: len(types)]
    tissue = made_tissue(shape, [middle, *around])
    tissue.cells["type"][:] = [0, *types]
    return tissue


def attacking(tissue, **more):
    return made_context(tissue, killing_tumour=RATE * (tissue.cells["type"] == 1), **more)


@pytest.mark.parametrize(
    ("types", "attackers"), [([], 0), ([0, 2], 0), ([1], 1), ([1, 0, 1, 2, 1], 3), ([1] * 8, 8)]
)
def test_risk_adds_up_over_attackers_in_contact(types, attackers):
    tissue = surrounded(types)
    assert risk_of_attack(tissue, attacking(tissue))[0] == pytest.approx(attackers * RATE)


def test_attackers_above_and_below_count_in_three_dimensions():
    tissue = surrounded([1] * 26, (3, 3, 3))
    assert risk_of_attack(tissue, attacking(tissue))[0] == pytest.approx(26 * RATE)


def test_only_the_named_type_is_at_risk_and_the_dead_do_not_kill():
    tissue = surrounded([1, 1, 2])
    tissue.cells["death"][1] = APOPTOSIS
    risk = risk_of_attack(tissue, attacking(tissue))
    assert risk == pytest.approx([RATE, 0.0, 0.0, 0.0])


def test_killed_fraction_follows_the_rate_and_the_cause_is_recorded():
    sites = np.arange(200 * 100)
    tissue = made_tissue((1, 200, 100), sites[sites % 2 == 0])
    tissue.cells["type"][:] = np.where(tissue.cells["site"] // 100 % 4 < 2, 0, 1)
    risk = risk_of_attack(tissue, attacking(tissue))
    FATE.step(tissue, attacking(tissue))
    tumour = tissue.cells["type"] == 0
    killed = tissue.cells["death"] == KILLED
    chance = 1.0 - np.exp(-risk * 6.0)
    spread = np.sqrt(np.sum(chance * (1.0 - chance)))
    assert abs(killed.sum() - chance.sum()) < 4 * spread
    assert not killed[~tumour].any()
    deaths = tissue.events.table("deaths")
    assert len(deaths) == killed.sum()
    assert np.all(deaths["cause"] == KILLED)
    assert np.all(deaths["drug"] == -1)


def test_attack_competes_with_apoptosis_by_rate():
    tissue = made_tissue((1, 100, 100), np.arange(10_000))
    tissue.cells["type"][::2] = 1
    context = attacking(tissue, apoptosis=0.02 * (tissue.cells["type"] == 0))
    risk = risk_of_attack(tissue, context)
    FATE.step(tissue, context)
    dead = tissue.cells["death"] != ALIVE
    share = (tissue.cells["death"] == KILLED).sum() / dead.sum()
    expected = np.mean(risk[risk > 0] / (risk[risk > 0] + 0.02))
    assert share == pytest.approx(expected, abs=0.05)


def test_row_order_changes_no_byte():
    def made():
        tissue = made_tissue((1, 20, 20), np.arange(0, 400, 2))
        tissue.cells["type"][::3] = 1
        return tissue

    assert_same_after_permutation(made, lambda tissue: FATE.step(tissue, attacking(tissue)))


def eating(tissue):
    return made_context(tissue, phagocytosis=RATE * (tissue.cells["type"] == 1))


def test_only_remains_are_cleared_and_only_by_the_living():
    tissue = surrounded([1, 1, 2])
    assert not clearance_by_neighbours(tissue, eating(tissue)).any()
    tissue.cells["death"][:2] = APOPTOSIS
    assert clearance_by_neighbours(tissue, eating(tissue)) == pytest.approx([RATE, RATE, 0.0, 0.0])


def test_cleared_fraction_follows_the_rate_and_the_rest_waits_for_its_time():
    tissue = made_tissue((1, 200, 100), np.arange(200 * 100))
    tissue.cells["type"][:] = np.arange(200 * 100) % 2
    dead = tissue.cells["type"] == 0
    tissue.cells["death"][dead] = APOPTOSIS
    rate = clearance_by_neighbours(tissue, eating(tissue))
    FATE.step(tissue, eating(tissue))
    gone = tissue.cells["death"] == REMOVED
    chance = 1.0 - np.exp(-rate[dead] * 6.0)
    assert abs(gone.sum() - chance.sum()) < 4 * np.sqrt(np.sum(chance * (1.0 - chance)))
    assert not gone[~dead].any()
    tissue.clock.step = 80
    FATE.step(tissue, made_context(tissue, phagocytosis=0.0))
    assert (tissue.cells["death"][dead] == REMOVED).all()


def test_row_order_changes_no_byte_of_clearance():
    def made():
        tissue = made_tissue((1, 20, 20), np.arange(0, 400, 2))
        tissue.cells["type"][::3] = 1
        tissue.cells["death"][1::3] = APOPTOSIS
        return tissue

    assert_same_after_permutation(made, lambda tissue: FATE.step(tissue, eating(tissue)))
