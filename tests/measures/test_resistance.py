import numpy as np
import pytest

from tests.measures.made_assay import EXPOSURE, assay_of, tumour
from tests.rules.made_physiology import BASE, acts, made_physiology
from tme_sim.measures import resistance
from tme_sim.measures.measure import Context
from tme_sim.measures.registry import measures_for
from tme_sim.measures.resistance import EXTRA, assess, by_table
from tme_sim.model.tumor import TumorMicroenvironment

PLAIN = made_physiology()


def assessed(physiology, n=1, *, base=None, normoxia=40.0, **state):
    """Return the assessment of cells in a state: fields and variables by name, all else naive."""
    tissue = tumour(n, **state)
    return assess(assay_of(physiology, normoxia=normoxia), EXPOSURE, tissue, np.arange(n))


def test_naive_cell_has_a_ratio_of_one_in_every_respect():
    found = assessed(PLAIN, oxygen=40.0)
    for name in ("ratio", "ratio_own_oxygen", "ratio_cellular", "ratio_kinetic"):
        assert getattr(found, name).item() == pytest.approx(1.0, abs=1e-12)
    assert found.survival.item() == pytest.approx(found.naive_survival, rel=1e-12)
    assert not found.resistant.any()


def test_arrested_cell_is_resistant_by_kinetics_alone():
    physiology = made_physiology(acts("il6", "cycle entry", 0.0, up=False, half_max=1e-6))
    found = assessed(physiology, oxygen=40.0, il6=1.0)
    assert found.ratio_kinetic.item() < 0.01
    assert found.ratio_cellular.item() == pytest.approx(1.0, abs=1e-9)
    assert found.resistant.all()


def test_cell_with_more_efflux_is_resistant_in_itself_alone():
    physiology = made_physiology(acts("il6", "efflux D", 100 * BASE["efflux D"], half_max=1e-6))
    found = assessed(physiology, oxygen=40.0, il6=1.0)
    assert found.ratio_cellular.item() == pytest.approx(found.ratio.item(), rel=1e-12)
    assert found.ratio.item() < 0.1
    assert found.ratio_kinetic.item() == pytest.approx(1.0, abs=1e-9)


def test_hypoxic_naive_cell_is_protected_against_normoxia_but_not_against_itself():
    physiology = made_physiology(
        acts("oxygen", "cycle entry", 0.09 / 60, half_max=10.0), base={"cycle entry": 0.0}
    )
    found = assessed(physiology, oxygen=2.0)
    assert found.ratio.item() < 0.5
    assert found.ratio_own_oxygen.item() == pytest.approx(1.0, abs=1e-6)
    assert found.resistant.all()
    assert not found.resistant_own_oxygen.any()


def test_restored_cell_is_resistant_against_naive_at_its_oxygen_only():
    # Hypoxia doubles killing; il6 takes that back to what it is in normoxia.
    kill = 4 * BASE["death from D"]
    physiology = made_physiology(
        acts("A", "death from D", kill),
        acts("oxygen", "A", 0.0, up=False, half_max=5.0, hill=4.0),
        acts("il6", "death from D", BASE["death from D"], up=False, half_max=1e-6),
        base={"A": 1.0},
    )
    found = assessed(physiology, oxygen=0.1, il6=1.0, A=1.0)
    assert found.ratio.item() == pytest.approx(1.0, abs=0.02)
    assert found.ratio_own_oxygen.item() < 0.7


def test_drug_that_does_not_kill_the_naive_cell_leaves_a_ratio_of_one():
    found = assessed(made_physiology(base={"death from D": 0.0}), oxygen=40.0)
    assert found.ratio.item() == 1.0


def test_nothing_is_assessed_of_no_cells():
    found = assessed(PLAIN, n=0)
    assert found.ratio.size == 0
    assert np.isnan(found.naive_survival)


def test_many_cells_are_assessed_as_each_one_alone():
    physiology = made_physiology(
        acts("oxygen", "cycle entry", 0.09 / 60, half_max=4.0),
        acts("oxygen", "A", 1.0, half_max=8.0, hill=4.0),
        acts("A", "death from D", 0.0, up=False, half_max=0.6, hill=4.0),
        acts("il6", "efflux D", 1.0, half_max=3.0),
        base={"cycle entry": 0.0},
    )
    n = 2 * resistance.TABLE_POINTS
    rng = np.random.default_rng(1)
    state = {"oxygen": 60 * rng.random(n) ** 3, "il6": rng.random(n), "A": rng.random(n)}
    together = assessed(physiology, n, **state)
    for k in range(0, n, 31):
        alone = assessed(physiology, **{name: values[k] for name, values in state.items()})
        assert together.ratio[k] == pytest.approx(alone.ratio.item(), rel=1e-12)
        assert together.ratio_kinetic[k] == pytest.approx(alone.ratio_kinetic.item(), abs=1e-3)
        assert together.ratio_own_oxygen[k] == pytest.approx(alone.ratio_own_oxygen.item(), rel=0.01)


def test_table_reads_each_type_from_its_own_function():
    rng = np.random.default_rng(0)
    kind, x = rng.integers(0, 2, 2000).astype(np.int16), 40 * rng.random(2000)

    def function(kind, x):
        return (1 + kind) * x / (2.0 + x)

    assert np.abs(by_table(function, kind, x) - function(kind, x)).max() < 1e-4


def test_table_of_equal_values_is_their_value():
    x = np.full(2000, 7.0)
    assert np.array_equal(by_table(lambda kind, x: x**2, np.zeros(2000, np.int16), x), x**2)


@pytest.fixture(scope="module")
def flagship():
    return TumorMicroenvironment(
        "s0_relay",
        [
            "grid.size=[400 um, 400 um]",
            "tissue.tumour.nodules=[{centre: middle, radius: 100 um, filling: 90 %}]",
        ],
    )


@pytest.mark.parametrize("name", ["s0_relay", "liver_metastasis"])
def test_naive_lovo_cell_survives_its_ic50_by_one_half(name):
    # SN38, 24 h, LoVo: 8.25 nM (doi:10.1007/s00280-001-0416-0); 15 % is the scenario's own margin.
    model = TumorMicroenvironment(
        name, ["grid.size=[400 um, 400 um]", "tissue.tumour.nodules.0.radius=100 um"]
    )
    assay = model.assay
    exposure = assay.exposures[0]
    assert (exposure.dose_nm, exposure.on_min, exposure.follow_min) == (8.25, 1440.0, 4320.0)
    kind = np.array([model.tissue.layout.cell_types.index("tumour")], np.int16)
    naive = assay.parameters(exposure, assay.naive_behaviours(kind))
    assert np.exp(-assay.log_kill(exposure, naive, kind)).item() == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize(
    ("more", "supplied"),
    [
        ((), 2.0),
        (("fields.egf.interstitial=true",), 0.0),
        (("cells.hsc.base.secretion egf=1 molecules/s",), 0.0),
        (("vesicles.tumour_normoxic_exosome.frees={egf: 1}",), 0.0),
    ],
)
def test_naive_cell_has_what_medium_supplies_but_no_factor_it_starts_with(more, supplied):
    model = TumorMicroenvironment(
        "dish",
        [
            "grid.size=[200 um, 200 um]",
            "fields.SN38.start=8 nM",
            "fields.il6.start=2 nM",
            "fields.il6.interstitial=false",  # a rule lets stellate cells secrete it
            "fields.egf={unit: nM, diffusion: 100 um^2/s, start: 2 nM}",
            *more,
        ],
    )
    naive = dict(zip(model.tissue.layout.fields, model.assay.naive_fields, strict=True))
    expected = {"oxygen": 40.0, "glucose": 25e6, "lactate": 0.0, "SN38": 0.0, "il6": 0.0, "egf": supplied}
    assert naive == pytest.approx(expected)


def test_measures_are_worked_out_only_when_due(flagship):
    measure = measures_for(flagship.tissue.layout)["resistant_fraction_SN38"]
    assert not np.isnan(measure.of(flagship.tissue, flagship.measure_context))
    flagship.tissue.clock.step += 1
    assert np.isnan(measure.of(flagship.tissue, flagship.measure_context))
    flagship.tissue.clock.step -= 1


def test_without_an_assay_resistance_is_unknown(flagship):
    assert EXTRA in flagship.measure_context.extras
    measure = measures_for(flagship.tissue.layout)["mean_resistance_SN38"]
    assert np.isnan(measure.of(flagship.tissue, Context()))


def test_measuring_changes_nothing(flagship):
    tissue = flagship.tissue
    before = [tissue.fields.tobytes(), tissue.cells["variables"].tobytes(), tissue.ledger.drugs.tobytes()]
    for measure in measures_for(tissue.layout).values():
        measure.of(tissue, flagship.measure_context)
    assert before == [
        tissue.fields.tobytes(),
        tissue.cells["variables"].tobytes(),
        tissue.ledger.drugs.tobytes(),
    ]
