import numpy as np
import pytest

from tme_sim.numerics.metabolism import fluxes

# importer, oxidiser, r_max, K_O, g_max, K_G, l_max, K_L, n_O, ATP/glucose, ATP/oxygen, demand, nM/mmHg
M = np.array([[0, 1, 900.0, 1.0, 5e5, 1e6, 8e5, 4.5e6, 3.0, 2.0, 5.0, 7e6, 1300.0]])
NO_PUMPS = (np.zeros(0, np.int64), np.zeros((1, 0)))
ENERGY, OXYGEN, GLUCOSE, LACTATE, MADE = range(5)


def flux(oxygen=30.0, glucose=5e6, lactate=5e6, importer=0.9, oxidiser=0.8, table=M, death=0, pumps=()):
    """Return the fluxes of one cell; ``pumps`` are (level, ATP at a level of 1) of each pump."""
    out = np.full((5, 1), np.nan)
    levels, costs = np.array([level for level, _ in pumps]), np.array([[cost for _, cost in pumps]])
    fluxes(
        1, np.zeros(1, np.int16), np.full(1, death, np.int8), np.zeros(1, np.int64), np.arange(3),
        np.array([[oxygen], [glucose], [lactate]]), np.concatenate([[importer, oxidiser], levels])[:, None],
        table, 2 + np.arange(len(pumps)), costs, out,
    )  # fmt: skip
    return out[:, 0]


def share(x, half):
    return x / (half + x)


def test_lactate_burnt_is_charged_with_three_oxygen_each():
    with_, without = flux(), flux(lactate=0.0)
    burnt_nm = with_[LACTATE] * share(5e6, 4.5e6)
    oxygen_nm = (with_[OXYGEN] - without[OXYGEN]) * share(30.0, 1.0) * 1300.0
    assert oxygen_nm / burnt_nm == pytest.approx(3.0, rel=1e-12)


def test_atp_is_two_per_glucose_and_five_per_oxygen():
    glucose = 5e5 * share(5e6, 1e6)
    oxygen = 900.0 * 1300.0 * share(30.0, 1.0)
    burnt = 8e5 * 0.9 * 0.8 * share(5e6, 4.5e6) * share(30.0, 1.0)
    assert flux()[ENERGY] == pytest.approx((2 * glucose + 5 * (oxygen + 3 * burnt)) / 7e6, rel=1e-12)


def test_pumps_add_their_cost_times_their_level_to_the_demand():
    pumped, idle = flux(pumps=[(0.8, 1e6), (0.5, 4e5)]), flux()
    assert pumped[ENERGY] == pytest.approx(idle[ENERGY] * 7e6 / (7e6 + 0.8 * 1e6 + 0.5 * 4e5), rel=1e-12)
    assert np.array_equal(pumped[1:], idle[1:])  # fuels are taken up at the rates that supply sets


def test_pumps_at_level_zero_cost_nothing():
    assert flux(pumps=[(0.0, 1e6)])[ENERGY] == flux()[ENERGY]


def test_lactate_made_is_twice_the_glucose_that_respiration_leaves():
    glucose, oxygen = 5e5 * share(5e6, 1e6), 900.0 * 1300.0 * share(2.0, 1.0)
    assert flux(oxygen=2.0)[MADE] == pytest.approx(2.0 * (glucose - oxygen / 6.0), rel=1e-12)


def test_anoxic_cell_lives_on_glycolysis_alone_and_makes_two_lactate():
    found = flux(oxygen=0.0)
    glucose = 5e5 * share(5e6, 1e6)
    assert found[ENERGY] == pytest.approx(2 * glucose / 7e6)
    assert found[MADE] == pytest.approx(2 * glucose)
    assert found[LACTATE] == 0.0


def test_without_glucose_no_lactate_is_made_and_respiration_goes_on():
    found = flux(glucose=0.0)
    assert found[MADE] == 0.0
    assert found[ENERGY] > 0.0


def test_without_importer_or_oxidiser_no_lactate_is_burnt():
    for missing in ({"importer": 0.0}, {"oxidiser": 0.0}):
        assert flux(**missing)[LACTATE] == 0.0
        assert flux(**missing)[ENERGY] == flux(lactate=0.0)[ENERGY]


def test_dead_cell_has_no_metabolism_and_no_energy():
    assert not flux(death=1).any()


def test_type_without_metabolism_has_energy_one_and_takes_nothing():
    assert np.array_equal(flux(table=np.zeros((1, 13))), [1.0, 0.0, 0.0, 0.0, 0.0])


def test_missing_field_is_zero_everywhere():
    out = np.empty((5, 1))
    fields = np.array([[30.0], [5e6]])
    one = np.ones((2, 1))
    fluxes(
        1,
        np.zeros(1, np.int16),
        np.zeros(1, np.int8),
        np.zeros(1, np.int64),
        np.array([0, 1, -1]),
        fields,
        one,
        M,
        *NO_PUMPS,
        out,
    )
    assert np.array_equal(out[:, 0], flux(lactate=0.0, importer=1.0, oxidiser=1.0))


def test_kernel_equals_its_numpy_twin():
    rng = np.random.default_rng(1)
    n = 3000
    oxygen, glucose, lactate = 40 * rng.random(n), 6e6 * rng.random(n), 2e7 * rng.random(n)
    variables = rng.random((2, n))
    out = np.empty((5, n))
    order = rng.permutation(n)
    fields = np.empty((3, n))
    fields[:, order] = oxygen, glucose, lactate
    fluxes(
        n,
        np.zeros(n, np.int16),
        np.zeros(n, np.int8),
        order,
        np.arange(3),
        fields,
        variables,
        M,
        *NO_PUMPS,
        out,
    )
    o, g, v = share(oxygen, 1.0), 5e5 * share(glucose, 1e6), variables.prod(axis=0) * 8e5
    r, b = 900 * 1300 * o, v * share(lactate, 4.5e6) * o
    twin = np.stack(
        [
            (2 * g + 5 * (r + 3 * b)) / 7e6,
            900 + 3 * v * share(lactate, 4.5e6) / 1300,
            np.full(n, 5e5),
            v * o,
            2 * np.maximum(0, g - r / 6),
        ],
    )
    assert np.allclose(out, twin, rtol=1e-13)
