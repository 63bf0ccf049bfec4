"""Drug that tissue binds outside cells: it is stored, does not move, and leaves levels at rest as they are.

With the share f unbound, f⁻¹ ∂u/∂t = ∇·(D ∇u) + e (P − u): a diffusion coefficient of f D and an exchange of f e
(Crank 1975, The Mathematics of Diffusion, section 14.2).
"""

import numpy as np
import pytest
from made_matter import drug_field, fields_of, made_context, made_layout, made_matter
from scipy.special import erfc

from tme_sim.measures.balance import drug_imbalance
from tme_sim.measures.measure import Context as MeasureContext
from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.processes.acts import replace_field
from tme_sim.processes.drugs import Drugs, DrugSpec
from tme_sim.processes.fate import release_contents
from tme_sim.scenario.load import load_scenario
from tme_sim.state.codes import APOPTOSIS
from tme_sim.state.ledger import DRUG_ACCOUNTS

LAYOUT = made_layout(fields=("D",), drugs=("D",))
E = 0.05


def in_a_vessel(unbound, *, dt_min, minutes):
    """Return the level at the one site of a tissue, all of it vessel with plasma at 10 nM."""
    tissue = made_matter(LAYOUT, (1, 1, 1), dt_min=dt_min)
    tissue.unbound = (unbound,)
    tissue.vessel[:], tissue.plasma[:] = 1.0, 10.0
    fields = fields_of(tissue, [drug_field("D", exchange_per_min=E, unbound=unbound)], {}, tolerance=1e-12)
    for _ in range(round(minutes / dt_min)):
        fields.step(tissue, made_context(tissue, {}))
    assert abs(drug_imbalance(0, tissue, MeasureContext())) < 1e-12
    return tissue.fields.item()


@pytest.mark.parametrize("unbound", [1.0, 0.2, 0.01])
def test_tissue_fills_slower_by_the_unbound_share(unbound):
    level = in_a_vessel(unbound, dt_min=0.05, minutes=60.0)
    assert level == pytest.approx(10.0 * -np.expm1(-unbound * E * 60.0), rel=2e-3)


@pytest.mark.parametrize("unbound", [1.0, 0.2])
def test_level_at_rest_is_that_of_free_plasma_whatever_is_bound(unbound):
    """Kp,uu is 1 where nothing but exchange with blood acts."""
    assert in_a_vessel(unbound, dt_min=60.0, minutes=1e5) == pytest.approx(10.0, rel=1e-9)


@pytest.mark.parametrize("unbound", [1.0, 0.25])
def test_front_moves_as_with_a_smaller_diffusion_coefficient(unbound):
    """A half-space whose face is held at 1: u = erfc(x/(2 √(f D t)))."""
    dt_min, minutes = 0.02, 10.0
    tissue = made_matter(LAYOUT, (1, 1, 60), dt_min=dt_min)
    tissue.unbound = (unbound,)
    fields = fields_of(
        tissue, [drug_field("D", boundary={"x_low": 1.0}, unbound=unbound)], {}, tolerance=1e-9
    )
    for _ in range(round(minutes / dt_min)):
        fields.step(tissue, made_context(tissue, {}))
    x_um = (np.arange(60) + 0.5) * 20.0
    closed = erfc(x_um / (2.0 * np.sqrt(unbound * 600.0 * minutes)))
    assert np.abs(tissue.fields[0, 0, :, 0] - closed).max() < 0.01


def test_book_closes_with_uptake_death_and_wash_out():
    """What the dead release and what a wash-out takes is counted with what is bound."""
    rates = {"influx D": 0.06, "efflux D": 0.05, "metabolism D": 0.01, "damage by D": 0.0, "repair of D": 0.0}
    tissue = made_matter(LAYOUT, (1, 6, 6), np.arange(0, 36, 2))
    tissue.unbound = (0.1,)
    tissue.vessel[0, 3, 3], tissue.plasma[:] = 1.0, 8.0
    spec = drug_field("D", exchange_per_min=5.0, decay_per_min=0.001, unbound=0.1)
    fields = fields_of(tissue, [spec], rates, tolerance=1e-6)
    drugs = Drugs([DrugSpec("D", 0, 8.0, 1.5, 2.0, (True,) * 4)])
    for step in range(40):
        context = made_context(tissue, rates)
        fields.step(tissue, context)
        drugs.step(tissue, context)
        if step == 20:
            rows = np.arange(5)
            tissue.cells["death"][rows] = APOPTOSIS
            before = tissue.fields.sum()
            held = tissue.cells["drug"][rows].sum()
            release_contents(tissue, rows, np.array([0]))
            assert tissue.fields.sum() - before == pytest.approx(0.1 * held)
        if step == 30:
            left = tissue.ledger.drugs[0, DRUG_ACCOUNTS.index("left_boundary")]
            amount = 0.5 * tissue.fields.sum() / 0.1
            replace_field(tissue, 0, 0, 0.0, 0.5)
            assert tissue.ledger.drugs[0, DRUG_ACCOUNTS.index("left_boundary")] - left == pytest.approx(
                amount
            )
        assert abs(drug_imbalance(0, tissue, MeasureContext())) < 1e-9
        tissue.clock.step += 1


@pytest.mark.parametrize(
    ("name", "matrix", "share"),
    [
        ("s0_relay", "tissue: 20 %", 0.2),
        ("dish", "medium: 20 %", 0.2),
        ("dish", "medium: 1, tissue: 20 %", 1.0),
    ],
)
def test_scenario_says_what_its_matrix_leaves_unbound(name, matrix, share):
    small = ["grid.size=[200 um, 200 um]", "fields.SN38.start=5 nM", f"drugs.SN38.unbound={{{matrix}}}"]
    if name == "s0_relay":
        small.append("tissue.tumour.nodules.0.radius=40 um")
    model = TumorMicroenvironment(name, small)
    tissue, column = model.tissue, model.tissue.layout.fields.index("SN38")
    assert tissue.capacity(column) == pytest.approx(tissue.grid.fluid_sites / share)
    for _ in range(5):
        model.step()
    book = measures_for(tissue.layout)["SN38_imbalance"]
    assert tissue.field("SN38").sum() > 0.0
    assert abs(book.of(tissue, model.measure_context)) < 1e-9


@pytest.mark.parametrize(("override", "tissue"), [((), 1.0), (("drugs.sorafenib.unbound.tissue=10 %",), 0.1)])
def test_one_number_is_for_plasma_and_medium_alone(override, tissue):
    """Plasma binds sorafenib two hundredfold; that says nothing of the tissue, which has a number of its own."""
    unbound = load_scenario("hcc_sorafenib", override).drugs["sorafenib"].unbound
    found = tuple(float(getattr(unbound, matrix)) for matrix in ("plasma", "medium", "tissue"))
    assert found == (0.005, 0.005, tissue)
