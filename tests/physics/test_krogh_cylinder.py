"""Oxygen around one vessel (Krogh's cylinder): P(r) = P_c - a/(4 D) [2 R_t² ln(r/R_c) - (r² - R_c²)]."""

import numpy as np
import pytest

from tme_sim.numerics.links import links_from_mobility, links_with_wells, well_factor
from tme_sim.numerics.multigrid import Multigrid

D_UM2_PER_MIN = 2000.0 * 60.0
UPTAKE_MMHG_PER_MIN = 15.0 * 60.0
VESSEL_MMHG, VESSEL_UM, TISSUE_UM = 40.0, 5.0, 60.0
IMPOSED_PER_MIN = 1e9


def krogh_mmhg(r):
    shape = 2.0 * TISSUE_UM**2 * np.log(r / VESSEL_UM) - (r**2 - VESSEL_UM**2)
    return VESSEL_MMHG - UPTAKE_MMHG_PER_MIN / (4.0 * D_UM2_PER_MIN) * shape


def solve_cylinder(spacing_um, *, one_site_vessel, wells=True, max_iterations=100):
    """Return distances from the axis and pressures of tissue sites; sites outside are cut off."""
    n = 2 * int(np.ceil(TISSUE_UM / spacing_um)) + 1
    x = (np.arange(n) - n // 2) * spacing_um
    r = np.hypot(*np.meshgrid(x, x))[None]
    vessel = r < 1e-9 if one_site_vessel else r <= VESSEL_UM
    tissue = (r <= TISSUE_UM) & ~vessel
    links = links_from_mobility((tissue | vessel).astype(float))
    if one_site_vessel and wells:
        links = links_with_wells(links, vessel, well_factor(spacing_um, VESSEL_UM))
    diag = np.where(vessel, IMPOSED_PER_MIN, 0.0)[..., None]
    diag[~(tissue | vessel)] = 1.0
    # What the tissue of the closed form takes up, given to the sites that stand for it.
    area = np.pi * (TISSUE_UM**2 - VESSEL_UM**2) / spacing_um**2 / tissue.sum()
    taken = np.where(tissue, UPTAKE_MMHG_PER_MIN * area, 0.0)[..., None]
    rhs = diag * np.where(vessel, VESSEL_MMHG, 0.0)[..., None] - taken
    u = np.full_like(rhs, VESSEL_MMHG)
    Multigrid(r.shape, np.array([D_UM2_PER_MIN / spacing_um**2]), links).solve(
        diag, rhs, u, 1e-9, max_iterations
    )
    return r[tissue], u[..., 0][tissue]


def test_closed_form_gives_the_tabled_pressures():
    found = krogh_mmhg(np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0]))
    np.testing.assert_allclose(found, [30.78, 21.99, 17.45, 14.88, 13.56, 13.16], atol=0.005)


def test_profile_tends_to_the_closed_form_as_spacing_shrinks():
    spacings = np.array([2.5, 1.25, 0.625, 0.3125])
    errors = []
    for spacing_um in spacings:
        r, found = solve_cylinder(spacing_um, one_site_vessel=False)
        errors.append(np.abs(found - krogh_mmhg(r))[r >= 10.0].max())
    # First order: the steps of the vessel's edge, not the solver, set the error.
    order = np.polyfit(np.log(spacings), np.log(errors), 1)[0]
    assert 0.6 < order < 1.4
    assert errors[-1] < 0.6


def test_cut_off_sites_hardly_slow_the_solve():
    r, _ = solve_cylinder(1.25, one_site_vessel=False, max_iterations=25)
    assert len(r) > 7000


@pytest.mark.parametrize("spacing_um", [20.0, 10.0])
def test_vessel_thinner_than_a_site_gives_the_right_pressure(spacing_um):
    r, found = solve_cylinder(spacing_um, one_site_vessel=True)
    assert np.abs(found - krogh_mmhg(r)).max() < 3.0


def test_without_well_correction_a_fine_lattice_starves_the_tissue():
    r, found = solve_cylinder(10.0, one_site_vessel=True, wells=False)
    assert (krogh_mmhg(r) - found).max() > 10.0
