import numpy as np

from tme_sim.numerics.pharmacodynamics import survival


def log_kill(*stages):
    rate = 1.0 / 60.0
    parameters = np.array([[4 * rate, 4 * rate, 0.2 * rate, 0.03 * rate, 0.12 * rate, 0.09 * rate]])
    out = np.empty(1)
    acts = np.array([stage in stages for stage in ("G1", "S", "G2M", "none")])
    s_min, g2m_min = np.array([480.0]), np.array([300.0])
    survival(1, parameters, 8.0, 1440.0, 4320.0, 8.0, 1.0, 2.0, s_min, g2m_min, acts, 60.0, out)
    return -np.log(out[0])


def test_each_further_sensitive_stage_kills_more():
    for pair in (("S", "G2M"), ("G1", "G2M"), ("G1", "S")):
        assert max(log_kill(stage) for stage in pair) < log_kill(*pair) < log_kill("G1", "S", "G2M")
