import pytest

from tme_sim.model.tumor import TumorMicroenvironment

SMALL = ["grid.size=[0.6 mm, 0.6 mm]", "tissue.tumour.nodules.0.radius=120 um"]


@pytest.fixture(scope="module")
def small():
    return TumorMicroenvironment("s0_relay", SMALL)


@pytest.mark.parametrize("kind", ["endothelial", "macrophage", "hsc", "tumour"])
def test_scene_holds_the_five_kinds_of_cell(kind, small):
    """S0-01; the fifth, the activated stellate cell, is a state of hsc read off its variable."""
    assert small.tissue.cells.of_type(kind).any()
    assert "activation" in small.tissue.layout.variables


def test_oxygen_falls_with_distance_to_vessel(small):
    """S0-02."""
    small.step()
    oxygen, distance = small.tissue.field("oxygen").ravel(), small.tissue.vessel_distance_um.ravel()
    near, middle, far = (
        oxygen[(distance >= low) & (distance < high)].mean() for low, high in ((0, 25), (25, 50), (50, 1e3))
    )
    assert near > middle > far


@pytest.mark.parametrize("kind", ["macrophage", "endothelial"])
def test_macrophages_and_endothelium_send_nothing(kind, flagship):
    """S0-14: in this scheme they release and secrete nothing, nor does any rule of theirs."""
    sends = ("release ", "secretion ")
    assert not [rule for rule in flagship.rules if rule.cell == kind and rule.behaviour.startswith(sends)]
    assert not [name for name in flagship.cells[kind].base if name.startswith(sends)]
    assert not [name for name, pool in flagship.vesicles.items() if pool.donor == kind]
