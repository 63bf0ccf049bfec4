import numpy as np
import pytest
from made_matter import (
    SPACING_UM,
    drug_field,
    field_account,
    field_gap,
    field_spec,
    fields_of,
    made_context,
    made_layout,
    made_matter,
)  # fmt: skip

from tme_sim.processes.base import ProcessError
from tme_sim.processes.drugs import Drugs, DrugSpec
from tme_sim.processes.fate import release_contents
from tme_sim.state.codes import APOPTOSIS
from tme_sim.state.grid import MOLECULES_PER_UM3_IN_1_NM

EVERYWHERE = np.arange(81)


def well_mixed(**spec):
    """Return one site with one cell and one field called x."""
    tissue = made_matter(made_layout(fields=("x",)), (1, 1, 1), [0])
    return tissue, field_spec("x", **spec)


def run(tissue, process, behaviours, steps):
    for _ in range(steps):
        process.step(tissue, made_context(tissue, behaviours))
        tissue.clock.step += 1


def test_books_of_all_sinks_and_sources_close_over_many_steps():
    rng = np.random.default_rng(2)
    tissue = made_matter(made_layout(fields=("a", "b")), (1, 9, 9), EVERYWHERE[::2], dt_min=6.0)
    tissue.fields[:] = rng.random(tissue.fields.shape)
    tissue.vessel[0, 4, 4] = tissue.vessel[0, 1, 7] = 1.0
    tissue.plasma[:] = (5.0, 2.0)
    specs = [
        field_spec("a", decay_per_min=0.01, exchange_per_min=3.0, boundary={"x_low": 2.0, "y_high": 0.0}),
        field_spec("b", half_saturation=0.5, background_uptake=0.02, exchange_per_min=1e6),
    ]
    behaviours = {"uptake a": rng.random(41), "secretion a": rng.random(41), "uptake b": rng.random(41)}
    process = fields_of(tissue, specs, behaviours, well=1.13, tolerance=1e-6)
    before = tissue.fields.sum(axis=(0, 1, 2))
    for _ in range(100):
        context = made_context(tissue, behaviours)
        context.extra_decay[:] = (0.05, 0.0)
        process.step(tissue, context)
    for field, name in enumerate("ab"):
        assert abs(field_gap(tissue, name, before[field])) < 1e-9
    assert all(
        field_account(tissue, "a", account) > 0.0
        for account in ("secreted", "consumed", "decayed", "left_vessel", "left_boundary", "neutralised")
    )


def test_drug_let_out_by_cells_and_released_by_the_dead_is_in_the_field_s_book():
    tissue = made_matter(made_layout(fields=("D",), drugs=("D",)), (1, 9, 9), EVERYWHERE[::2])
    tissue.field("D")[:] = 3.0
    behaviours = {"influx D": 0.07, "efflux D": 0.05, "metabolism D": 0.01}
    fields = fields_of(tissue, [drug_field("D")], behaviours)
    drugs = Drugs([DrugSpec("D", 0, 1.0, 1.0, 1.0, (True,) * 4)])
    for step in range(60):
        context = made_context(tissue, behaviours)
        fields.step(tissue, context)
        drugs.step(tissue, context)
        if step % 10 == 5:
            rows = np.array([step % tissue.cells.n])
            assert tissue.cells["drug"][rows, 0] > 0.0 or tissue.cells["death"][rows] != 0
            tissue.cells["death"][rows] = APOPTOSIS
            release_contents(tissue, rows, np.array([0]))
    assert abs(field_gap(tissue, "D", 3.0 * 81)) < 1e-12


def test_decay_alone_follows_the_implicit_formula():
    tissue, spec = well_mixed(decay_per_min=0.02)
    tissue.fields[:] = 1.0
    run(tissue, fields_of(tissue, [spec]), {}, 10)
    assert tissue.fields.item() == pytest.approx((1 + 0.02 * 6.0) ** -10, rel=1e-12)


def test_decay_has_its_half_life_at_small_steps():
    tissue, spec = well_mixed(decay_per_min=np.log(2) / 120.0)
    tissue.fields[:] = 1.0
    tissue.clock.dt_min = 0.5
    run(tissue, fields_of(tissue, [spec]), {}, 240)
    assert tissue.fields.item() == pytest.approx(0.5, rel=0.002)


@pytest.mark.parametrize("share", [0.2, 1.0])
def test_secretion_in_molecules_gives_the_closed_form_concentration(share):
    tissue = made_matter(made_layout(fields=("il6",)), (1, 1, 1), [0], share=share)
    per_molecule = 1.0 / tissue.grid.molecules_per_nm(whole_site=False)
    spec = field_spec("il6", decay_per_min=np.log(2) / 120.0, per_molecule=per_molecule)
    behaviours = {"secretion il6": 5.0 * 60.0}
    run(tissue, fields_of(tissue, [spec], behaviours), behaviours, 900)
    molecules = 300.0 * 120.0 / np.log(2)
    fluid_um3 = share * SPACING_UM**3
    assert tissue.fields.item() == pytest.approx(
        molecules / (MOLECULES_PER_UM3_IN_1_NM * fluid_um3), rel=1e-9
    )


def test_uptake_stands_inside_the_operator_at_any_strength():
    tissue, spec = well_mixed()
    tissue.fields[:] = 1.0
    behaviours = {"uptake x": 1e6}
    run(tissue, fields_of(tissue, [spec], behaviours), behaviours, 1)
    assert tissue.fields.item() == pytest.approx(1.0 / (1.0 + 6e6), rel=1e-9)
    assert field_account(tissue, "x", "consumed") == pytest.approx(1.0, rel=1e-6)


def test_saturable_uptake_settles_where_supply_equals_michaelis_menten():
    tissue, spec = well_mixed(half_saturation=1.0, exchange_per_min=0.4)
    tissue.vessel[:], tissue.plasma[:] = 1.0, 5.0
    behaviours = {"uptake x": 2.0}
    run(tissue, fields_of(tissue, [spec], behaviours), behaviours, 200)
    # 0.4 (5 - u) = 2 u/(1 + u)
    root = (-1.0 + np.sqrt(21.0)) / 2.0
    assert tissue.fields.item() == pytest.approx(root, rel=1e-9)


def test_background_uptake_acts_on_empty_sites_alone():
    tissue = made_matter(made_layout(fields=("x",)), (1, 1, 2), [0])
    tissue.fields[:] = 1.0
    spec = field_spec("x", diffusion_um2_min=0.0, background_uptake=0.5)
    run(tissue, fields_of(tissue, [spec]), {}, 1)
    assert tissue.fields.reshape(-1)[1] / tissue.fields.reshape(-1)[0] == pytest.approx(0.25)


def test_steady_oxygen_supply_equals_consumption():
    tissue = made_matter(made_layout(fields=("oxygen",)), (1, 16, 16), np.arange(0, 256, 3))
    tissue.fields[:] = 30.0
    tissue.vessel[0, 4, 4] = tissue.vessel[0, 11, 12] = 1.0
    tissue.plasma[:] = 40.0
    spec = field_spec(
        "oxygen", steady=True, diffusion_um2_min=120e3, half_saturation=1.0, background_uptake=450.0,
        exchange_per_min=1e6,
    )  # fmt: skip
    behaviours = {"uptake oxygen": 900.0}
    run(tissue, fields_of(tissue, [spec], behaviours, well=1.13, tolerance=1e-9), behaviours, 1)
    in_, out = (field_account(tissue, "oxygen", name) for name in ("supplied", "left_vessel"))
    assert in_ - out == pytest.approx(field_account(tissue, "oxygen", "consumed"), rel=1e-4)
    assert tissue.fields.reshape(-1)[4 * 16 + 4] == pytest.approx(40.0, abs=0.1)


def test_fixed_values_on_two_faces_give_a_straight_line():
    tissue = made_matter(made_layout(fields=("x",)), (1, 3, 8))
    spec = field_spec("x", steady=True, boundary={"x_low": 0.0, "x_high": 8.0})
    run(tissue, fields_of(tissue, [spec]), {}, 1)
    assert np.allclose(tissue.fields[0, :, :, 0], np.arange(8) + 0.5, rtol=1e-7)


def test_no_flux_keeps_a_uniform_field_and_the_total():
    tissue = made_matter(made_layout(fields=("x",)), (1, 5, 7))
    tissue.fields[0, 2, 3, 0] = 35.0
    run(tissue, fields_of(tissue, [field_spec("x")]), {}, 500)
    assert np.allclose(tissue.fields, 1.0, atol=1e-6)
    assert tissue.fields.sum() == pytest.approx(35.0, rel=1e-12)


def test_drug_without_efflux_and_metabolism_takes_none_from_other_behaviours():
    tissue = made_matter(made_layout(fields=("D",), drugs=("D",)), (1, 1, 1), [0])
    tissue.fields[:] = 1.0
    behaviours = {"influx D": 0.1, "apoptosis": 7.0}
    run(tissue, fields_of(tissue, [drug_field("D")], behaviours), behaviours, 1)
    assert tissue.fields.item() == pytest.approx(1.0 / 1.6)


@pytest.mark.parametrize("influx", [0.01, 4 / 60, 5.0])
def test_drug_in_a_closed_site_ends_at_the_ratio_of_influx_to_efflux(influx):
    tissue = made_matter(made_layout(fields=("D",), drugs=("D",)), (1, 1, 1), [0])
    tissue.fields[:] = 10.0
    behaviours = {"influx D": influx, "efflux D": 0.05, "metabolism D": 0.0}
    fields, drugs = fields_of(tissue, [drug_field("D")], behaviours), Drugs([made_drug()])
    for _ in range(400):
        context = made_context(tissue, behaviours)
        fields.step(tissue, context)
        drugs.step(tissue, context)
    free, held = tissue.fields.item(), tissue.cells["drug"][0, 0]
    assert held / free == pytest.approx(influx / 0.05, rel=1e-9)
    assert held + free == pytest.approx(10.0, rel=1e-12)


def made_drug():
    return DrugSpec("D", 0, 1.0, 1.0, 1.0, (True,) * 4)


def test_solve_without_any_sink_says_which_field_and_when():
    tissue = made_matter(made_layout(fields=("x",)), (1, 2, 2), [0])
    behaviours = {"secretion x": 1.0}
    process = fields_of(tissue, [field_spec("x", steady=True)], behaviours)
    with pytest.raises(ProcessError, match=r"step 0 \(0.00 h\): fields: x: "):
        process.step(tissue, made_context(tissue, behaviours))


def test_newborn_cells_neither_take_up_nor_secrete_in_the_step_of_their_birth():
    tissue, spec = well_mixed()
    tissue.fields[:] = 1.0
    behaviours = {"uptake x": 1.0, "secretion x": 1.0}
    process = fields_of(tissue, [spec], behaviours)
    context = made_context(tissue, behaviours)
    context.behaviours = context.behaviours[:0]
    process.step(tissue, context)
    assert tissue.fields.item() == pytest.approx(1.0)
