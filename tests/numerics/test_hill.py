import numpy as np
import pytest

from tme_sim.numerics.hill import hill, power_term


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0, 4.0, 0.5, 8.0])
def test_power_term_equals_plain_power(power):
    for signal in (1e-9, 0.3, 1.0, 5.0, 1e6):
        assert power_term(signal, 2.0, power) == pytest.approx((signal / 2.0) ** power, rel=1e-12)


def test_hill_is_one_half_at_half_max():
    assert hill(15.0, 15.0, 4.0) == 0.5


def test_hill_without_signal_is_zero():
    assert hill(0.0, 1.0, 3.0) == 0.0
    assert hill(-1.0, 1.0, 3.0) == 0.0


def test_hill_of_overflowing_signal_is_one():
    assert hill(1e200, 1e-200, 4.0) == 1.0
    assert np.isfinite(hill(1e300, 1e-3, 8.0))
