import numpy as np
import pytest

from tests.rules.made import LAYOUT, tissue
from tests.rules.test_signals import gathered
from tme_sim.rules.contacts import contact_with_state
from tme_sim.state.codes import APOPTOSIS


def test_state_of_living_neighbours_of_the_type_is_summed():
    made = tissue([12, 6, 7, 13, 18, 0], [0, 1, 1, 0, 1, 1])
    column = LAYOUT.variables.index("STAT3")
    made.cells["variables"][:, column] = [0.9, 0.25, 0.5, 0.7, 0.3, 0.2]
    made.cells["death"][4] = APOPTOSIS
    first, second = gathered(made, "contact hsc STAT3", "contact tumour STAT3")[0]
    assert (first, second) == (pytest.approx(0.75), pytest.approx(0.7))


def test_sum_is_the_count_when_every_state_is_one():
    made = tissue(np.arange(25), np.arange(25) % 2)
    made.cells["variables"][:] = 1.0
    out = gathered(made, "contact hsc STAT3", "contact hsc")
    assert out[:, 0].tolist() == out[:, 1].tolist()


@pytest.mark.parametrize(
    "name", ["contact hsc", "contact dead STAT3", "contact STAT3 hsc", "hsc STAT3", "contact hsc x"]
)
def test_other_words_are_no_contact_with_a_state(name):
    assert contact_with_state(name, LAYOUT) is None
