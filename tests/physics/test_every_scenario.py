"""Every scenario of the package, on a smaller grid: books, ranges, one cell per site, nothing below zero."""

import numpy as np
import pytest

from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.resources import data_dir
from tme_sim.scenario.load import load_scenario
from tme_sim.state.ledger import DRUG_ACCOUNTS, FIELD_ACCOUNTS

NAMES = sorted(file.stem for file in data_dir("configs").glob("*.yaml"))
STEPS, LARGEST_UM = 40, 300.0


def smaller(name):
    """Return overrides that cut a scenario's grid to 300 µm and its nodules to 60 µm, and give drugs from the start."""
    scenario = load_scenario(name)
    size = [
        min(float(length), LARGEST_UM) // scenario.grid.spacing * scenario.grid.spacing
        for length in scenario.grid.size
    ]
    overrides = [f"grid.size=[{', '.join(f'{length:g} um' for length in size)}]"]
    for kind, placement in scenario.tissue.placements.items():
        for i, nodule in enumerate(placement.nodules):
            radius = min(float(nodule.radius), 60.0)
            overrides += [
                f"tissue.{kind}.nodules.{i}.centre=middle",
                f"tissue.{kind}.nodules.{i}.radius={radius} um",
            ]
    given = [name for name, drug in scenario.drugs.items() if drug.schedule]
    return overrides + [f"drugs.{name}.schedule.0.from=0 d" for name in given]


def lived(name, steps, *overrides):
    model = TumorMicroenvironment(name, [*smaller(name), *overrides])
    while model.clock.step < steps:
        model.step()
    return model


@pytest.fixture(scope="module", params=NAMES)
def run(request):
    return lived(request.param, STEPS)


def open_books(model):
    """Return the books of vesicles, drugs, bodies and transient fields that do not close to 1e-9."""
    context, measures = model.measure_context.fresh(), measures_for(model.tissue.layout)
    return {
        name: value
        for name, measure in measures.items()
        if name.endswith("_imbalance") and abs(value := measure.of(model.tissue, context)) > 1e-9
    }


def test_books_close(run):
    layout = run.tissue.layout
    known = measures_for(layout)
    stored = [name for name, spec in run.config.fields.items() if spec.solve != "steady"]
    assert {f"{name}_imbalance" for name in (*layout.pools, *layout.drugs, *stored)} <= set(known)
    assert open_books(run) == {}


def test_drugs_that_are_given_are_in_the_books(run):
    given = [name for name, drug in run.config.drugs.items() if drug.schedule]
    supplied = run.tissue.ledger.drugs[:, DRUG_ACCOUNTS.index("supplied")]
    assert all(supplied[run.tissue.layout.drugs.index(name)] > 0.0 for name in given)


def test_books_of_transient_fields_close(run):
    check_transient_fields(run)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_all_books_close_over_a_whole_run(name):
    """Drugs come and go, cells die and are born; with the vesicles' doses of the scenario switched on."""
    acts = load_scenario(name).interventions.items()
    doses = [f"interventions.{key}.active=true" for key, act in acts if act.kind == "give_vesicles"]
    model = lived(name, load_scenario(name).time.n_steps, *doses)
    assert open_books(model) == {}
    check_transient_fields(model)


def check_transient_fields(run):
    """Start + secreted + supplied = present + consumed + decayed + left + neutralised, amounts in sites times level."""
    tissue, fields = run.tissue, run.config.fields
    for column, (name, spec) in enumerate(fields.items()):
        if spec.solve == "steady":
            continue
        account = dict(zip(FIELD_ACCOUNTS, tissue.ledger.fields[column], strict=True))
        sites = tissue.grid.n_sites * tissue.grid.fluid_sites
        entered = float(spec.start) * sites + account.pop("secreted") + account.pop("supplied")
        present = tissue.field(name).sum() * tissue.grid.fluid_sites
        assert present + sum(account.values()) == pytest.approx(entered, rel=1e-9, abs=1e-300), name


def test_variables_stay_in_their_range(run):
    values = run.tissue.cells["variables"]
    assert np.all((values >= 0.0) & (values <= 1.0))


def test_no_amount_is_negative_or_unknown(run):
    tissue = run.tissue
    for amounts in (
        tissue.fields,
        tissue.pools,
        *(tissue.cells[name] for name in ("cargo", "docked", "drug", "damage")),
    ):
        assert np.all(np.isfinite(amounts))
        assert np.all(amounts >= 0.0)


def test_a_site_holds_one_cell(run):
    cells = run.tissue.cells
    assert len(np.unique(cells["site"])) == cells.n
    assert np.array_equal(cells.occupant[cells["site"]], np.arange(cells.n))


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name != "first_steps"]
)  # a lesson, all of it made up
def test_scenario_states_what_is_calibrated_assumed_and_unknown(name):
    scenario = load_scenario(name)
    assert "calibrated" in scenario.model_fields_set
    assert scenario.assumed
    assert scenario.unknown


@pytest.mark.parametrize("file", sorted(data_dir("configs").rglob("*.yaml")), ids=lambda file: file.stem)
def test_a_file_is_short_enough_to_be_read_aloud(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) < 150
