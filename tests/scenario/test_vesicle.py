import pytest

from tests.scenario.made import changed, faults
from tme_sim.scenario.load import read_scenario

DIAMETER = "diameter: 100 nm,"


@pytest.mark.parametrize(("size", "nm"), [("exosome", 100), ("microvesicle", 300)])
def test_class_gives_the_usual_diameter_with_its_range_and_source(size, nm):
    diameter = read_scenario(changed((DIAMETER, f"size: {size},"))).vesicles["exosome"].diameter
    assert diameter == pytest.approx(nm / 1000)
    assert diameter.source.startswith("parameters:EV-")
    assert diameter.range[0] < diameter < diameter.range[1]


@pytest.mark.parametrize(("size", "nm"), [("exosome", 150), ("exosome", 30), ("microvesicle", 1000)])
def test_ends_of_a_class_belong_to_it(size, nm):
    assert faults(changed((DIAMETER, f"size: {size}, diameter: {nm} nm,"))) == []


@pytest.mark.parametrize(("size", "nm"), [("exosome", 151), ("microvesicle", 99), ("microvesicle", 1001)])
def test_diameter_outside_its_class_is_a_fault(size, nm):
    (fault,) = faults(changed((DIAMETER, f"size: {size}, diameter: {nm} nm,")))
    assert f"diameter {nm} nm; expected" in fault


def test_microvesicle_diffuses_by_its_size():
    pools = [
        read_scenario(changed((DIAMETER, f"size: {size},"))).vesicles["exosome"]
        for size in ("exosome", "microvesicle")
    ]
    assert pools[0].diffusion_um2_per_min / pools[1].diffusion_um2_per_min == pytest.approx(3.0)


@pytest.mark.parametrize(("kind", "hours"), [("protein", 24), ("miRNA", 36)])
def test_kind_of_cargo_gives_its_half_life(kind, hours):
    cargo = read_scenario(changed(("{half_life: 1 h}", f"{{kind: {kind}}}"))).cargo["pERK"]
    assert cargo.half_life == hours * 60


def test_other_kind_of_cargo_must_state_its_half_life():
    (fault,) = faults(changed(("{half_life: 1 h}", "{kind: lipid}")))
    assert "cargo.pERK.half_life" in fault


def test_unknown_integrin_is_a_fault():
    found = faults(changed((DIAMETER, f"{DIAMETER} integrins: [aVb5],")))
    assert "there is no such integrin" in found[0]


FREES = "diameter: 100 nm, frees: {il6: 10},"


def test_freed_field_must_stay_where_it_falls():
    assert faults(changed((DIAMETER, FREES))) == []
    found = faults(changed((DIAMETER, "diameter: 100 nm, frees: {oxygen: 1, SN38: 2},")))
    assert "frees.oxygen: oxygen must be a concentration" in found[0]
    assert "frees.SN38: SN38 is the field of a drug; write exports" in found[1]


def test_only_one_field_hinders_vesicles():
    pairs = [
        (f"diffusion: {d} um^2/s", f"diffusion: {d} um^2/s, hinders_vesicles: 1 {u}")
        for d, u in ((30, "ng/mL"), (100, "nM"))
    ]
    (fault,) = faults(changed(*pairs))
    assert "fields.SN38.hinders_vesicles: il6 hinders vesicles already" in fault


def test_what_digests_a_field_must_be_a_concentration():
    digested = "half_life: 2 h, digested_by: {oxygen: {rate: 1 /h, half_max: 1 nM}}}"
    (fault,) = faults(changed(("half_life: 2 h}", digested)))
    assert "oxygen must be a concentration" in fault
