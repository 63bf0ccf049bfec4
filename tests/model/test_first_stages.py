import numpy as np
import pytest

from tme_sim.model.first_stages import first_stages, growth_rate
from tme_sim.numerics.philox import founder_keys
from tme_sim.state.codes import G1, G2M, NO_CYCLE, S


@pytest.mark.parametrize(("entry", "timed"), [(0.0015, 780.0), (0.01, 180.0), (5.0, 1000.0), (1e-6, 10.0)])
def test_growth_rate_solves_its_equation(entry, timed):
    mu = growth_rate(entry, timed)
    assert mu + entry == pytest.approx(2 * entry * np.exp(-mu * timed), rel=1e-12)
    assert 0 < mu < entry


def test_growth_rate_limits():
    assert growth_rate(0.0, 100.0) == 0.0
    assert growth_rate(0.01, 0.0) == 0.01


def test_stages_have_the_stationary_shares():
    n, rate, s, g2m = 40_000, 0.0015, 480.0, 300.0
    stage, left = first_stages(
        founder_keys(np.arange(n)),
        np.zeros(n, np.int16),
        np.array([rate]),
        np.array([s]),
        np.array([g2m]),
        np.array([True]),
        seed=1,
    )
    mu = growth_rate(rate, s + g2m)
    shares = np.array([1.0, rate / mu * (1 - np.exp(-mu * s)), 0.0])
    shares[2] = rate / mu * (np.exp(-mu * s) - np.exp(-mu * (s + g2m)))
    shares /= shares.sum()
    found = np.array([np.mean(stage == k) for k in (G1, S, G2M)])
    assert np.all(np.abs(found - shares) < 4 * np.sqrt(shares * (1 - shares) / n))
    assert left[stage == S].max() <= s
    assert left[stage == G2M].max() <= g2m
    assert left.min() >= 0.0
    # More young than old cells in S: its mean time left is above one half.
    assert left[stage == S].mean() > s / 2


def test_types_without_cycle_and_without_entry():
    stage, left = first_stages(
        founder_keys(np.arange(6)),
        np.array([0, 1, 0, 1, 0, 1], np.int16),
        np.array([0.0, 0.0]),
        np.array([480.0, 0.0]),
        np.array([300.0, 0.0]),
        np.array([True, False]),
        seed=1,
    )
    assert stage.tolist() == [G1, NO_CYCLE] * 3
    assert np.all(left == 0.0)
