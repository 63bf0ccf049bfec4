"""Every scenario of the package, on a smaller grid: books, ranges, one cell per site, nothing below zero."""

import numpy as np
import pytest

from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.resources import data_dir
from tme_sim.scenario.load import load_scenario
from tme_sim.state.ledger import FIELD_ACCOUNTS

NAMES = sorted(file.stem for file in data_dir("configs").glob("*.yaml"))
STEPS, LARGEST_UM = 40, 300.0


def smaller(name):
    """Return overrides that cut a scenario's grid to 300 µm and its nodules to 60 µm."""
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
    return overrides


@pytest.fixture(scope="module", params=NAMES)
def run(request):
    model = TumorMicroenvironment(request.param, smaller(request.param))
    for _ in range(STEPS):
        model.step()
    return model


def test_books_close(run):
    context = run.measure_context.fresh()
    measures = measures_for(run.tissue.layout)
    open_books = {
        name: value
        for name, measure in measures.items()
        if name.endswith("_imbalance") and abs(value := measure.of(run.tissue, context)) > 1e-9
    }
    assert open_books == {}


def test_books_of_transient_fields_close(run):
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


@pytest.mark.parametrize("file", sorted(data_dir("configs").rglob("*.yaml")), ids=lambda file: file.stem)
def test_a_file_is_short_enough_to_be_read_aloud(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) < 150
