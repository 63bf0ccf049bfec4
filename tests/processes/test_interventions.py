import numpy as np
import pytest
from made_matter import made_context, made_layout, made_matter, pool_account

from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.processes.interventions import Intervention, Interventions
from tme_sim.processes.pathways import Pathways

LAYOUT = made_layout(fields=("il6", "D"), pools=("exo",), variables=("LDHB",))


def timeline(*interventions, doses=()):
    return Interventions(np.array([2.0, 0.0]), list(doses), list(interventions))


def at(tissue, minutes):
    tissue.clock.step = round(minutes / tissue.clock.dt_min)
    return tissue


def made(n=4):
    return made_matter(LAYOUT, (1, 2, 4), np.arange(n), np.arange(n) % 2)


def test_intervention_is_in_force_from_its_start_until_just_before_its_end():
    process, tissue = timeline(Intervention("x", start_min=60.0, until_min=120.0)), made()
    force = [bool(process.in_force(at(tissue, minutes))) for minutes in (54, 60, 114, 120)]
    assert force == [False, True, True, False]


def test_condition_starts_once_and_stays():
    tissue = made()
    process = timeline(Intervention("x", condition=lambda t: t.clock.minutes == 60.0))
    force = [bool(process.in_force(at(tissue, minutes))) for minutes in (0, 54, 60, 66, 600)]
    assert force == [False, False, True, True, True]


def test_condition_is_not_looked_at_before_the_start():
    tissue, asked = made(), []

    def condition(t):
        asked.append(t.clock.minutes)
        return True

    process = timeline(Intervention("x", start_min=60.0, condition=condition))
    assert not process.in_force(at(tissue, 54))
    assert process.in_force(at(tissue, 60))
    assert asked == [60.0]


def test_plasma_is_supply_plus_doses():
    tissue = made()
    process = timeline(doses=[(1, lambda minutes: 8.0 if minutes < 60 else 0.0), (1, lambda minutes: 1.0)])
    process.step(at(tissue, 54), made_context(tissue, {}))
    assert np.array_equal(tissue.plasma, [2.0, 9.0])
    process.step(at(tissue, 60), made_context(tissue, {}))
    assert np.array_equal(tissue.plasma, [2.0, 1.0])


def test_supply_that_is_set_replaces_the_field_s_own_and_ends():
    tissue = made()
    process = timeline(Intervention("x", field=0, supply=0.5, until_min=60.0))
    for minutes, level in ((0, 0.5), (60, 2.0)):
        process.step(at(tissue, minutes), made_context(tissue, {}))
        assert tissue.plasma[0] == level


def test_two_antibodies_add_their_rates_and_leave_nothing_behind():
    tissue = made()
    process = timeline(
        Intervention("a", field=0, rate_per_min=0.1),
        Intervention("b", field=0, rate_per_min=0.2, until_min=60.0),
    )
    context = made_context(tissue, {})
    process.step(at(tissue, 0), context)
    assert context.extra_decay == pytest.approx([0.3, 0.0])
    process.step(at(tissue, 60), context)
    assert context.extra_decay == pytest.approx([0.1, 0.0])


def test_vesicles_are_given_once_and_booked():
    tissue = made()
    process = timeline(Intervention("dose", pool=0, vesicles=50.0, start_min=6.0))
    for minutes in (0, 6, 12):
        process.step(at(tissue, minutes), made_context(tissue, {}))
    assert (tissue.pools == 50.0).all()
    assert pool_account(tissue, "exo", "given") == 50.0 * tissue.grid.n_sites


def test_factor_acts_on_its_behaviour_in_its_cell_type_alone():
    tissue, behaviours = made(), np.ones((4, 2))
    timeline(Intervention("x", columns=(1,), cell_types=(1,), factor=0.25)).modify(
        tissue, tissue.cells["type"], behaviours
    )
    assert np.array_equal(behaviours, [[1, 1], [1, 0.25], [1, 1], [1, 0.25]])


def test_removal_adds_to_the_rate():
    tissue, behaviours = made(), np.ones((4, 1))
    timeline(Intervention("x", columns=(0,), added=0.5)).modify(tissue, tissue.cells["type"], behaviours)
    assert (behaviours == 1.5).all()


def test_release_kept_back_is_booked_as_blocked():
    tissue, behaviours = made(), np.full((4, 1), 2.0)
    process = timeline(Intervention("x", columns=(0,), factor=0.25, blocked_pool=0))
    process.modify(tissue, tissue.cells["type"], behaviours)
    assert pool_account(tissue, "exo", "blocked") == pytest.approx(4 * 2.0 * 0.75 * 6.0)
    assert (behaviours == 0.5).all()


def test_knocked_down_variable_falls_with_its_time_constant():
    tissue = made()
    tissue.cells["variables"][:] = 0.8
    process = timeline(Intervention("x", columns=(0,), factor=0.1, start_min=0.0))
    pathways = Pathways(np.array([1440.0]), np.array([0]))
    for _ in range(240):
        context = made_context(tissue, {"LDHB": 0.8})
        process.modify(tissue, tissue.cells["type"], context.behaviours)
        pathways.step(tissue, context)
        tissue.clock.step += 1
    assert tissue.cells["variables"] == pytest.approx(0.08 + 0.72 * np.exp(-1.0), rel=1e-9)


SMALL = [
    "grid.size=[200 um, 200 um]", "vessels.spacing=60 um", "tissue.hsc.density=10 %",
    "tissue.tumour.nodules=[{centre: middle, radius: 60 um, filling: 90 %}]",
]  # fmt: skip


def model(*overrides):
    return TumorMicroenvironment("liver_metastasis", [*SMALL, *overrides])


def test_every_intervention_of_the_flagship_acts_where_it_should():
    names = ("block_exosomes", "anti_il6", "ldhb_knockdown", "mct1_knockdown", "stat3_inhibitor")
    made = model(*(f"interventions.{name}.active=true" for name in names))
    by_name = {i.name: i for i in made.interventions.interventions}
    words = {name: tuple(made._numbers.behaviours[c] for c in by_name[name].columns) for name in names}
    assert words == {
        "block_exosomes": ("release tumour_normoxic_exosome",), "anti_il6": (), "ldhb_knockdown": ("LDHB",),
        "mct1_knockdown": ("MCT1",), "stat3_inhibitor": ("STAT3",),
    }  # fmt: skip
    assert by_name["anti_il6"].rate_per_min == pytest.approx(100 / 60)
    assert by_name["anti_il6"].field == made.tissue.layout.fields.index("il6")
    assert by_name["ldhb_knockdown"].cell_types == (made.tissue.layout.cell_types.index("tumour"),)


def test_blocked_release_leaves_the_tissue_without_vesicles():
    made = model("interventions.block_exosomes.active=true")
    for _ in range(5):
        made.step()
    assert made.tissue.pools.sum() == 0.0
    assert pool_account(made.tissue, "tumour_normoxic_exosome", "released") == 0.0
    assert pool_account(made.tissue, "tumour_normoxic_exosome", "blocked") > 0.0


def test_dose_schedule_repeats_and_ends():
    drug = model().config.drugs["SN38"]
    day = 1440.0
    given = [day * d for d in range(30) if drug.level(day * d) > 0.0]
    assert given == [5 * day, 9 * day]
    assert drug.level(6 * day - 6.0) == 8.0
    assert drug.level(6 * day) == 0.0


def test_condition_on_a_measure_triggers_in_the_model():
    made = model(
        "interventions.anti_il6.active=true", 'interventions.anti_il6.when="tumour_cells > 0"',
        "interventions.block_exosomes.active=true", 'interventions.block_exosomes.when="tumour_cells > 100000"',
    )  # fmt: skip
    assert [i.name for i in made.interventions.in_force(made.tissue)] == ["anti_il6"]
