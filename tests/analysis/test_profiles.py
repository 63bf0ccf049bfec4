import numpy as np
import pytest

from tme_sim.analysis.profiles import edge_distance_um, profile


def test_profile_returns_means_quartiles_and_numbers_by_class():
    distance = np.array([5.0, 5.0, 5.0, 5.0, 25.0, 25.0])
    values = np.array([0.0, 1.0, 2.0, 3.0, 10.0, 20.0])
    table = profile(distance, values, width_um=20.0, least=2)
    assert table["distance_um"].tolist() == [10.0, 30.0]
    assert table["mean"].tolist() == [1.5, 15.0]
    assert table["low"].tolist() == [0.75, 12.5]
    assert table["n"].tolist() == [4, 2]


def test_profile_leaves_out_small_classes_and_values_that_are_not_known():
    distance = np.array([5.0, 6.0, 25.0, np.inf])
    table = profile(distance, np.array([1.0, 3.0, 9.0, 9.0]), width_um=20.0, least=2)
    assert table["mean"].tolist() == [2.0]
    assert profile(distance, np.full(4, np.nan), 20.0, least=1).empty


def test_edge_distance_is_signed_and_zero_between_the_last_site_and_the_next():
    mask = np.zeros((1, 1, 40), bool)
    mask[..., 10:20] = True
    distance = edge_distance_um(mask, 20.0)[0, 0]
    assert distance[9] == 10.0
    assert distance[10] == -10.0
    assert distance[0] == 190.0
    assert distance[14] == distance.min() == -90.0


def test_edge_distance_of_a_ball_grows_outwards_in_three_dimensions():
    z, y, x = np.indices((11, 11, 11)) - 5
    radius = np.sqrt(x**2 + y**2 + z**2)
    distance = edge_distance_um(radius <= 3.0, 10.0)
    assert distance[5, 5, 5] < distance[5, 5, 7] < 0.0 < distance[5, 5, 9] < distance[5, 5, 10]


def test_small_holes_of_a_tumour_lie_inside():
    mask = np.ones((1, 30, 30), bool)
    mask[:, :5], mask[:, 25:], mask[:, :, :5], mask[:, :, 25:] = False, False, False, False
    mask[:, 15, 15] = False
    assert edge_distance_um(mask, 20.0)[0, 15, 15] < 0.0


@pytest.mark.parametrize("value", [False, True])
def test_tissue_without_an_edge_has_no_distance_to_it(value):
    assert np.isnan(edge_distance_um(np.full((1, 8, 8), value), 20.0)).all()
