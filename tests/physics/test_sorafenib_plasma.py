"""Sorafenib in plasma: doses and constants of seeds/parameters.csv give the trough that was measured."""

import numpy as np
import pytest

from tests.scenario.made import changed
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.scenario.load import read_scenario

DRUG = """SN38: {field: SN38, unbound: 0.5 %,
    kinetics: {volume: 218 L, half_life: 36 h, absorption: {half_life: 40 min, bioavailability: 43.5 %}},
    schedule: [{route: oral, dose: 400 mg, every: 12 h}]}"""
TEXT = changed(
    ("SN38: {unit: nM,", "SN38: {unit: nM, molar_mass: 464.8 Da,"),
    ("SN38: {field: SN38, half_max: 8 nM, schedule: [{dose: 8 nM, from: 1 h, for: 1 h}]}", DRUG),
    ("time: {duration: 1 d}", "time: {step: 30 min, duration: 20 d}"),
    ("tumour: {nodules: [{radius: 40 um}]}", "tumour: {at: [[10 um, 10 um]]}"),
)


@pytest.fixture(scope="module")
def levels():
    """Total level in plasma, nM, and free level in the vessels, per step of 30 min over 20 days."""
    model = TumorMicroenvironment(read_scenario(TEXT))
    total, free = [], []
    for _ in range(20 * 48):
        model.interventions.step(model.tissue, _nothing(model))
        total.append(model.tissue.timeline.bodies["SN38"].total_nm)
        free.append(model.tissue.plasma[model.tissue.layout.fields.index("SN38")])
        model.tissue.clock.step += 1
    return np.array(total), np.array(free)


def _nothing(model):
    from tme_sim.processes.base import Context

    return Context(None, 30.0, model.clock.step, 1, np.zeros((0, 0)), {}, extra_decay=np.zeros(3))


def test_trough_is_seven_micromolar_total_and_thirty_five_nanomolar_free(levels):
    total, free = levels
    assert total[-1] == pytest.approx(6900.0, rel=0.05)
    assert free[-1] == pytest.approx(35.0, rel=0.05)


def test_drug_accumulates_about_fivefold(levels):
    """DRUG-15: 4.9, 3.5 to 6.3, over the first interval of 12 h."""
    total, _ = levels
    assert 3.5 < total[-24:].sum() / total[:24].sum() < 6.3
