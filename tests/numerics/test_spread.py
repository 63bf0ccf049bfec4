import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tme_sim.numerics.philox import uniforms
from tme_sim.numerics.spread import BETA, FIXED, LOGNORMAL, NORMAL, inherit, scores, value_of

Z = scores(uniforms(1, np.arange(20_000), 0, 1, 0))
CASES = [
    (LOGNORMAL, 0.0, 0.5, 0.0, 1.0, stats.lognorm(0.5)),
    (NORMAL, 0.3, 0.4, 0.0, 1.0, stats.truncnorm(-0.75, 1.75, 0.3, 0.4)),
    (BETA, 2.0, 5.0, 1.0, 3.0, stats.beta(2, 5, 1.0, 2.0)),
]


@pytest.mark.parametrize(("kind", "a", "b", "low", "high", "truth"), CASES)
def test_values_follow_their_distribution(kind, a, b, low, high, truth):
    assert stats.kstest(value_of(Z, kind, a, b, low, high), truth.cdf).pvalue > 0.01


@pytest.mark.parametrize("heritability", [0.0, 0.6, 1.0])
def test_inheritance_keeps_the_distribution_and_has_its_correlation(heritability):
    fresh = scores(uniforms(1, np.arange(20_000), 0, 1, 1))
    daughter = inherit(Z, fresh, heritability)
    assert stats.kstest(daughter, "norm").pvalue > 0.01
    assert np.corrcoef(Z, daughter)[0, 1] == pytest.approx(heritability, abs=4 / np.sqrt(len(Z)))


@given(st.floats(0.0, 1.0, exclude_max=True), st.sampled_from(CASES))
def test_every_uniform_number_gives_a_finite_value_within_its_limits(u, case):
    kind, a, b, low, high, _ = case
    value = value_of(scores(np.array([u])), kind, a, b, low, high)
    assert np.isfinite(value).all()
    assert kind == LOGNORMAL or low <= value.item() <= high


def test_fixed_value_has_no_spread():
    assert set(value_of(Z, FIXED, 1.0, 0.0, 0.0, 1.0).tolist()) == {1.0}
