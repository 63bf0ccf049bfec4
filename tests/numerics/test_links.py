import math

import numpy as np
import pytest

from tme_sim.numerics.links import Links, links_from_mobility, links_with_wells, well_factor


def test_links_from_mobility_series_of_half_sites():
    links = links_from_mobility(np.array([1.0, 3.0, 0.0]).reshape(1, 1, 3))
    np.testing.assert_allclose(links.x.ravel(), [1.5, 0.0])
    assert links.y.shape == (1, 0, 3)
    assert links.z.shape == (0, 1, 3)


def test_well_factor_of_thin_vessel_matches_peaceman():
    assert well_factor(20.0, 5.0) == pytest.approx(math.pi / 2 / math.log(4.0))


@pytest.mark.parametrize("radius", [0.0, -1.0, 20.0, 25.0])
def test_well_factor_of_vessel_not_thinner_than_site_is_refused(radius):
    with pytest.raises(ValueError, match="radius_um"):
        well_factor(20.0, radius)


def test_links_with_wells_leave_faces_between_two_vessel_sites_alone():
    vessel = np.array([False, True, True, False]).reshape(1, 1, 4)
    links = links_with_wells(Links.uniform((1, 1, 4)), vessel, 2.0)
    np.testing.assert_array_equal(links.x.ravel(), [2.0, 1.0, 2.0])


def test_links_with_wells_correct_every_axis():
    vessel = np.zeros((3, 3, 3), bool)
    vessel[1, 1, 1] = True
    links = links_with_wells(Links.uniform((3, 3, 3)), vessel, 2.0)
    assert [int((face == 2.0).sum()) for face in (links.x, links.y, links.z)] == [2, 2, 2]


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_links_with_bad_value_are_refused(bad):
    links = Links.uniform((2, 3, 4))
    links.y[0, 0, 0] = bad
    with pytest.raises(ValueError, match=r"links\.y"):
        links.check((2, 3, 4))


def test_links_of_other_shape_are_refused():
    with pytest.raises(ValueError, match=r"links\.x: shape"):
        Links.uniform((2, 3, 4)).check((2, 3, 5))
