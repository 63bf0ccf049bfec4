import numpy as np
import pytest
from made_tissue import assert_same_after_permutation, made_context, made_tissue

from tme_sim.processes.cycle import Cycle, ready_to_divide
from tme_sim.state.codes import G1, G2M, NO_CYCLE, S

CYCLE = Cycle(np.array([100.0, 50.0, 0.0]), np.array([75.0, 25.0, 0.0]), np.array([True, True, False]))


def ready_times(entry_per_min, dt_min, n=4000, until_min=3000.0):
    """Return when each of n founders in G1 becomes ready, the overshoot of the step taken off."""
    tissue = made_tissue((1, 64, 64), np.arange(n), dt_min=dt_min)
    times = np.full(n, np.nan)
    while tissue.clock.minutes < until_min:
        CYCLE.step(tissue, made_context(tissue, cycle_entry=entry_per_min))
        tissue.clock.step += 1
        new = ready_to_divide(tissue.cells) & np.isnan(times)
        times[new] = tissue.clock.minutes + tissue.cells["stage_left_min"][new]
    return times


@pytest.mark.parametrize("dt_min", [1.0, 6.0, 60.0])
def test_time_to_ready_is_exponential_plus_fixed_times_for_every_step(dt_min):
    times = ready_times(0.01, dt_min)
    assert not np.any(np.isnan(times))
    assert times.min() >= 175.0
    waits = times - 175.0
    assert abs(waits.mean() - 100.0) < 4 * 100.0 / np.sqrt(len(waits))
    assert abs(np.median(waits) - 100.0 * np.log(2)) < 4 * 100.0 / np.sqrt(len(waits))


def test_stages_come_in_order():
    tissue = made_tissue((1, 3, 3), [0])
    seen = []
    for _ in range(40):
        CYCLE.step(tissue, made_context(tissue, cycle_entry=0.05))
        tissue.clock.step += 1
        if not seen or seen[-1] != tissue.cells["stage"][0]:
            seen.append(int(tissue.cells["stage"][0]))
    assert seen in ([G1, S, G2M], [S, G2M])


def test_types_without_cycle_stay_out_of_it():
    tissue = made_tissue((1, 3, 3), [0, 1], type_=2)
    CYCLE.step(tissue, made_context(tissue, cycle_entry=10.0))
    assert np.all(tissue.cells["stage"] == NO_CYCLE)
    assert not ready_to_divide(tissue.cells).any()


def test_cell_that_turns_into_a_cycling_type_starts_in_g1():
    tissue = made_tissue((1, 3, 3), [0])
    tissue.cells["stage"][:] = NO_CYCLE
    CYCLE.step(tissue, made_context(tissue, cycle_entry=0.0))
    assert tissue.cells["stage"][0] == G1


def test_entry_rate_zero_arrests_in_g1():
    tissue = made_tissue((1, 3, 3), [0])
    for _ in range(50):
        CYCLE.step(tissue, made_context(tissue))
        tissue.clock.step += 1
    assert tissue.cells["stage"][0] == G1


def test_cycle_is_independent_of_row_order():
    assert_same_after_permutation(
        lambda: made_tissue((1, 30, 30), np.arange(900)),
        lambda tissue: CYCLE.step(tissue, made_context(tissue, cycle_entry=0.05)),
    )


def test_cells_without_room_stay_in_g1():
    tissue = made_tissue((1, 20, 20), np.arange(400))
    tissue.cells["stage"][:] = G1
    crowded = tissue.cells["site"] % 2 == 0
    cycle = Cycle(np.full(3, 480.0), np.full(3, 300.0), np.ones(3, bool), room=lambda t, rows: ~crowded[rows])
    cycle.step(tissue, made_context(tissue, cycle_entry=1e6))
    assert np.array_equal(tissue.cells["stage"] == G1, crowded)
