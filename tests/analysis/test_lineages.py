import numpy as np
import pandas as pd

from tme_sim.analysis.lineages import Cells, cells_of, clone_sizes, clone_table, tree_of
from tme_sim.record.reader import open_run

# Founder 0 bears 2 and 3, 2 bears 4, which dies with its child 6; founder 1 stays alone.
FAMILY = Cells(
    pd.DataFrame(
        {
            "id": [0, 1, 2, 3, 4, 6],
            "parent": [-1, -1, 0, 0, 2, 4],
            "founder": [0, 1, 0, 0, 0, 0],
            "born": [0.0, 0.0, 1440.0, 2880.0, 2880.0, 3000.0],
            "ended": [7200.0, 7200.0, 7200.0, 7200.0, 4320.0, 4320.0],
            "fate": ["sensitive", "sensitive", "resistant", "resistant", "dead", "dead"],
        }
    ),
    7200.0,
)


def test_clone_sizes_follow_births_and_deaths():
    sizes = clone_sizes(FAMILY, np.array([0.0, 1440.0, 3000.0, 4320.0, 7200.0]), [0])
    assert sizes.tolist() == [[1, 2, 5, 3, 3], [1, 1, 1, 1, 1]]


def test_clone_table_puts_the_clone_with_most_resistant_cells_first():
    table = clone_table(FAMILY)
    assert table["founder"].tolist() == [0, 1]
    assert table["cells"].tolist() == [3, 1]
    assert table["resistant"].tolist() == [2, 0]
    assert table["ever"].tolist() == [5, 1]
    assert table["resistant_share"].tolist() == [2 / 3, 0.0]


def test_run_without_tumour_cells_has_no_clones():
    assert clone_table(Cells(FAMILY.table[:0], 7200.0)).empty


def test_tree_puts_mothers_before_their_daughters():
    tree = tree_of(FAMILY, 0, most=10)
    assert tree is not None
    assert tree.mother[0] == -1
    assert all(mother < row for row, mother in enumerate(tree.mother))
    assert sorted(tree.fate.tolist()) == ["dead", "dead", "resistant", "resistant", "sensitive"]


def test_tree_that_is_too_large_loses_its_dead_branches():
    tree = tree_of(FAMILY, 0, most=4)
    assert tree is not None
    assert tree.fate.tolist() == ["sensitive", "resistant", "resistant"]
    assert "dead branches left out" in tree.name
    assert tree_of(FAMILY, 0, most=2) is None


def test_cells_of_a_run_are_as_many_as_its_measures_say(made_file):
    with open_run(made_file) as run:
        cells = cells_of(run, "SN38", 0.5)
        last = run.timeseries.iloc[-1]
    alive = cells.table["fate"] != "dead"
    assert alive.sum() >= last["tumour_cells"] > 0
    assert set(cells.table["fate"]) == {"resistant", "sensitive", "not measured", "dead"} & set(
        cells.table["fate"]
    )
    assert (cells.table["fate"] == "resistant").any()
