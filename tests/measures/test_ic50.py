import numpy as np
import pytest

from tests.measures.made_assay import EXPOSURE, assay_of, tumour
from tests.rules.made_physiology import BASE, acts, made_physiology
from tme_sim.measures import ic50, resistance
from tme_sim.measures.ic50 import folds, ic50_nm, median
from tme_sim.measures.measure import Context
from tme_sim.measures.registry import cell_columns_for, measures_for
from tme_sim.measures.resistance import EXTRA
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.reader import open_run
from tme_sim.record.session import recorder_of
from tme_sim.record.writer import write_run

FAST = {**BASE, "efflux D": 40 / 60, "influx D": 40 / 60}
SLOWED = acts("il6", "cycle entry", 0.0, up=False, half_max=1e-6)
HALVED = acts("il6", "influx D", 0.5 * BASE["influx D"], up=False, half_max=1e-6)
BREATHES = acts("oxygen", "cycle entry", 0.09 / 60, half_max=10.0)
KILLED = acts("il6", "death from D", 0.5, half_max=1e-6)


def found(physiology, n=1, **state):
    """Return the folds of cells in a state: fields and variables by name, all else naive."""
    return folds(assay_of(physiology), EXPOSURE, tumour(n, **state), np.arange(n))


def test_naive_cell_has_a_fold_of_one():
    naive = found(made_physiology(), oxygen=40.0)
    assert naive.fold.item() == pytest.approx(1.0, rel=2e-3)
    assert naive.fold_own_oxygen.item() == pytest.approx(1.0, rel=2e-3)


def test_half_the_influx_doubles_the_fold():
    assert found(made_physiology(HALVED), oxygen=40.0, il6=1.0).fold.item() == pytest.approx(2.0, rel=2e-3)


def test_twice_the_efflux_doubles_the_fold_of_a_drug_at_rest():
    more = acts("il6", "efflux D", 2 * FAST["efflux D"], half_max=1e-6)
    cell = found(made_physiology(more, base=FAST), oxygen=40.0, il6=1.0)
    assert cell.fold.item() == pytest.approx(80.1 / 40.1, rel=5e-3)


def test_arrested_cell_has_an_infinite_fold():
    assert found(made_physiology(SLOWED), oxygen=40.0, il6=1.0).fold.item() == np.inf


def test_hypoxic_naive_cell_has_a_fold_of_one_at_its_own_oxygen_only():
    cell = found(made_physiology(BREATHES, base={"cycle entry": 0.0}), oxygen=12.0)
    assert cell.fold.item() > 1.2
    assert cell.fold_own_oxygen.item() == pytest.approx(1.0, rel=2e-3)


def test_fold_is_zero_or_undefined_where_no_dose_kills_half_of_naive_cells():
    physiology = made_physiology(KILLED, base={"death from D": 0.0})
    assert found(physiology, oxygen=40.0, il6=1.0).fold.item() == 0.0
    assert np.isnan(found(physiology, oxygen=40.0).fold.item())


def test_fold_is_zero_where_no_dose_kills_half_of_naive_cells_at_the_same_oxygen():
    driven = acts("il6", "cycle entry", 0.09 / 60, half_max=1e-6)
    cell = found(made_physiology(BREATHES, driven, base={"cycle entry": 0.0}), oxygen=0.01, il6=1.0)
    assert cell.fold.item() == pytest.approx(1.0, rel=0.1)
    assert cell.fold_own_oxygen.item() == 0.0


def test_many_cells_have_the_folds_of_each_alone():
    physiology = made_physiology(BREATHES, HALVED, base={"cycle entry": 0.0})
    n = 2 * resistance.TABLE_POINTS
    rng = np.random.default_rng(2)
    oxygen, il6 = 60 * rng.random(n), 1e-6 * rng.random(n)
    together = found(physiology, n, oxygen=oxygen, il6=il6)
    for k in range(0, n, 41):
        alone = found(physiology, oxygen=oxygen[k], il6=il6[k])
        assert together.fold[k] == alone.fold.item()
        assert together.fold_own_oxygen[k] == pytest.approx(
            alone.fold_own_oxygen.item(), rel=0.01, nan_ok=True
        )


def test_ic50_of_a_naive_cell_kills_half_of_it():
    assay, kind = assay_of(made_physiology()), np.zeros(1, np.int16)
    naive = assay.parameters(EXPOSURE, assay.naive_behaviours(kind))
    dose = ic50_nm(assay, EXPOSURE, naive, kind, np.array([8.0])).item()
    at_dose = resistance.ReferenceExposure(**{**vars(EXPOSURE), "dose_nm": dose})
    assert np.exp(-assay.log_kill(at_dose, naive, kind)).item() == pytest.approx(0.5, rel=1e-3)


def test_nothing_is_worked_out_of_no_cells():
    assert found(made_physiology(), 0).fold.size == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, np.inf, np.nan, 3.0], 3.0),
        ([1.0, np.inf], np.inf),
        ([2.0, 1.0, np.inf], 2.0),
        ([np.inf] * 2, np.inf),
    ],
)
def test_median_counts_infinite_folds_as_above_every_number(values, expected):
    assert median(np.array(values)) == expected


def test_median_of_nothing_known_is_unknown():
    assert np.isnan(median(np.array([np.nan])))
    assert np.isnan(median(np.zeros(0)))


@pytest.fixture(scope="module")
def mixed():
    """Return a tumour of 900 cells, one third of them with half the influx, and what measures know of it."""
    physiology = made_physiology(HALVED)
    tissue = tumour(900, oxygen=40.0, il6=np.where(np.arange(900) % 3 == 0, 1.0, 0.0))
    tissue.vessel_distance_um.reshape(-1)[tissue.cells["site"]] = np.where(
        np.arange(900) % 3 == 0, 90.0, 10.0
    )
    return tissue, Context(extras={EXTRA: assay_of(physiology)})


def test_medians_tell_the_rim_from_the_rest(mixed):
    tissue, context = mixed
    measures = measures_for(tissue.layout)
    values = {n: measures[f"median_ic50_fold{n}_D"].of(tissue, context) for n in ("", "_rim", "_perfused")}
    assert values == pytest.approx({"": 1.0, "_rim": 2.0, "_perfused": 1.0}, rel=2e-3)
    assert measures["median_ic50_fold_D"].unit == "1"
    assert measures["median_ic50_fold_own_oxygen_rim_D"].of(tissue, context) == pytest.approx(2.0, rel=2e-3)


def test_frames_have_every_cell_and_the_series_a_sample(mixed):
    tissue, context = mixed
    column = cell_columns_for(tissue.layout)["ic50_fold_D"].function
    whole = column(tissue, Context(extras=context.extras, complete=True))
    assert np.isfinite(whole).all()
    assert np.allclose(whole, np.where(np.arange(900) % 3 == 0, 2.0, 1.0), rtol=2e-3)
    assert np.isfinite(column(tissue, context.fresh())).sum() == ic50.SAMPLE


def test_folds_of_a_run_are_in_its_file_with_their_units(tmp_path):
    model = TumorMicroenvironment(
        "s0_relay", ["grid.size=[400 um, 400 um]", "tissue.tumour.nodules.0.radius=100 um"]
    )
    recorder = recorder_of(model)
    recorder.start(model)
    write_run(recorder.finish(), tmp_path / "run.h5")
    with open_run(tmp_path / "run.h5") as run:
        alive = run.cells().query("type == 'tumour' and death == 'alive'")
        others = run.cells().query("type != 'tumour'")
        series, units = run.timeseries, run.timeseries.attrs["units"]
        assert run.cells().attrs["units"]["ic50_fold_SN38"] == "1"
    for name in ("ic50_fold_SN38", "ic50_fold_own_oxygen_SN38"):
        assert units[f"median_{name}"] == "1"
        assert series[f"median_{name}"].iloc[-1] == pytest.approx(alive[name].median(), rel=1e-6)
        assert 0.8 < alive[name].median() < 2.0
        assert others[name].isna().all()
