import numpy as np
import pytest

from tests.rules.made import LAYOUT, tissue
from tme_sim.rules.signals import SignalTable, gather_signals, signal_names
from tme_sim.rules.tables import RuleError
from tme_sim.state.codes import APOPTOSIS

FINITE = [name for name in signal_names(LAYOUT) if name != "distance to vessel"]


def gathered(made, *names):
    table = SignalTable.compile(
        names, LAYOUT, cargo_decay_per_min={"pERK": 0.1, "pAKT": 0.2}, cargo_gain={"pERK": 3.0}
    )
    out = np.full((made.cells.n, len(names)), np.nan)
    gather_signals(made, table, np.full(made.cells.n, 0.7), out)
    return out


def test_gather_fills_every_signal_there_is():
    assert np.isfinite(gathered(tissue([12], [0]), *FINITE)).all()


def test_gather_reads_field_at_own_site():
    made = tissue([3, 12], [0, 1])
    made.fields[...] = np.arange(50.0).reshape(1, 5, 5, 2)
    assert gathered(made, "il6", "oxygen").tolist() == [[7.0, 6.0], [25.0, 24.0]]


@pytest.mark.parametrize(
    ("name", "group", "column"),
    [
        ("STAT3", "variables", 1),
        ("held pAKT", "cargo", 1),
        ("docked exo", "docked", 0),
        ("drug SN38", "drug", 0),
    ]
    + [("damage SN38", "damage", 0), ("exposure SN38", "exposure", 0)],
)
def test_gather_reads_column_of_cell(name, group, column):
    made = tissue([3, 12], [0, 1])
    made.cells[group][:, column] = [2.0, 5.0]
    assert gathered(made, "time", name)[:, 1].tolist() == [2.0, 5.0]


def test_arriving_is_held_times_decay_times_gain():
    made = tissue([3], [0])
    made.cells["cargo"][:] = [10.0, 10.0]
    assert gathered(made, "arriving pERK", "arriving pAKT")[0] == pytest.approx([3.0, 2.0])


def test_contacts_count_living_moore_neighbours_by_type():
    made = tissue([12, 6, 7, 13, 18, 0], [0, 0, 1, 1, 1, 0])
    made.cells["death"][4] = APOPTOSIS
    names = ("contact tumour", "contact hsc", "contact dead", "free neighbours")
    assert gathered(made, *names)[0].tolist() == [1.0, 2.0, 1.0, 4.0]


def test_free_neighbours_end_at_edge_of_lattice():
    assert gathered(tissue([0, 24], [0, 0]), "free neighbours").ravel().tolist() == [3.0, 3.0]


def test_contacts_in_three_dimensions_reach_26_sites():
    made = tissue(np.arange(27), np.zeros(27), shape=(3, 3, 3))
    assert gathered(made, "contact tumour")[13, 0] == 26.0


def test_age_and_time_are_minutes():
    made = tissue([3], [0])
    made.clock.step = 10
    made.cells["born_min"][:] = 24.0
    assert gathered(made, "age", "time").tolist() == [[36.0, 60.0]]


def test_energy_and_distance_are_passed_on():
    made = tissue([3], [0])
    made.vessel_distance_um.ravel()[3] = 44.0
    assert gathered(made, "energy", "distance to vessel").tolist() == [[0.7, 44.0]]


def test_gather_of_no_cells_does_nothing():
    assert gathered(tissue([], []), "oxygen").shape == (0, 1)


def test_gather_does_not_depend_on_row_order():
    made = tissue([12, 6, 7], [0, 0, 1])
    before = gathered(made, "contact hsc", "free neighbours")
    made.cells.permute(np.array([2, 0, 1]))
    assert gathered(made, "contact hsc", "free neighbours").tolist() == before[[2, 0, 1]].tolist()


def test_compile_names_every_unknown_or_repeated_signal():
    with pytest.raises(RuleError) as caught:
        SignalTable.compile(["oxygen", "oxygen", "held nope"], LAYOUT, cargo_decay_per_min={}, cargo_gain={})
    assert len(str(caught.value).splitlines()) == 2
