"""What lung tumour exosomes do through a tissue: both ways between tumour and niche, amplified, and far away."""

import pytest

from tme_sim.model.tumor import TumorMicroenvironment

# A strip: the tumour at its left end, fibroblasts everywhere, vessels along it; half a day.
STRIP = (
    "grid.size=[1 mm, 200 um]",
    "vessels.spacing=80 um",
    "tissue.tumour.nodules=[{centre: [120 um, 100 um], radius: 90 um, filling: 90 %}]",
    "tissue.fibroblast.density=10 %",
    "time.step=12 min",
)


def after_hours(hours, *overrides):
    model = TumorMicroenvironment("lung_angiogenesis", [*STRIP, *overrides])
    for _ in range(int(hours * 5)):
        model.step()
    return model


def taken(model, pool, donor, recipient):
    """Return how many vesicles of a pool cells of one type have taken up from another."""
    layout, flux = model.tissue.layout, model.tissue.ledger.flux
    return flux[layout.pools.index(pool), layout.cell_types.index(donor), layout.cell_types.index(recipient)]


def mean_of(model, variable, kind, beyond_um=0.0):
    """Return the mean of a variable over living cells of a type to the right of a place."""
    tissue = model.tissue
    rows = tissue.cells.of_type(kind)
    x = tissue.grid.positions_um(tissue.cells["site"][rows])[:, 0]
    column = tissue.layout.variables.index(variable)
    return float(tissue.cells["variables"][rows, column][x > beyond_um].mean())


@pytest.fixture(scope="module")
def strip():
    return after_hours(60)


def test_tumour_cells_take_up_each_others_exosomes(strip):
    """S1-02."""
    assert taken(strip, "tumour_exosome", "tumour", "tumour") > 100
    deaf = after_hours(6, "interventions.deaf_tumour.active=true")
    assert taken(deaf, "tumour_exosome", "tumour", "tumour") == 0


def test_tumour_and_niche_send_to_each_other(strip):
    """S4-01."""
    assert taken(strip, "tumour_exosome", "tumour", "fibroblast") > 100
    assert taken(strip, "fibroblast_exosome", "fibroblast", "tumour") > 100


def test_fibroblasts_send_more_than_they_were_sent(strip):
    """S2-01: the relay amplifies."""
    released = strip.tissue.ledger.pools[strip.tissue.layout.pools.index("fibroblast_exosome"), 0]
    assert released > taken(strip, "tumour_exosome", "tumour", "fibroblast")


def test_without_jak2_fibroblasts_are_silent(strip):
    """S2-02, and its control: everything stands but the kinase."""
    pool = strip.tissue.layout.pools.index("fibroblast_exosome")
    cut = after_hours(12, "interventions.jak2_inhibitor.active=true")
    assert strip.tissue.ledger.pools[pool, 0] > 0.0
    assert cut.tissue.ledger.pools[pool, 0] == 0.0


def test_exosomes_that_travel_with_the_blood_prepare_distant_stroma():
    """S4-04: half a millimetre from the tumour, and only if vesicles come back through vessels."""
    far = [
        mean_of(
            after_hours(24, f"vesicles.tumour_exosome.recirculates={share} %"), "CAF", "fibroblast", 700.0
        )
        for share in (0, 100)
    ]
    assert far[1] > 2.0 * far[0]


def test_recirculated_vesicles_stay_in_the_books():
    model = after_hours(6, "vesicles.tumour_exosome.recirculates=100 %")
    ledger = model.tissue.ledger.pools[model.tissue.layout.pools.index("tumour_exosome")]
    assert ledger[4] == 0.0


def test_exosomes_of_tumour_and_fibroblasts_turn_myeloid_cells_and_bring_what_digests_matrix(strip):
    """S2-03, S2-07, S2-08: beside their cells, in the same tissue."""
    mute = after_hours(
        24,
        "interventions.block_tumour_exosomes.active=true",
        "interventions.block_fibroblast_exosomes.active=true",
    )
    for kind in ("macrophage", "neutrophil"):
        assert mean_of(mute, "polarisation", kind) == 0.0
        assert mean_of(strip, "polarisation", kind) > 0.001
    assert mute.tissue.field("mmp").max() == 0.0
    assert strip.tissue.field("mmp").max() > 0.0
