import numpy as np

from tme_sim.rules.expression import Expression

EXPRESSION = Expression(
    np.array([1.0, 0.0]), np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0, 1, 1]), np.array([True, False, True]),
    ((), ()),
)  # fmt: skip


def test_traits_multiply_and_shift_living_cells_of_their_type():
    behaviours = np.full((4, 2), 2.0)
    traits = np.tile([3.0, 0.5], (4, 1))
    kind, alive = np.array([0, 1, 2, 0], np.int16), np.array([True, True, True, False])
    EXPRESSION.act(kind, alive, traits, behaviours)
    assert behaviours.tolist() == [[6.0, 2.5], [2.0, 6.0], [2.0, 2.0], [2.0, 2.0]]


def test_neutral_traits_change_nothing():
    behaviours = np.array([[0.1, 0.7], [0.3, 0.2]])
    before = behaviours.copy()
    EXPRESSION.act(np.array([0, 1]), np.ones(2, bool), np.tile([1.0, 0.0], (2, 1)), behaviours[:, :2])
    assert behaviours[0].tolist() == before[0].tolist()
