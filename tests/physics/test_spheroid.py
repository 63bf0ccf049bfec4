"""A spheroid without vessels against the closed form of its viable rim (zero-order uptake in a ball)."""

from pathlib import Path

import numpy as np
import pytest

from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.scenario.load import read_scenario

UPTAKE, D = 15.0, 2000.0  # mmHg/s, µm²/s

BALL = """\
scenario: made_ball
grid: {{size: [520 um, 520 um, 520 um], spacing: {h} um}}
time: {{step: 6 min, duration: 6 min}}
fields:
  oxygen: {{unit: mmHg, diffusion: 2000 um^2/s, solve: steady, half_saturation: 0.05 mmHg, start: 60 mmHg,
    boundary: {{x_low: 60 mmHg, x_high: 60 mmHg, y_low: 60 mmHg, y_high: 60 mmHg, z_low: 60 mmHg,
               z_high: 60 mmHg}}}}
cells:
  tumour: {{base: {{uptake oxygen: 15 mmHg/s}}}}
tissue:
  tumour: {{nodules: [{{radius: 200 um}}]}}
"""


def core_radius(surface_mmhg, radius_um):
    """Return the radius of the anoxic core, µm: P_s = a/(6D) (R² − 3 r² + 2 r³/R); 0 if oxygen reaches the middle.

    Grimes et al. 2014, doi:10.1098/rsif.2013.1124.
    """
    roots = np.roots([2.0 / radius_um, -3.0, 0.0, radius_um**2 - 6.0 * D * surface_mmhg / UPTAKE])
    inside = [r.real for r in roots if abs(r.imag) < 1e-9 and 0.0 < r.real < radius_um]
    return inside[0] if inside else 0.0


def ball_in_medium(spacing_um):
    """Return the distance of every site from the middle and its oxygen, and the radius of the ball of sites."""
    model = TumorMicroenvironment(read_scenario(BALL.format(h=spacing_um), folder=Path()))
    model.step()
    grid = model.tissue.grid
    position = grid.positions_um(np.arange(grid.n_sites)) - 260.0
    radius = (3.0 * model.tissue.cells.n * spacing_um**3 / (4.0 * np.pi)) ** (1.0 / 3.0)
    return np.linalg.norm(position, axis=1), model.tissue.field("oxygen").ravel(), radius


@pytest.mark.parametrize("spacing_um", [20.0, 13.0])
def test_anoxic_core_has_the_radius_of_the_closed_form(spacing_um):
    distance, oxygen, radius = ball_in_medium(spacing_um)
    shell = np.abs(distance - radius) < 0.5 * spacing_um
    expected = core_radius(oxygen[shell].mean(), radius)
    anoxic = np.count_nonzero((oxygen < 0.1) & (distance < radius))
    core = (3.0 * anoxic * spacing_um**3 / (4.0 * np.pi)) ** (1.0 / 3.0)
    assert 60.0 < expected < 160.0
    assert core == pytest.approx(expected, abs=0.25 * spacing_um)


def test_profile_in_the_rim_is_the_parabola_with_a_core():
    distance, oxygen, radius = ball_in_medium(20.0)
    core = core_radius(oxygen[np.abs(distance - radius) < 10.0].mean(), radius)
    rim = (distance > core + 20.0) & (distance < radius - 10.0)
    r = distance[rim]
    closed = UPTAKE / (6.0 * D) * (r**2 - 3.0 * core**2 + 2.0 * core**3 / r)
    assert np.abs(oxygen[rim] - closed).mean() < 2.0


def test_small_ball_has_no_core():
    assert core_radius(60.0, 200.0) == 0.0
    assert core_radius(20.0, 200.0) > 0.0
