import numpy as np
import pytest
from PIL import Image

from tme_sim.model.placement import Density, Nodule, inside_nodule, place_cells, read_label_image
from tme_sim.model.site_table import PlacementError
from tme_sim.state.grid import Grid

PLANE = Grid((1, 100, 100), 20.0, 0.2)
CUBE = Grid((30, 30, 30), 20.0, 0.2)
NAMES = ("tumour", "hsc", "macrophage")
FREE = np.zeros(10_000, bool)


def placed(nodules=(), densities=(), taken=FREE, grid=PLANE, seed=1):
    return place_cells(grid, nodules, densities, taken, NAMES, seed)


def test_disc_holds_its_area():
    cells = placed([Nodule(0, None, 400.0)])
    assert len(cells.site) == pytest.approx(np.pi * 20**2, rel=0.02)
    way = PLANE.positions_um(cells.site)[:, :2] - 1000.0
    assert np.sqrt((way**2).sum(axis=1)).max() <= 400.0


def test_ball_holds_its_volume():
    cells = placed([Nodule(0, None, 200.0)], taken=np.zeros(27_000, bool), grid=CUBE)
    assert len(cells.site) == pytest.approx(4 / 3 * np.pi * 10**3, rel=0.02)


def test_nodule_centre_is_where_asked():
    cells = placed([Nodule(0, (300.0, 700.0), 100.0)])
    np.testing.assert_allclose(PLANE.positions_um(cells.site)[:, :2].mean(axis=0), [300.0, 700.0])


@pytest.mark.parametrize("centre", [(50.0, 50.0), (40.0, 50.0), (40.0, 40.0), (59.0, 41.0)])
def test_nodule_of_radius_zero_is_the_site_of_its_centre(centre):
    assert placed([Nodule(0, centre, 0.0)]).site.tolist() == [202]


def test_nodule_without_a_free_site_is_an_error():
    taken = FREE.copy()
    taken[202] = True
    with pytest.raises(PlacementError, match="all 1 sites within 0 um of"):
        placed([Nodule(0, (50.0, 50.0), 0.0)], taken=taken)


def test_filling_is_exact():
    full = placed([Nodule(0, None, 400.0)])
    part = placed([Nodule(0, None, 400.0, 0.5)])
    assert len(part.site) == round(0.5 * len(full.site))
    assert set(part.site) <= set(full.site)


def test_densities_keep_to_their_region_and_count():
    nodule = Nodule(0, None, 400.0, 0.5)
    inside = inside_nodule(PLANE, nodule)
    cells = placed([nodule], [Density(1, 0.06, "outside"), Density(2, 0.1, "inside")])
    for type_, share, region in ((1, 0.06, ~inside), (2, 0.1, inside)):
        sites = cells.site[cells.type == type_]
        assert np.all(region[sites])
        assert len(sites) == round(share * region.sum())
    assert len(np.unique(cells.site)) == len(cells.site)


def test_taken_sites_stay_free_of_cells():
    taken = FREE.copy()
    taken[::3] = True
    cells = placed([Nodule(0, None, 400.0)], [Density(1, 0.5)], taken)
    assert not taken[cells.site].any()


def test_scattered_cells_are_spread_evenly():
    cells = placed(densities=[Density(1, 0.2)])
    quadrant = (cells.site // 100 >= 50) * 2 + (cells.site % 100 >= 50)
    counts = np.bincount(quadrant, minlength=4)
    assert counts.sum() == 2000
    assert np.all(np.abs(counts - 500) < 4 * np.sqrt(500))


def test_sites_depend_on_the_seed_alone():
    once, again = (placed(densities=[Density(1, 0.2)], seed=5) for _ in range(2))
    other = placed(densities=[Density(1, 0.2)], seed=6)
    assert np.array_equal(once.site, again.site)
    assert not np.array_equal(once.site, other.site)


def test_first_nodule_takes_the_overlap():
    cells = placed([Nodule(0, None, 200.0), Nodule(1, None, 300.0)])
    inner = np.isin(cells.site, np.flatnonzero(inside_nodule(PLANE, Nodule(0, None, 200.0))))
    assert np.all(cells.type[inner] == 0)
    assert np.all(cells.type[~inner] == 1)


def test_all_faults_are_named_at_once():
    with pytest.raises(PlacementError) as caught:
        placed([Nodule(0, (9e5, 0.0), 5.0)], [Density(1, 0.7), Density(2, 0.7)])
    assert len(caught.value.faults) == 2
    assert "tissue.tumour.nodules" in caught.value.faults[0]
    assert "7000 cells" in caught.value.faults[1]
    assert "at most 3000" in caught.value.faults[1]


def test_label_image_gives_one_cell_per_labelled_pixel(tmp_path):
    grid = Grid((1, 3, 4), 20.0, 0.2)
    labels = np.array([[0, 1, 2, 0], [0, 0, 0, 2], [1, 0, 0, 0]], np.uint8)
    Image.fromarray(labels).save(tmp_path / "labels.png")
    cells = read_label_image(tmp_path / "labels.png", grid, {1: 0, 2: 1}, NAMES)
    assert cells.site.tolist() == [1, 2, 7, 8]
    assert cells.type.tolist() == [0, 1, 1, 0]


def test_label_image_with_unknown_labels_names_each(tmp_path):
    labels = np.array([[0, 1, 9], [7, 9, 1]], np.uint8)
    Image.fromarray(labels).save(tmp_path / "labels.png")
    with pytest.raises(PlacementError) as caught:
        read_label_image(tmp_path / "labels.png", Grid((1, 2, 3), 20.0, 0.2), {1: 0}, NAMES)
    assert len(caught.value.faults) == 2
    assert "label 9 in 2 pixels, first at x 2, y 0" in caught.value.faults[1]


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.zeros((2, 2), np.uint8), "expected 3 x 2"),
        (np.zeros((2, 3, 3), np.uint8), "colour mode RGB"),
    ],
)
def test_label_image_of_the_wrong_kind_is_refused(tmp_path, array, what):
    Image.fromarray(array).save(tmp_path / "labels.png")
    with pytest.raises(PlacementError, match=what):
        read_label_image(tmp_path / "labels.png", Grid((1, 2, 3), 20.0, 0.2), {1: 0}, NAMES)


def test_label_image_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "labels.png").write_text("no image")
    with pytest.raises(PlacementError, match="expected a readable image"):
        read_label_image(tmp_path / "labels.png", Grid((1, 2, 3), 20.0, 0.2), {1: 0}, NAMES)
