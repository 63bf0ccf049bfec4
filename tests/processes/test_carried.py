import numpy as np
import pytest
from made_matter import made_context, made_matter, pool_spec, vesicles_of

from tme_sim.measures.balance import drug_imbalance
from tme_sim.measures.measure import Context
from tme_sim.processes.carried import CarriedDrug, DockedBefore, LoadSpec
from tme_sim.processes.fate import release_contents
from tme_sim.state.codes import APOPTOSIS
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import DRUG_ACCOUNTS

LAYOUT = Layout(("tumour", "hsc"), (), ("drug",), ("mv",), (), ("drug",), loads=("drug in mv",))
BEHAVIOURS = {"release mv": 5.0, "uptake mv": 1.0}


def lived(steps=150, share=1e-3, sites=None, *, shuffle=False, die=True, **changes):
    """Return a tissue whose tumour cells held drug, wrapped it in vesicles and passed it on."""
    sites = np.arange(0, 64, 2) if sites is None else sites
    tissue = made_matter(LAYOUT, (1, 8, 8), sites, np.arange(len(sites)) % 2)
    tissue.loads = np.zeros((1, 8, 8, 1))
    tissue.vessel[0, 3, 3] = 1.0
    tissue.cells["drug"][:, 0] = 40.0 * (tissue.cells["type"] == 0)
    tissue.ledger.drugs[0, DRUG_ACCOUNTS.index("supplied")] = tissue.cells["drug"].sum()
    plain = {
        "decay_per_min": 0.005, "washout_per_min": 0.02, "docking_per_min": (0.002, 0.02), "internalise_per_min": 0.03,
        "detach_per_min": 0.004, "boundary": {"x_low": 0.0},
    }  # fmt: skip
    spec = pool_spec("mv", **{**plain, **changes})
    vesicles, before = vesicles_of(tissue, [spec], BEHAVIOURS), DockedBefore()
    names = {name: k for k, name in enumerate(BEHAVIOURS)}
    carried = CarriedDrug([LoadSpec(spec, 0, 0, 0, share)], (1, 8, 8), 20.0, names, before)
    order = np.random.default_rng(5)
    for step in range(steps):
        if shuffle:
            tissue.cells.permute(order.permutation(tissue.cells.n))
        donors = {"release mv": 5.0 * (tissue.cells["type"] == 0), "uptake mv": 1.0}
        context = made_context(tissue, donors)
        for process in (before, vesicles, carried):
            process.step(tissue, context)
        tissue.check()
        if die and step == 60:
            rows = tissue.cells.rows_of(np.array([3, 4, 9]))
            tissue.cells["death"][rows] = APOPTOSIS
            release_contents(tissue, rows, np.array([0]))
        tissue.clock.step += 1
    return tissue


def account(tissue, name):
    return tissue.ledger.drugs[0, DRUG_ACCOUNTS.index(name)]


def test_drug_is_somewhere_whatever_vesicles_do_with_it():
    tissue = lived()
    assert abs(drug_imbalance(0, tissue, Context())) < 1e-12
    assert tissue.cells["drug"][tissue.cells["type"] == 1].sum() > 1.0
    assert tissue.field("drug").sum() > 1.0
    assert account(tissue, "left_vessel") > 0.1
    assert account(tissue, "left_boundary") > 0.1


def test_donor_loses_drug_at_release_times_share():
    tissue = lived(100, sites=np.array([27]), die=False, docking_per_min=(0.0, 0.0))
    assert tissue.cells["drug"].item() == pytest.approx(40.0 * np.exp(-5.0 * 1e-3 * 600.0), rel=1e-9)


def test_drug_spreads_as_its_vesicles_do():
    """A donor that hardly loses any gives every vesicle the same load."""
    tissue = lived(60, share=1e-9, die=False)
    ratio = tissue.loads[..., 0] / tissue.pool("mv")
    assert ratio == pytest.approx(np.full(ratio.shape, 40.0 * 1e-9), rel=1e-4)


def test_vesicles_without_drug_change_nothing():
    tissue = lived(20, share=0.0, die=False)
    assert tissue.loads.sum() == tissue.field("drug").sum() == 0.0
    assert tissue.cells["drug"].sum() == 40.0 * 16


def test_row_order_changes_no_byte():
    one, other = lived(30, die=False), lived(30, shuffle=True, die=False)
    assert one.loads.tobytes() == other.loads.tobytes()
    assert one.fields.tobytes() == other.fields.tobytes()
    ids = [np.argsort(tissue.cells["id"]) for tissue in (one, other)]
    assert one.cells["drug"][ids[0]].tobytes() == other.cells["drug"][ids[1]].tobytes()
