"""Scenarios that leave out whole blocks."""

import numpy as np
import pytest

from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.scenario.load import ScenarioError, read_scenario

BARE = """\
scenario: bare
grid: {size: [100 um, 100 um]}
time: {duration: 1 d}
cells:
  tumour: {base: {apoptosis: 0.5 /h}}
tissue: {tumour: {density: 50 %}}
"""
FED = (
    BARE
    + """\
fields:
  oxygen: {unit: mmHg, diffusion: 2000 um^2/s, half_saturation: 1 mmHg, start: 30 mmHg}
  glucose: {unit: mM, diffusion: 600 um^2/s, half_saturation: 1 mM, start: 5 mM}
  lactate: {unit: mM, diffusion: 600 um^2/s, half_saturation: 4.5 mM, start: 5 mM}
"""
)
METABOLISM = (
    "metabolism: {oxygen_max: 15 mmHg/s, glucose_max: 4 fmol/min, lactate_max: 4 fmol/min,"
    " atp_demand: 56 fmol/min}"
)


def test_cells_without_fields_and_vesicles_live_and_die():
    model = TumorMicroenvironment(read_scenario(BARE))
    model.run_for(20)
    model.tissue.check()
    assert model.tissue.events.deaths
    assert model.living_cells < 13


def test_lactate_is_burnt_at_full_rate_where_no_variable_scales_it():
    text = FED.replace("{base: {apoptosis: 0.5 /h}}", "{" + METABOLISM + "}")
    model = TumorMicroenvironment(read_scenario(text))
    cells = model.tissue.cells
    flux = model.physiology.read(model.tissue)[1][cells["type"] == 0]
    full = 4e-15 * 6.02214076e23 / model.tissue.grid.molecules_per_nm(whole_site=True)
    np.testing.assert_allclose(flux[:, 3], full * 30.0 / 31.0, rtol=1e-9)


def test_vessels_without_a_cell_type_are_refused():
    with pytest.raises(ScenarioError, match="cell"):
        read_scenario(BARE + "vessels: {layout: regular, spacing: 40 um}\n")


def test_negative_chemotactic_weight_reaches_migration():
    field = "fields:\n  drug: {unit: nM, diffusion: 100 um^2/s, half_life: 1 h}\n"
    text = BARE.replace("apoptosis: 0.5 /h", "chemotaxis to drug: -3, migration: 1 um/min") + field
    model = TumorMicroenvironment(read_scenario(text))
    seen = []
    model.processes.insert(2, _Look(seen))
    model.step()
    assert (seen[0] == -3.0).all()


class _Look:
    name, reads, writes = "look", (), ()

    def __init__(self, seen):
        self.seen = seen

    def step(self, tissue, context):
        self.seen.append(context.of("chemotaxis to drug"))
