import numpy as np
import pytest

from tests.rules.made_physiology import acts, made_physiology
from tme_sim.rules.energy import MetabolismSpec


def settled(physiology, n=1, **signals):
    """Return signals and behaviours of cells that settle with some signals held."""
    table = np.zeros((n, len(physiology.signals.names)))
    for name, value in signals.items():
        table[:, physiology.column[name]] = value
    behaviours = physiology.settle(np.zeros(n, np.int16), table)
    return table, behaviours


def test_cascade_settles_at_the_composed_responses():
    physiology = made_physiology(acts("il6", "A", 1.0), acts("A", "B", 0.8, half_max=0.4))
    signals, _ = settled(physiology, il6=2.0)
    a = 4.0 / 5.0
    assert signals[0, physiology.column["A"]] == pytest.approx(a, abs=1e-8)
    b = 0.8 * (a / 0.4) ** 2 / (1 + (a / 0.4) ** 2)
    assert signals[0, physiology.column["B"]] == pytest.approx(b, abs=1e-8)


def test_negative_feedback_settles_at_its_fixed_point():
    physiology = made_physiology(acts("A", "A", 0.0, up=False, half_max=0.02, hill=8.0), base={"A": 1.0})
    signals, behaviours = settled(physiology)
    a = signals[0, physiology.column["A"]]
    assert behaviours[0, physiology.behaviour["A"]] == pytest.approx(a, abs=1e-7)


def test_targets_outside_zero_and_one_are_clipped():
    physiology = made_physiology(base={"A": 1.7})
    signals, _ = settled(physiology)
    assert signals[0, physiology.column["A"]] == pytest.approx(1.0, abs=1e-8)


def test_a_cell_settles_alike_alone_and_among_cells_that_take_longer():
    physiology = made_physiology(
        acts("il6", "A", 1.0), acts("A", "B", 1.0, half_max=0.3), acts("B", "A", 1.0, half_max=0.5)
    )
    il6 = np.linspace(0.0, 3.0, 40)
    together, b_together = settled(physiology, n=40, il6=il6)
    for k in (0, 7, 39):
        alone, b_alone = settled(physiology, il6=il6[k])
        assert np.array_equal(alone[0], together[k])
        assert np.array_equal(b_alone[0], b_together[k])


def test_settled_state_is_a_rest_of_the_dynamics():
    physiology = made_physiology(acts("il6", "A", 1.0), acts("A", "B", 1.0), acts("B", "A", 0.1, up=False))
    signals, behaviours = settled(physiology, n=5, il6=np.arange(5.0))
    again = physiology.act(np.zeros(5, np.int16), np.ones(5, bool), signals)
    assert np.allclose(again, behaviours, atol=1e-7)


def test_no_cells_settle_at_nothing():
    assert settled(made_physiology(), n=0)[1].shape[0] == 0


def test_energy_follows_oxygen_while_settling():
    row = MetabolismSpec(
        0, 1, 900.0, 1.0, 0.0, 1.0, 0.0, 1.0, 3.0, 2.0, 5.0, 5.0 * 900.0 * 1300.0, 1300.0
    ).as_row()
    physiology = made_physiology(acts("energy", "A", 1.0, half_max=0.5, hill=1.0), table=row[None])
    signals, _ = settled(physiology, oxygen=1.0)
    assert signals[0, physiology.column["energy"]] == pytest.approx(0.5)
    assert signals[0, physiology.column["A"]] == pytest.approx(0.5, abs=1e-8)


def metabolism(importer=0, oxidiser=1):
    return MetabolismSpec(
        importer, oxidiser, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.0, 2.0, 5.0, 1.0, 1300.0
    ).as_row()[None]


def test_energy_hangs_on_its_fields_and_variables_and_on_pumps_by_ids_of_their_own():
    physiology = made_physiology(table=metabolism(oxidiser=-1), pumps={"B": (2.0, ("S3-29",))})
    assert physiology.energy.links(physiology.layout, 0) == [
        ({"oxygen", "A"}, ("S0-11",)),
        ({"B"}, ("S3-29",)),
    ]
    assert made_physiology().energy.links(physiology.layout, 0) == []


def test_energy_without_a_mechanism_lacks_its_pump_or_its_formulas():
    energy = made_physiology(
        table=metabolism(), pumps={"A": (2.0, ("S3-29",)), "B": (3.0, ("S3-30",))}
    ).energy
    assert np.array_equal(energy.without("S3-29").pumps.cost, [[0.0, 3.0]])
    assert np.array_equal(energy.without("S3-29").table, energy.table)
    assert not energy.without("S0-11").table.any()
    assert energy.without("S9-99") is energy


def test_a_pump_that_works_leaves_a_cell_less_energy():
    fed = MetabolismSpec(
        -1, -1, 900.0, 1.0, 0.0, 1.0, 0.0, 1.0, 3.0, 2.0, 5.0, 5.0 * 900.0 * 1300.0, 1300.0
    ).as_row()[None]
    physiology = made_physiology(
        acts("il6", "A", 1.0), table=fed, pumps={"A": (5.0 * 900.0 * 1300.0, ("S3-29",))}
    )
    resting, _ = settled(physiology, oxygen=1.0)
    pumping, _ = settled(physiology, oxygen=1.0, il6=1.0)  # A comes to one half
    column = physiology.column["energy"]
    assert (resting[0, column], pumping[0, column]) == (pytest.approx(1 / 2), pytest.approx(1 / 3))


def test_charge_adds_each_flux_to_its_behaviour_and_lactate_in_molecules():
    energy = made_physiology().energy
    energy.columns, energy.per_molecule_nm = (0, 1, -1, 2), 0.25
    behaviours = np.ones((2, 3))
    energy.charge(np.array([[9.0, 1.0, 2.0, 3.0, 4.0]] * 2), behaviours)
    assert np.array_equal(behaviours, [[2.0, 3.0, 17.0]] * 2)
