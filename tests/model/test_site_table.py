import pytest

from tme_sim.model.site_table import PlacementError, read_sites
from tme_sim.state.grid import Grid

PLANE = Grid((1, 10, 10), 20.0, 0.2)
SPACE = Grid((5, 10, 10), 20.0, 0.2)
TYPES = ("tumour", "hsc")


def write(tmp_path, text):
    path = tmp_path / "cells.csv"
    path.write_text(text, encoding="utf-8")
    return path


def faults(tmp_path, text, grid=PLANE, types=TYPES):
    with pytest.raises(PlacementError) as caught:
        read_sites(write(tmp_path, text), grid, types)
    return [fault.removeprefix(f"{tmp_path}/cells.csv:") for fault in caught.value.faults]


def test_rows_become_sites(tmp_path):
    table = read_sites(write(tmp_path, "x_um,y_um,type,id\n0,0,tumour,4\n199.9,30,hsc,2\n"), PLANE, TYPES)
    assert table.site.tolist() == [0, 19]
    assert table.type.tolist() == [0, 1]
    assert table.id.tolist() == [4, 2]


def test_columns_may_come_in_any_order_with_a_byte_order_mark(tmp_path):
    table = read_sites(write(tmp_path, "\ufefftype, y_um ,x_um\n hsc , 30, 199\n\n"), PLANE, TYPES)
    assert table.site.tolist() == [19]
    assert table.id.tolist() == [-1]


def test_space_needs_z(tmp_path):
    table = read_sites(write(tmp_path, "x_um,y_um,z_um,type\n0,0,90,tumour\n"), SPACE, TYPES)
    assert table.site.tolist() == [400]
    assert "column 'z_um' is missing" in faults(tmp_path, "x_um,y_um,type\n0,0,hsc\n", SPACE)[0]


def test_every_fault_is_named_with_its_line(tmp_path):
    text = (
        "x_um,y_um,type,id\n"
        "nan,5,tumour,1\n"
        "5,5,tumor,2\n"
        "5,500,hsc,3\n"
        "5,5,hsc,4\n"
        "6,6,hsc,5\n"
        "50,50,hsc,4\n"
        "abc,-1,what,x\n"
        "1,2\n"
    )
    found = faults(tmp_path, text)
    assert found[0] == "2: x_um: 'nan'; expected a finite number"
    assert found[1] == "3: unknown type 'tumor' (did you mean tumour?)"
    assert found[2] == "4: y_um: 500 is outside the grid; expected 0 to 200"
    assert found[3] == "6: same site as line 5; expected one row per 20 um site"
    assert found[4] == "7: id 4 is also on line 5; expected each id once"
    assert [f[:2] for f in found[5:]] == ["8:"] * 4 + ["9:"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "1: column 'x_um' is missing"),
        ("x_um,y_um\n", "1: column 'type' is missing"),
        ("x_um,y_um,typ,type\n", "1: unknown column 'typ' (did you mean type?)"),
        ("x_um,y_um,type,type\n", "1: column 'type' repeated"),
    ],
)
def test_wrong_header_is_refused(tmp_path, text, what):
    assert faults(tmp_path, text)[0].startswith(what)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(PlacementError, match="No such file"):
        read_sites(tmp_path / "none.csv", PLANE, TYPES)


def test_many_faults_are_cut_in_the_message_alone(tmp_path):
    path = write(tmp_path, "x_um,y_um,type\n" + "inf,0,hsc\n" * 80)
    with pytest.raises(PlacementError, match="and 30 more") as caught:
        read_sites(path, PLANE, TYPES)
    assert len(caught.value.faults) == 80
