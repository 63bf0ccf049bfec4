import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tme_sim.measures.response import (
    COMPLETE_RESPONSE,
    PARTIAL_RESPONSE,
    PROGRESSIVE_DISEASE,
    STABLE_DISEASE,
    Gain,
    cohort,
    gain,
    respond,
)

DAYS = np.arange(8.0)


@pytest.mark.parametrize(
    ("sizes", "best", "controlled", "progression"),
    [
        ([1, 1, 0.9, 0.6, 0.65, 0.7, 0.73, 0.9], PARTIAL_RESPONSE, True, 5.0),
        ([1, 1, 1.1, 1.19, 1.1, 1.0, 1.0, 1.0], STABLE_DISEASE, True, np.inf),
        ([1, 1, 1.21, 1.4, 1.5, 1.6, 1.7, 1.8], PROGRESSIVE_DISEASE, False, 1.0),
        ([1, 1, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0], COMPLETE_RESPONSE, True, np.inf),
        ([1, 1, 0.9, 0.8, 0.95, 0.97, 0.99, 1.0], STABLE_DISEASE, True, 4.0),
        ([1, 1, 1.3, 0.6, 0.5, 0.4, 0.4, 0.4], PROGRESSIVE_DISEASE, False, 1.0),
    ],
)
def test_best_response_and_disease_control(sizes, best, controlled, progression):
    """S3-13: response as disease control, by diameters of RECIST."""
    found = respond(DAYS, np.array(sizes, float), start_min=1.0, control_min=3.0)
    assert (found.best, found.controlled, found.progression_min) == (best, controlled, progression)


def test_progression_counts_from_the_smallest_value_and_regrowth_from_the_baseline():
    """S3-14: time to progression, and until a tumour that had shrunk is back."""
    found = respond(DAYS, np.array([5, 1, 0.5, 0.59, 0.61, 0.9, 1.0, 1.5]), start_min=1.0, control_min=9.0)
    assert (found.progression_min, found.regrowth_min, found.smallest) == (3.0, 5.0, 0.5)
    assert np.isnan(respond(DAYS, DAYS + 1.0, 1.0, 3.0).regrowth_min)
    assert respond(DAYS, 8.0 - DAYS, 1.0, 3.0).regrowth_min == np.inf


@given(st.lists(st.floats(0.01, 10.0), min_size=8, max_size=8), st.floats(0.1, 100.0))
def test_response_does_not_depend_on_the_unit_of_length(sizes, factor):
    sizes = np.array(sizes)
    one, other = (respond(DAYS, s, 1.0, 3.0) for s in (sizes, 2.0 ** np.round(np.log2(factor)) * sizes))
    assert (one.best, one.progression_min) == (other.best, other.progression_min)


@pytest.mark.parametrize(("sizes", "start"), [(DAYS, 0.0), (DAYS + 1, -1.0), (DAYS + 1, 7.0)])
def test_no_baseline_or_nothing_after_it_is_refused(sizes, start):
    with pytest.raises(ValueError, match="expected a tumour at the start"):
        respond(DAYS, sizes, start, 3.0)


def test_resistance_there_before_is_told_from_what_is_gained():
    """S3-15: some are resistant from the start, others become so."""
    nan = np.nan
    assert gain(DAYS, np.array([0.1, nan, 0.2, nan, 0.5, 0.9, nan, 0.7]), 3.0) == Gain(
        0.2, pytest.approx(0.7)
    )
    primary = gain(DAYS, np.full(8, 0.8), 3.0)
    assert (primary.initial, primary.gained) == (0.8, 0.0)


def test_cohort_is_a_distribution_not_a_mean():
    """S3-11: the benefit differs between patients."""
    shrinking, growing = np.array([1, 1, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]), 1.3**DAYS
    responses = [respond(DAYS, sizes, 1.0, 3.0) for sizes in (shrinking, growing, growing, growing)]
    found = cohort(responses, [Gain(0.0, 0.0), Gain(0.9, 0.0), Gain(0.0, 0.8), Gain(0.0, 0.8)])
    assert found.shares == {
        PARTIAL_RESPONSE: 0.25,
        PROGRESSIVE_DISEASE: 0.75,
        COMPLETE_RESPONSE: 0,
        STABLE_DISEASE: 0,
    }
    assert found.control == 0.25
    # Wilson, as binomtest(1, 4).proportion_ci(method="wilson") gives it.
    assert found.control_interval == pytest.approx((0.0456, 0.6994), abs=1e-4)
    assert found.progression_quartiles.tolist() == [1.0, 1.0, 1.0]
    assert found.primary == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="at least one patient"):
        cohort([])
