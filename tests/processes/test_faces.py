import numpy as np

from tme_sim.numerics.boundary import boundary_terms
from tme_sim.processes.faces import Faces, fixed_values


def test_faces_add_what_boundary_terms_say():
    shape, k = (2, 3, 4), np.array([1.0, 2.5])
    values = fixed_values([{"x_low": 4.0, "z_high": 1.0}, {"y_high": 0.0}])
    diag, rhs = (a.reshape(-1, 2) for a in boundary_terms(shape, k, values))
    own_diag, own_rhs = np.zeros((24, 2)), np.zeros((24, 2))
    faces = Faces(shape, k, values)
    places = np.random.default_rng(0).permutation(24)
    for species in range(2):
        faces.add_to(species, places, own_diag[:, species], own_rhs[:, species])
    assert np.array_equal(own_diag[places], diag)
    assert np.array_equal(own_rhs[places], rhs)
    u = np.random.default_rng(1).random((24, 2))
    inward, out = faces.passed(u.T)
    assert np.allclose(inward, rhs.sum(axis=0), rtol=1e-14)
    assert np.allclose(out, (diag * u).sum(axis=0), rtol=1e-14)


def test_closed_lattice_has_no_faces():
    faces = Faces((1, 3, 4), np.array([1.0]), fixed_values([{}]))
    assert len(faces.sites) == 0
