import numpy as np
import pytest

from tme_sim.numerics.boundary import FACES, boundary_terms

SHAPE = (2, 3, 4)


def test_fixed_value_adds_twice_the_conductance_on_its_face_only():
    diagonal, rhs = boundary_terms(SHAPE, np.array([5.0]), {"x_high": np.array([3.0])})
    assert (diagonal[:, :, 3] == 10.0).all()
    assert (rhs[:, :, 3] == 30.0).all()
    assert diagonal.sum() == 10.0 * 6
    assert rhs.sum() == 30.0 * 6


def test_nan_means_no_flux_for_that_species():
    diagonal, rhs = boundary_terms(SHAPE, np.array([5.0, 7.0]), {"y_low": np.array([np.nan, 2.0])})
    assert (diagonal[..., 0] == 0.0).all()
    assert (rhs[..., 0] == 0.0).all()
    assert (diagonal[:, 0, :, 1] == 14.0).all()


def test_faces_meet_in_a_corner_and_add_up():
    diagonal, _ = boundary_terms(SHAPE, np.array([1.0]), {face: np.array([0.0]) for face in FACES})
    assert diagonal[0, 0, 0, 0] == 6.0


def test_mobility_scales_the_half_face():
    mobility = np.full(SHAPE, 0.25)
    diagonal, _ = boundary_terms(SHAPE, np.array([4.0]), {"z_low": np.array([1.0])}, mobility)
    assert (diagonal[0] == 2.0).all()


def test_unknown_face_is_refused():
    with pytest.raises(ValueError, match="x_left"):
        boundary_terms(SHAPE, np.array([1.0]), {"x_left": np.array([0.0])})
