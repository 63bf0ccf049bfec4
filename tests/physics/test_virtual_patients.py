"""Virtual patients: different draws, the rows of a table, its summary."""

import numpy as np

from experiments.relay_arms import append_rows, read_rows
from experiments.relay_draws import parameters_of
from experiments.virtual_patients import _COLUMNS, Trial, cohort_of, jobs_of, treat
from tme_sim.scenario.load import load_scenario

SMALL = (
    "grid.size=[400 um, 400 um]",
    "tissue.tumour.nodules=[{centre: middle, radius: 100 um, filling: 90 %}]",
    "time={step: 30 min, duration: 1 d}",
    "drugs.SN38.schedule=[{dose: 200 nM, from: 6 h, for: 18 h}]",
    "resistance.every=every 6 h",
)


def test_patients_differ_and_their_table_is_summarised(tmp_path):
    """S3-11: parameters are drawn per patient, and the distribution is reported."""
    jobs = jobs_of(parameters_of(load_scenario("s0_relay", SMALL)), 2)
    assert jobs[0][1] != jobs[1][1]
    trial = Trial("s0_relay", SMALL, "SN38", 360.0, 720.0)
    rows = [treat(trial, job) for job in jobs]
    assert np.isfinite([row["initial"] for row in rows]).all()
    append_rows(tmp_path / "patients.csv", ("patient", *_COLUMNS), rows)
    found = cohort_of(read_rows(tmp_path / "patients.csv"))
    assert sum(found.shares.values()) == 1.0
    assert found.control == np.mean([row["controlled"] for row in rows])
