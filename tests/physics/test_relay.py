"""The relay (L1) at the defaults of the flagship: what each blocked leg takes away, and what the effect is made of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from experiments.relay_arms import ARMS, INTERVENTIONS, on_workers, run_arm, scene
from tme_sim.scenario.load import load_scenario

SMALL = scene(size_mm=0.8, nodule_um=250.0, days=4.0, step_min=20.0)
SEEDS, SMALL_SEEDS = range(1, 31), (1, 2, 3)
LEGS = [arm for arm in INTERVENTIONS if arm != "relay"]

Results = dict[str, dict[str, np.ndarray]]


def _gathered(
    arms: Iterable[str], seeds: Iterable[int], runs: Iterable[tuple[str, int, dict[str, float]]]
) -> Results:
    found = {(arm, seed): values for arm, seed, values in runs}
    return {
        arm: {name: np.array([found[arm, seed][name] for seed in seeds]) for name in found[arm, min(seeds)]}
        for arm in arms
    }


def _one(job: tuple[str, int, tuple[str, ...]]) -> tuple[str, int, dict[str, float]]:
    arm, seed, overrides = job
    return arm, seed, run_arm(arm, seed, overrides)


@pytest.fixture(scope="module")
def small() -> Results:
    """Interventions at three seeds on a small grid."""
    return _gathered(
        INTERVENTIONS, SMALL_SEEDS, (_one((a, s, SMALL)) for a in INTERVENTIONS for s in SMALL_SEEDS)
    )


@pytest.fixture(scope="module")
def large() -> Results:
    """All interventions, and the arm whose cycle is blind to oxygen, at thirty seeds."""
    arms = (*INTERVENTIONS, "relay, cycle blind to oxygen")
    jobs = [(arm, seed, scene()) for arm in arms for seed in SEEDS]
    return _gathered(arms, SEEDS, on_workers(_one, jobs, workers=2))


@pytest.fixture(scope="module")
def control() -> dict[str, dict[str, float]]:
    """One run of each control that the fast tests look at."""
    names = (
        "gain 0",
        "empty vesicles",
        "hypoxic gate",
        "relay, uniform 40 mmHg",
        "exosomes blocked, uniform 40 mmHg",
    )
    return {name: run_arm(name, SMALL_SEEDS[0], SMALL) for name in names}


@pytest.mark.parametrize("leg", LEGS)
def test_blocking_a_leg_lowers_resistance_in_the_rim(small: Results, leg: str) -> None:
    assert np.all(small[leg]["resistant_rim"] < small["relay"]["resistant_rim"] - 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("leg", LEGS)
def test_blocking_a_leg_lowers_resistance_in_the_rim_in_thirty_pairs(large: Results, leg: str) -> None:
    assert np.mean(large[leg]["resistant_rim"] < large["relay"]["resistant_rim"]) >= 0.95


def test_relay_deepens_hypoxia_of_the_rim(small: Results) -> None:
    assert np.all(small["relay"]["oxygen_rim_mmhg"] < small["exosomes blocked"]["oxygen_rim_mmhg"])


def test_no_cell_resists_more_than_a_naive_cell_at_its_own_oxygen_by_half(small: Results) -> None:
    """The fraction is one of cells that the tissue has made slow; see docs/relay.md."""
    assert np.all(small["relay"]["resistant_own_oxygen_rim"] < 0.01)


@pytest.mark.slow
def test_effect_is_gone_where_the_cycle_ignores_oxygen(large: Results) -> None:
    blind = large["relay, cycle blind to oxygen"]
    assert np.all(blind["stat3_rim"] > 0.9)
    assert np.all(blind["resistant_rim"] < 0.05)


@pytest.mark.parametrize("name", ["gain 0", "empty vesicles"])
def test_signal_without_cargo_equals_blocked_release(small: Results, control, name: str) -> None:
    for readout in ("stat3", "il6_ng_ml", "activation", "resistant_rim", "ratio"):
        assert control[name][readout] == pytest.approx(small["exosomes blocked"][readout][0], abs=1e-12)


def test_hypoxic_gate_spares_oxygenated_cells_of_stat3(small: Results, control) -> None:
    gated = control["hypoxic gate"]
    assert gated["stat3"] < gated["stat3_rim"]
    assert gated["stat3"] < small["relay"]["stat3"][0] - 0.05
    assert gated["resistant_rim"] > small["exosomes blocked"]["resistant_rim"][0]


def test_without_gradient_rim_and_all_cells_are_alike(control) -> None:
    for arm in ("relay", "exosomes blocked"):
        even = control[f"{arm}, uniform 40 mmHg"]
        assert even["oxygen_rim_mmhg"] == pytest.approx(40.0, abs=0.2)
        assert even["ratio_rim"] == pytest.approx(even["ratio"], abs=0.02)
        assert even["ratio_own_oxygen_rim"] == pytest.approx(even["ratio_rim"], abs=0.01)


def test_rules_that_arms_override_by_number_are_the_ones_they_mean() -> None:
    rules = load_scenario("s0_relay").rules
    assert (rules[1].cell, rules[1].signal, rules[1].behaviour) == ("tumour", "oxygen", "cycle entry")
    assert (rules[16].cell, rules[16].signal, rules[16].behaviour) == ("tumour", "ATP", "death from SN38")
    assert all(load_scenario("s0_relay", (*SMALL, *arm)) for arm in ARMS.values())
