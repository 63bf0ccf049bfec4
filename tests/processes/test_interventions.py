import numpy as np
import pytest
from made_matter import field_account, made_context, made_layout, made_matter, pool_account
from scipy import stats

from tme_sim.model.timeline import BUILDERS
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.timetable import Timetable
from tme_sim.processes import acts
from tme_sim.processes.acts_of_giving import GiveThroughVessels, GiveVesicles, Transplant
from tme_sim.processes.acts_on_cells import Deplete, Express, Inhibit, OnCells, Raise, Scale, Target
from tme_sim.processes.interventions import Interventions
from tme_sim.processes.pathways import Pathways
from tme_sim.processes.switch import Switch
from tme_sim.scenario.intervention import KINDS
from tme_sim.state.codes import REMOVED
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import DRUG_ACCOUNTS

LAYOUT = made_layout(fields=("il6", "D"), pools=("exo",), variables=("LDHB",), drugs=("D",))
ONCE = Timetable(times=1.0)


def timeline(*made):
    return Interventions(np.array([2.0, 0.0]), [], list(made))


def on(start_min=0.0, until_min=np.inf, when=None, key="x"):
    return Switch(key, start_min, until_min, when)


def at(tissue, minutes):
    tissue.clock.step = round(minutes / tissue.clock.dt_min)
    return tissue


def made(n=4, shape=(1, 2, 4)):
    return made_matter(LAYOUT, shape, np.arange(n), np.arange(n) % 2)


def stepped(process, tissue, *minutes):
    for minute in minutes:
        process.step(at(tissue, minute), made_context(tissue, {}))
    return tissue


def modified(tissue, behaviours, *made_acts):
    timeline(*made_acts).modify(tissue, tissue.cells["type"], behaviours)
    return behaviours


def drug_account(tissue, account):
    return tissue.ledger.drugs[0, DRUG_ACCOUNTS.index(account)]


def test_every_kind_has_a_builder_and_every_builder_a_kind():
    assert set(BUILDERS) == set(KINDS)


class ByModify(acts.Act):
    def modify(self, tissue, cell_type, io_behaviours):
        io_behaviours[:, 0] = 0.0


class OnCellsByModify(OnCells):
    def modify(self, tissue, cell_type, io_behaviours):
        io_behaviours[:, self.column] = 0.0


class ScaleByModify(Scale):
    def modify(self, tissue, cell_type, io_behaviours):
        io_behaviours[:, self.column] = 0.0


class Zeroed:
    modify = OnCellsByModify.modify


class ScaleByMixin(Zeroed, Scale):
    pass


class ScaleByChange(Scale):
    def change(self, tissue, cells, cell_type, io_behaviours):
        io_behaviours[self.rows(cell_type), self.column] = 0.5


class ByChange(OnCells):
    def change(self, tissue, cells, cell_type, io_behaviours):
        io_behaviours[self.rows(cell_type), self.column] = 0.5


@pytest.mark.parametrize(
    "act",
    [
        ByModify(on()),
        OnCellsByModify(on(), 0, ()),
        ScaleByModify(on(), 0, (), 0.0),
        ScaleByMixin(on(), 0, (), 0.0),
    ],
)
def test_act_that_says_not_what_it_does_to_thought_cells_is_refused(act):
    with pytest.raises(
        TypeError, match=f"{type(act).__name__} overrides modify alone; expected a subclass of OnCells"
    ):
        timeline(act)


@pytest.mark.parametrize("act", [ByChange(on(), 0, ()), ScaleByChange(on(), 0, (), 0.0)])
def test_act_of_a_user_that_overrides_change_is_held(act):
    tissue, process = made(), timeline(act)
    stepped(process, tissue, 0.0)
    held = process.held(at(tissue, tissue.clock.dt_min), np.arange(2), (0,))
    thought = np.ones((2, 1))
    held(np.arange(2), thought)
    assert thought.ravel().tolist() == modified(tissue, np.ones((4, 1)), act).ravel()[:2].tolist()
    assert thought.ravel().tolist() == [0.5, 0.5]


def test_a_condition_is_looked_at_once_in_a_step():
    tissue, asked = made(), []
    process = timeline(acts.Neutralise(on(when=lambda t: bool(asked.append(0))), 0, 1.0))
    stepped(process, tissue, 0)
    process.modify(tissue, tissue.cells["type"], np.ones((4, 1)))
    assert asked == [0]


def test_supply_that_is_set_replaces_the_field_s_own_and_ends():
    tissue, process = made(), timeline(acts.SetSupply(on(until_min=60.0), 0, 0.5))
    for minutes, level in ((0, 0.5), (60, 2.0)):
        assert stepped(process, tissue, minutes).plasma[0] == level


def test_two_antibodies_add_their_rates_and_leave_nothing_behind():
    tissue, process = (
        made(),
        timeline(acts.Neutralise(on(), 0, 0.1), acts.Neutralise(on(until_min=60.0), 0, 0.2)),
    )
    context = made_context(tissue, {})
    process.step(at(tissue, 0), context)
    assert context.extra_decay == pytest.approx([0.3, 0.0])
    process.step(at(tissue, 60), context)
    assert context.extra_decay == pytest.approx([0.1, 0.0])


def test_antibody_captures_at_the_rate_of_the_steady_complex():
    """dC/dt = k_on A u - (k_off + k_c) C = 0: the net loss of free ligand equals what is cleared as complex."""
    capture = acts.Capture(on(), 0, 1, on_per_nm_min=0.06, affinity_nm=2.0, cleared_per_min=0.03)
    a, u = 5.0, 0.4
    c = 0.06 * a * u / (0.06 * 2.0 + 0.03)
    assert capture.rate(a) * u == pytest.approx(0.06 * a * u - 0.06 * 2.0 * c)
    assert capture.rate(a) * u == pytest.approx(0.03 * c)


def test_antibody_acts_by_its_mean_level():
    tissue = made()
    tissue.field("D")[0, 0] = 8.0
    context = made_context(tissue, {})
    timeline(acts.Capture(on(), 0, 1, 0.1, 1e-12, 1.0)).step(tissue, context)
    assert context.extra_decay == pytest.approx([0.4, 0.0])


def test_clamp_is_handed_to_the_solve():
    tissue, context = made(), None
    context = made_context(tissue, {})
    timeline(acts.Clamp(on(), 0, 3.0)).step(tissue, context)
    assert context.clamped == {0: 3.0}
    assert tissue.plasma[0] == 3.0


def test_vesicles_are_given_once_and_booked():
    tissue = made()
    everywhere = np.ones(tissue.grid.shape, bool)
    stepped(timeline(GiveVesicles(on(5.0), 0, everywhere, 50.0, timetable=ONCE)), tissue, 0, 6, 12)
    assert (tissue.pools == 50.0).all()
    assert pool_account(tissue, "exo", "given") == 50.0 * tissue.grid.n_sites


def test_vesicles_are_given_again_at_their_place_alone():
    tissue = made()
    place = np.zeros(tissue.grid.shape, bool)
    place[0, 1, 2] = True
    again = GiveVesicles(on(6.0), 0, place, 5.0, timetable=Timetable(every_min=10.0, times=3))
    stepped(timeline(again), tissue, *range(0, 60, 6))
    assert tissue.pools[0, 1, 2, 0] == 15.0
    assert pool_account(tissue, "exo", "given") == tissue.pools.sum() == 15.0


def test_vesicles_enter_through_perfused_vessels_evenly():
    tissue = made()
    tissue.vessel[0, 0, 1], tissue.vessel[0, 1, 3] = 1.0, 0.5
    process = timeline(GiveThroughVessels(on(8.0), 0, 90.0, timetable=Timetable(length_min=20.0, times=1.0)))
    stepped(process, tissue, *range(0, 60, 6))
    assert tissue.pools[0, 0, 1, 0] == pytest.approx(90.0)
    assert pool_account(tissue, "exo", "given") == pytest.approx(tissue.pools.sum())
    assert tissue.pools[0, 1, 3, 0] == pytest.approx(0.5 * tissue.pools[0, 0, 1, 0])


def test_factor_acts_on_its_behaviour_in_its_cell_type_alone():
    behaviours = modified(made(), np.ones((4, 2)), Scale(on(), 1, (1,), 0.25))
    assert np.array_equal(behaviours, [[1, 1], [1, 0.25], [1, 1], [1, 0.25]])


def test_removal_adds_to_the_rate():
    assert (modified(made(), np.ones((4, 1)), Raise(on(), 0, (), 0.5)) == 1.5).all()


def test_expression_lifts_a_target_and_never_lowers_it():
    behaviours = np.array([[0.2], [0.2], [0.9], [0.9]])
    assert modified(made(), behaviours, Express(on(), 0, (0,), 0.5)).ravel().tolist() == [0.5, 0.2, 0.9, 0.9]


def test_inhibitor_acts_by_its_local_level():
    tissue = made()
    tissue.field("D")[0, 0] = [0.0, 10.0, 30.0, 1e9]
    behaviours = modified(tissue, np.ones((4, 1)), Inhibit(on(), 0, (), 1, 10.0, 2.0, 0.1))
    assert behaviours.ravel() == pytest.approx([1.0, 0.55, 0.1 + 0.9 / 10, 0.1])


def test_targeted_vesicles_dock_in_proportion_to_the_bound_variable():
    """S3-R21: docking of vesicles with a nanobody grows with the receptor."""
    tissue = made()
    tissue.cells["variables"][:, 0] = [0.0, 0.5, 1.0, 0.25]
    behaviours = modified(tissue, np.full((4, 1), 2.0), Target(on(), 0, (), 0, 4.0))
    assert behaviours.ravel() == pytest.approx([2.0, 6.0, 10.0, 4.0])


def test_release_kept_back_is_booked_as_blocked():
    tissue = made()
    behaviours = modified(tissue, np.full((4, 1), 2.0), Scale(on(), 0, (), 0.25, 0))
    assert pool_account(tissue, "exo", "blocked") == pytest.approx(4 * 2.0 * 0.75 * 6.0)
    assert (behaviours == 0.5).all()


def test_knocked_down_variable_falls_with_its_time_constant():
    tissue = made()
    tissue.cells["variables"][:] = 0.8
    process, pathways = timeline(Scale(on(), 0, (), 0.1)), Pathways(np.array([1440.0]), np.array([0]))
    for _ in range(240):
        context = made_context(tissue, {"LDHB": 0.8})
        process.modify(tissue, tissue.cells["type"], context.behaviours)
        pathways.step(tissue, context)
        tissue.clock.step += 1
    assert tissue.cells["variables"] == pytest.approx(0.08 + 0.72 * np.exp(-1.0), rel=1e-9)


def test_exchanged_medium_is_fresh_and_the_books_know_what_went():
    tissue = made()
    tissue.field("il6")[:], tissue.field("D")[:], tissue.pools[:] = 3.0, 10.0, 8.0
    exchange = acts.ExchangeMedium(on(), 0.75, ((0, -1, 0.0), (1, 0, 20.0)), (0,), timetable=ONCE)
    stepped(timeline(exchange), tissue, 0, 6)
    assert (tissue.field("il6") == 0.75).all()
    assert (tissue.field("D") == 17.5).all()
    assert (tissue.pools == 2.0).all()
    n = tissue.grid.n_sites
    assert (field_account(tissue, "D", "supplied"), field_account(tissue, "D", "left_boundary")) == (
        15 * n,
        7.5 * n,
    )
    assert (drug_account(tissue, "supplied"), drug_account(tissue, "left_boundary")) == (15 * n, 7.5 * n)
    assert pool_account(tissue, "exo", "left_boundary") == 6.0 * n


def test_washout_empties_the_field_and_leaves_what_cells_hold():
    tissue = made()
    tissue.field("D")[:], tissue.cells["drug"][:] = 10.0, 3.0
    stepped(timeline(acts.WashOut(on(), "D", 1, 0)), tissue, 0)
    assert not tissue.field("D").any()
    assert (tissue.cells["drug"] == 3.0).all()
    assert drug_account(tissue, "left_boundary") == 10.0 * tissue.grid.n_sites


def test_washout_takes_what_free_vesicles_carry_and_leaves_what_is_docked():
    layout = Layout(
        ("tumour", "hsc"), (), ("il6", "D"), ("exo",), (), ("D", "E"), loads=("D in exo", "E in exo")
    )
    tissue = made_matter(layout, (1, 2, 4), np.arange(4))
    tissue.loads = np.full((1, 2, 4, 2), 5.0)
    tissue.cells["load"][:] = 3.0
    stepped(timeline(acts.WashOut(on(), "D", 1, 0)), tissue, 0)
    assert not tissue.loads[..., 0].any()
    assert (tissue.loads[..., 1] == 5.0).all()
    assert (tissue.cells["load"] == 3.0).all()
    assert drug_account(tissue, "left_boundary") == 5.0 * tissue.grid.n_sites


def depleted(share, draw=0, n=4000):
    tissue = made(n, (1, 80, 100))
    tissue.cells["docked"][:], tissue.cells["drug"][:] = 2.0, 1.0
    return stepped(timeline(Deplete(on(), 0, share, draw, (1,), timetable=ONCE)), tissue, 0, 6)


def test_depletion_takes_its_share_of_one_type():
    tissue = depleted(0.3)
    gone = tissue.cells["death"] == REMOVED
    assert not gone[tissue.cells["type"] == 1].any()
    low, high = stats.binom.interval(1 - 1e-6, 2000, 0.3)
    assert low <= gone.sum() <= high
    assert len(tissue.events.table("deaths")) == gone.sum()


def test_depleted_cells_give_back_what_they_hold():
    tissue = depleted(0.3)
    gone = (tissue.cells["death"] == REMOVED).sum()
    assert tissue.pools.sum() == 2.0 * gone
    assert tissue.field("D").sum() == 1.0 * gone


def test_depletion_does_not_depend_on_the_order_of_rows():
    tissue, other = made(), made()
    other.cells.permute(np.array([2, 0, 3, 1]))
    lost = []
    for one in (tissue, other):
        stepped(timeline(Deplete(on(), 0, 0.5, 3, (1,), timetable=ONCE)), one, 0)
        lost.append(sorted(one.cells["id"][one.cells["death"] == REMOVED]))
    assert lost[0] == lost[1]


def test_transplanted_cells_found_new_clones_on_free_sites():
    tissue, keys_seen = made(), []

    def found(tissue, sites, kinds, keys):
        keys_seen.extend(keys)
        return tissue.cells.append(sites, type=kinds, lineage=keys, parent=-1)

    everywhere = np.ones(tissue.grid.n_sites, bool)
    stepped(timeline(Transplant(on(6.0), 1, everywhere, 1.0, 0, found, timetable=ONCE)), tissue, 0, 6, 12)
    assert tissue.cells.n == tissue.grid.n_sites
    assert len(set(keys_seen) | set(tissue.cells["lineage"][:4])) == tissue.grid.n_sites
    assert tissue.events.table("births")["minutes"].tolist() == [6.0] * 4
    tissue.check()


SMALL = [
    "grid.size=[200 um, 200 um]", "vessels.spacing=60 um", "tissue.hsc.density=10 %",
    "tissue.tumour.nodules=[{centre: middle, radius: 60 um, filling: 90 %}]",
]  # fmt: skip


def model(*overrides):
    return TumorMicroenvironment("s0_relay", [*SMALL, *overrides])


def test_every_intervention_of_the_flagship_acts_where_it_should():
    names = ("block_exosomes", "anti_il6", "ldhb_knockdown", "mct1_knockdown", "stat3_inhibitor")
    made = model(*(f"interventions.{name}.active=true" for name in names))
    by_name = {act.switch.key: act for act in made.interventions.acts}
    words = {
        name: made._numbers.behaviours[act.column] for name, act in by_name.items() if isinstance(act, Scale)
    }
    assert words == {
        "block_exosomes": "release tumour_normoxic_exosome", "ldhb_knockdown": "LDHB",
        "mct1_knockdown": "MCT1", "stat3_inhibitor": "STAT3",
    }  # fmt: skip
    assert by_name["anti_il6"].rate_per_min == pytest.approx(100 / 60)
    assert by_name["anti_il6"].field == made.tissue.layout.fields.index("il6")
    assert by_name["ldhb_knockdown"].cell_types == (made.tissue.layout.cell_types.index("tumour"),)


def test_clamp_holds_every_site_those_of_vessels_too():
    made = model("interventions.anoxia={kind: clamp, target: oxygen, level: 1 mmHg}")
    made.step()
    assert made.tissue.field("oxygen") == pytest.approx(1.0, rel=1e-4)


def test_blocked_release_leaves_the_tissue_without_vesicles():
    made = model("interventions.block_exosomes.active=true")
    for _ in range(5):
        made.step()
    assert made.tissue.pools.sum() == 0.0
    assert pool_account(made.tissue, "tumour_normoxic_exosome", "released") == 0.0
    assert pool_account(made.tissue, "tumour_normoxic_exosome", "blocked") > 0.0


def test_condition_on_a_measure_triggers_in_the_model():
    made = model(
        "interventions.anti_il6.active=true", 'interventions.anti_il6.when="tumour_cells > 0"',
        "interventions.block_exosomes.active=true", 'interventions.block_exosomes.when="tumour_cells > 100000"',
    )  # fmt: skip
    assert [i.switch.key for i in made.interventions.in_force(made.tissue)] == ["anti_il6"]


def test_what_is_held_leaves_the_books_and_cells_of_other_types_alone():
    tissue, column = at(made(), 60.0), 1
    process = timeline(Scale(on(), column, (1,), 0.0, blocked_pool=0), Scale(on(), 0, (), 0.0))
    before, behaviours = tissue.ledger.pools.copy(), np.ones((2, 2))
    change = process.held(tissue, np.array([2, 3]), (column,))
    change(np.array([0, 1]), behaviours)
    assert behaviours.tolist() == [[1.0, 1.0], [1.0, 0.0]]
    assert (tissue.ledger.pools == before).all()
    assert process.held(tissue, np.array([0, 2]), (column,)) is None


def test_what_is_held_asks_no_condition():
    """Conditions are looked at in steps; what one has switched on in the last step is held."""
    tissue, asked = made(), []
    process = timeline(Scale(on(when=lambda t: not asked.append(0)), 0, (), 0.0))
    assert process.held(at(tissue, 60.0), np.arange(4), (0,)) is None
    process.step(tissue, made_context(tissue, {}))
    tissue.clock.step += 1
    assert process.held(tissue, np.arange(4), (0,)) is not None
    assert asked == [0]
