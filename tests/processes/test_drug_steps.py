import numpy as np
import pytest
from made_matter import drug_field, fields_of, made_context, made_layout, made_matter

from tme_sim.measures.balance import drug_imbalance
from tme_sim.measures.measure import Context as MeasureContext
from tme_sim.processes.drugs import Drugs, DrugSpec
from tme_sim.processes.fate import release_contents
from tme_sim.state.codes import APOPTOSIS, G1, G2M, NO_CYCLE, S

LAYOUT = made_layout(fields=("D",), drugs=("D",))
RATES = {
    "influx D": 0.06, "efflux D": 0.05, "metabolism D": 0.01, "damage by D": 0.003, "repair of D": 0.0005,
}  # fmt: skip


def spec(**changes):
    plain = {
        "name": "D",
        "field": 0,
        "half_max_nm": 8.0,
        "hill": 1.5,
        "lethal_hill": 2.0,
        "acts_in": (True,) * 4,
    }
    return DrugSpec(**{**plain, **changes})


def held_alone(outside, *, dt_min, minutes, stage=S, **changes):
    """Return a cell in a bath of constant drug after some time."""
    tissue = made_matter(LAYOUT, (1, 1, 1), [0], dt_min=dt_min)
    tissue.cells["stage"][:] = stage
    drugs = Drugs([spec(**changes)])
    for _ in range(round(minutes / dt_min)):
        tissue.fields[:] = outside
        drugs.step(tissue, made_context(tissue, RATES))
    return tissue


def test_drug_held_follows_its_equation_at_small_steps():
    tissue = held_alone(10.0, dt_min=0.02, minutes=20.0)
    assert tissue.cells["drug"].item() == pytest.approx(0.06 * 10 / 0.06 * -np.expm1(-0.06 * 20), rel=1e-3)


@pytest.mark.parametrize("dt_min", [1.0, 60.0])
def test_drug_held_settles_at_influx_over_loss_for_every_step(dt_min):
    tissue = held_alone(10.0, dt_min=dt_min, minutes=6000.0)
    assert tissue.cells["drug"].item() == pytest.approx(0.06 * 10 / 0.06, rel=1e-9)


def test_drug_metabolised_is_its_rate_times_exposure():
    tissue = held_alone(10.0, dt_min=6.0, minutes=600.0)
    exposure = tissue.cells["exposure"].item()
    assert tissue.ledger.drugs[0, 1] == pytest.approx(0.01 * exposure, rel=1e-12)
    assert exposure == pytest.approx(10.0 * 600.0 - 10.0 / 0.06, rel=0.03)


@pytest.mark.parametrize("stage", [G1, S, G2M, NO_CYCLE])
def test_damage_is_done_in_the_sensitive_stage_alone(stage):
    for sensitive in (G1, S, G2M, NO_CYCLE):
        acts = tuple(k == sensitive for k in range(4))
        damage = held_alone(8.0, dt_min=6.0, minutes=60.0, stage=stage, acts_in=acts).cells["damage"].item()
        assert (damage > 0.0) == (stage == sensitive)


def test_damage_in_a_bath_settles_where_gain_equals_repair():
    damage = held_alone(8.0, dt_min=1.0, minutes=20000.0).cells["damage"].item()
    assert damage == pytest.approx(0.003 * 0.5 / 0.0005, rel=1e-3)


def test_damage_outlasts_the_drug_with_the_half_life_of_repair():
    tissue = held_alone(8.0, dt_min=6.0, minutes=1440.0)
    drugs = Drugs([spec()])

    def wash(minutes):
        for _ in range(round(minutes / 6.0)):
            tissue.fields[:] = 0.0
            drugs.step(tissue, made_context(tissue, RATES))
        return tissue.cells["drug"].item(), tissue.cells["damage"].item()

    held, first = wash(600.0)
    assert held < 1e-9
    _, second = wash(1386.0)
    assert second / first == pytest.approx(np.exp(-0.0005 * 1386.0), rel=1e-6)
    assert second / first == pytest.approx(0.5, rel=1e-3)


def test_response_is_half_at_damage_one():
    tissue = made_matter(LAYOUT, (1, 1, 3), [0, 1, 2])
    tissue.cells["damage"][:, 0] = (0.0, 1.0, 3.0)
    assert np.allclose(Drugs([spec()]).responses(tissue)[:, 0], (0.0, 0.5, 0.9))


def dosed(*, steps=120, shuffle=False, vessel=True, **field):
    """Return tissue that was dosed through a vessel, then washed out, with cells dying on the way."""
    tissue = made_matter(LAYOUT, (1, 10, 10), np.arange(0, 100, 2))
    tissue.vessel[0, 3, 3] = float(vessel)
    behaviours = {**RATES, "secretion D": 0.0, **field.pop("behaviours", {})}
    fields = fields_of(tissue, [drug_field("D", exchange_per_min=5.0, **field)], behaviours, tolerance=1e-6)
    drugs, order = Drugs([spec()]), np.random.default_rng(1)
    for step in range(steps):
        if shuffle:
            tissue.cells.permute(order.permutation(tissue.cells.n))
        tissue.plasma[:] = 8.0 if step < 40 else 0.0
        context = made_context(tissue, behaviours)
        context.extra_decay[:] = 0.01
        fields.step(tissue, context)
        drugs.step(tissue, context)
        if step % 7 == 3:
            row = tissue.cells.rows_of(np.array([step % 50 + 1]))
            tissue.cells["death"][row] = APOPTOSIS
            release_contents(tissue, row, np.array([0]))
        assert abs(drug_imbalance(0, tissue, MeasureContext())) < 1e-9
        tissue.clock.step += 1
    return tissue


def test_drug_book_closes_at_every_step_of_dosing_and_wash_out():
    book = dosed(decay_per_min=0.001, boundary={"x_low": 0.0}, background_uptake=0.002).ledger.drugs[0]
    assert (book > 1.0).all()


def test_drug_book_closes_with_drug_made_by_cells_and_let_in_by_a_face():
    tissue = dosed(vessel=False, boundary={"y_low": 4.0}, behaviours={"secretion D": 0.2})
    assert tissue.ledger.drugs[0, 0] > 0.2 * 6.0 * 50


def test_drug_book_does_not_depend_on_row_order():
    a, b = dosed(), dosed(shuffle=True)
    assert a.ledger.drugs.tobytes() == b.ledger.drugs.tobytes()
    assert a.fields.tobytes() == b.fields.tobytes()


def test_lost_drug_shows_in_the_balance():
    tissue = dosed(steps=30)
    tissue.cells["drug"][tissue.cells.alive()] = 0.0
    tissue.fields[:] = 0.0
    assert drug_imbalance(0, tissue, MeasureContext()) > 1e-3
