import gc
import weakref

import numpy as np
import pytest
from mesa_models import Volume

from tme_sim.model.agents import CellGoneError, agent_class
from tme_sim.state.codes import APOPTOSIS, REMOVED


def test_cell_asked_for_twice_is_the_same_object(model):
    cell = model.cell(4)
    assert model.cell(4) is cell
    assert model.agents.to_list()[3] is cell


def test_view_without_references_is_let_go(model):
    views = weakref.ref(model.cell(4))
    gc.collect()
    assert views() is None


def test_view_finds_its_cell_after_rows_are_permuted(model):
    cell = model.cell(4)
    model.tissue.cells.permute(np.arange(12)[::-1])
    assert cell.ATP == 0.04


def test_cell_reads_every_kind_of_column(model):
    cells = model.tissue.cells
    cells["cargo"][3], cells["drug"][3], cells["docked"][3], cells["damage"][3] = 2.0, 3.0, 4.0, 0.5
    cell = model.cell(4)
    assert (cell.pERK, cell.SN38, cell.exosome) == (2.0, 3.0, 4.0)
    assert (cell.id, cell.unique_id, cell.parent, cell.site) == (4, 4, -1, 9)
    assert cell.damage == {"SN38": 0.5}
    assert cell.variables == {"ATP": 0.04, "HIF": 0.0}


def test_cell_shows_type_stage_and_death_in_words(model):
    cell = model.cell(3)
    assert (cell.cell_type, cell.stage, cell.death, cell.alive) == ("hsc", "G1", "alive", True)
    assert (model.cell(4).type, cell.type) == (0, 1)


def test_position_is_xy_in_two_dimensions_and_xyz_in_three(model):
    assert model.cell(4).pos == (1, 1)
    assert Volume().cell(4).pos == (1, 1, 0)


def test_cell_reads_field_and_pool_at_its_site(model):
    cell = model.cell(4)
    assert cell.field("oxygen") == model.tissue.field("oxygen")[0, 1, 1]
    assert cell.field("exosome") == 5.0
    with pytest.raises(KeyError, match="did you mean 'oxygen'"):
        cell.field("oxigen")


def test_set_variable_writes_the_array(model):
    model.cell(4).HIF = 0.7
    assert model.tissue.cells["variables"][3, 1] == 0.7


def test_set_stage_in_a_word_writes_its_code(model):
    model.cell(4).stage = "S"
    assert model.tissue.cells["stage"][3] == 1
    with pytest.raises(ValueError, match="G1, S, G2M"):
        model.cell(4).stage = "M"


@pytest.mark.parametrize("name", ["HIFF", "site", "pos", "unique_id", "cell_type", "variables"])
def test_set_unknown_or_kept_name_is_refused(model, name):
    with pytest.raises(AttributeError, match=name):
        setattr(model.cell(4), name, 1)


@pytest.mark.parametrize("value", [-0.1, np.nan])
def test_set_impossible_value_is_refused(model, value):
    with pytest.raises(ValueError, match="HIF"):
        model.cell(4).HIF = value


def test_read_unknown_name_says_what_was_meant(model):
    with pytest.raises(AttributeError, match="did you mean 'HIF'"):
        _ = model.cell(4).HIFF


def test_set_drug_or_docked_is_entered_in_the_books(model):
    model.cell(4).SN38 = 3.0
    model.cell(4).exosome = 2.0
    assert model.tissue.ledger.drugs[0].tolist() == [3.0, 0, 0, 0, 0]
    assert model.tissue.ledger.pools[0, 1] == 2.0


def test_dead_cell_is_read_but_not_written(model):
    cell = model.cell(4)
    model.tissue.cells["death"][3] = APOPTOSIS
    assert (cell.alive, cell.death, cell.ATP) == (False, "apoptosis", 0.04)
    with pytest.raises(CellGoneError, match=r"cell 4 is dead \(apoptosis\)"):
        cell.ATP = 1.0


@pytest.mark.parametrize("name", ["ATP", "pos", "stage", "cell_type", "nonsense"])
def test_cell_that_left_says_so(model, name):
    cell = model.cell(4)
    cell.remove()
    assert not cell.alive
    with pytest.raises(CellGoneError, match="cell 4 has left the tissue"):
        getattr(cell, name)


def test_remove_takes_the_cell_out_and_records_its_death(model):
    model.cell(4).remove()
    assert len(model.agents) == 11
    assert model.tissue.cells.occupant[9] == -1
    assert model.tissue.events.table("deaths")[["id", "site", "cause"]].tolist() == [(4, 9, REMOVED)]
    with pytest.raises(KeyError, match="no cell 4"):
        model.cell(4)


def test_remove_gives_contents_back_to_the_site(model):
    before = model.tissue.field("SN38")[0, 1, 1]
    model.cell(4).SN38, model.cell(4).exosome = 3.0, 2.0
    model.cell(4).remove()
    assert model.tissue.field("SN38")[0, 1, 1] == before + 3.0
    assert model.tissue.pools[0, 1, 1, 0] == 7.0


def test_remove_twice_is_harmless(model):
    cell = model.cell(4)
    cell.remove()
    cell.remove()
    assert len(model.tissue.events.table("deaths")) == 1


def test_remove_within_a_step_waits_for_its_end(model):
    cell = model.cell(4)
    with model.rows_kept():
        cell.remove()
        cell.remove()
        assert (cell.alive, cell.death, len(model.agents)) == (False, "removed", 11)
        assert model.tissue.cells["id"].tolist() == list(range(1, 13))
    assert model.tissue.cells.n == 11
    assert model.tissue.events.table("deaths")["minutes"].tolist() == [6.0]


def test_making_a_cell_as_an_ordinary_agent_is_refused(model):
    with pytest.raises(TypeError, match=r"model\.cell"):
        model.agent_class("tumour")(model)


def test_cell_that_changes_type_changes_class_when_asked_for(model):
    cell = model.cell(3)
    model.tissue.cells["type"][2] = 2
    assert cell.cell_type == "activated_hsc"
    assert model.cell(3) is cell
    assert type(cell).__name__ == "ActivatedHscCell"


@pytest.mark.parametrize(("name", "expected"), [("T cell", "TCell"), ("hsc", "HscCell"), ("CSC", "CSCCell")])
def test_agent_class_has_a_readable_name(name, expected):
    assert agent_class(name).__name__ == expected
    assert agent_class(name) is agent_class(name)
