import numpy as np
import pytest
from scipy.spatial import cKDTree

from tme_sim.model.site_table import PlacementError
from tme_sim.model.vessel_layout import hexagonal_vessels, random_vessels, read_vessels
from tme_sim.state.grid import Grid

PLANE = Grid((1, 200, 200), 20.0, 0.2)
SPACE = Grid((4, 50, 60), 20.0, 0.2)


def all_free(grid):
    return np.ones(grid.n_sites, bool)


def nearest_um(grid, sites):
    at = grid.positions_um(sites)[:, :2]
    return cKDTree(at).query(at, k=2)[0][:, 1]


@pytest.mark.parametrize("spacing", [60.0, 110.0, 250.0])
def test_random_vessels_keep_and_reach_the_spacing(spacing):
    sites = random_vessels(PLANE, spacing, all_free(PLANE), seed=1)
    near = nearest_um(PLANE, sites)
    assert near.min() >= spacing - 1e-6
    assert 1.0 <= near.mean() / spacing < 1.2


def test_random_vessels_leave_no_room_for_another():
    sites = random_vessels(PLANE, 110.0, all_free(PLANE), seed=1)
    tree = cKDTree(PLANE.positions_um(sites)[:, :2])
    assert tree.query(PLANE.positions_um(np.arange(PLANE.n_sites))[:, :2])[0].max() < 110.0


def test_random_vessels_depend_on_the_seed():
    layouts = [random_vessels(PLANE, 110.0, all_free(PLANE), seed=s).tolist() for s in (1, 1, 2)]
    assert layouts[0] == layouts[1]
    assert layouts[0] != layouts[2]


@pytest.mark.parametrize("layout", ["random", "regular"])
def test_vessels_keep_off_taken_sites(layout):
    free = all_free(PLANE)
    free[np.random.default_rng(0).choice(PLANE.n_sites, 20_000, replace=False)] = False
    sites = (
        random_vessels(PLANE, 110.0, free, 1) if layout == "random" else hexagonal_vessels(PLANE, 110.0, free)
    )
    assert free[sites].all()
    assert len(np.unique(sites)) == len(sites) > 800


@pytest.mark.parametrize("layout", ["random", "regular"])
def test_no_site_left_for_vessels_is_an_error(layout):
    free = np.zeros(PLANE.n_sites, bool)
    with pytest.raises(PlacementError, match="no free site is left"):
        random_vessels(PLANE, 110.0, free, 1) if layout == "random" else hexagonal_vessels(PLANE, 110.0, free)


@pytest.mark.parametrize("layout", ["random", "regular"])
def test_vessels_in_space_are_lines_along_z(layout):
    free = all_free(SPACE)
    sites = (
        random_vessels(SPACE, 110.0, free, 1) if layout == "random" else hexagonal_vessels(SPACE, 110.0, free)
    )
    planes = sites.reshape(4, -1) % 3000
    assert np.all(planes == planes[0])
    assert len(planes[0]) > 60


def test_hexagonal_vessels_have_the_spacing_and_density():
    sites = hexagonal_vessels(PLANE, 200.0, all_free(PLANE))
    near = nearest_um(PLANE, sites)
    assert np.all(np.abs(near - 200.0) <= 20.0 * np.sqrt(2))
    assert len(sites) == pytest.approx(4000.0**2 / (200.0**2 * np.sqrt(3) / 2), rel=0.06)


def test_hexagonal_vessel_in_a_small_grid_is_in_its_middle():
    grid = Grid((1, 5, 5), 20.0, 0.2)
    assert hexagonal_vessels(grid, 500.0, all_free(grid)).tolist() == [12]


def test_vessels_from_a_file(tmp_path):
    path = tmp_path / "vessels.csv"
    path.write_text("x_um,y_um\n30,10\n10,10\n")
    assert read_vessels(path, PLANE, all_free(PLANE)).tolist() == [0, 1]
    assert read_vessels(path, SPACE, all_free(SPACE)).tolist() == [0, 1, 3000, 3001, 6000, 6001, 9000, 9001]
    path.write_text("x_um,y_um,z_um\n30,10,50\n")
    assert read_vessels(path, SPACE, all_free(SPACE)).tolist() == [6001]


def test_vessel_from_a_file_at_a_taken_site_is_an_error(tmp_path):
    path = tmp_path / "vessels.csv"
    path.write_text("x_um,y_um\n30,10\n")
    free = all_free(PLANE)
    free[1] = False
    with pytest.raises(PlacementError, match="1 vessel sites hold cells, first at x 30, y 10"):
        read_vessels(path, PLANE, free)


def test_empty_vessel_file_is_an_error(tmp_path):
    path = tmp_path / "vessels.csv"
    path.write_text("x_um,y_um\n")
    with pytest.raises(PlacementError, match="expected at least one vessel"):
        read_vessels(path, PLANE, all_free(PLANE))
