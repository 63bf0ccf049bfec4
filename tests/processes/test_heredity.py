import numpy as np
import pytest

from tests.processes.made_tissue import made_context, made_tissue
from tme_sim.numerics.spread import FIXED, LOGNORMAL
from tme_sim.processes.cycle import G2M
from tme_sim.processes.division import Division
from tme_sim.processes.heredity import Heredity, Inheritance, Trait, endow
from tme_sim.state.cells import Cells
from tme_sim.state.layout import Layout

SENSITIVE, RESISTANT = 1, 2
N = 4000
SHAPE = (1, 200, 200)


def trait(*, spread=FIXED, b=0.0, heritability=1.0, of_clone=(1.0, 1.0, 5.0)):
    return Trait(0, True, spread, 1.0, b, 0.0, 1.0, heritability, np.array(of_clone))


def inheritance(*traits, share=0.0, to_resistant=0.0, back=0.0, barcodes=0):
    founders = np.array([[0.0, 1.0 - share, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    switching = np.array([[0.0] * 3, [0.0, 0.0, to_resistant], [0.0, back, back]])
    return Inheritance(traits or (trait(),), founders, switching, np.array([barcodes, 0, 0]))


def endowed(rules, *, seed=1):
    """Return a tissue of lone tumour cells with what the rules give founders."""
    tissue = made_tissue(SHAPE, 3 * np.arange(N), seed=seed)
    lay = tissue.layout
    layout = Layout(
        lay.cell_types, lay.variables, lay.fields, lay.pools, lay.cargo, lay.drugs, ("pump",), ("s", "r")
    )
    old, tissue.layout, tissue.cells = tissue.cells, layout, Cells(layout, tissue.grid.n_sites)
    tissue.cells.append(
        old["site"],
        **{name: old[name] for name in old.names if name not in ("site", "id", "traits", "scores")},
    )
    endow(rules, tissue.cells, np.arange(N), seed)
    return tissue


def divided(rules, tissue):
    """Let every cell divide once; return the rows of the daughters and of their mothers."""
    cells = tissue.cells
    context = made_context(tissue)
    before = cells.n
    cells["stage"][:] = G2M
    Division(np.zeros(3), np.ones(3, bool)).step(tissue, context)
    Heredity(rules).step(tissue, context)
    tissue.clock.step += 1
    daughters = np.arange(before, cells.n)
    return daughters, cells.rows_of(cells["parent"][daughters])


def test_founders_have_the_declared_share_of_clones():
    clone = endowed(inheritance(share=0.2)).cells["clone"]
    assert np.mean(clone == RESISTANT) == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / N))
    assert set(clone) == {SENSITIVE, RESISTANT}


def test_traits_of_founders_are_those_of_their_clone():
    cells = endowed(inheritance(share=0.5)).cells
    assert np.array_equal(cells.column("pump"), np.where(cells["clone"] == RESISTANT, 5.0, 1.0))


def test_founder_draws_by_its_lineage_key_alone():
    rules = inheritance(trait(spread=LOGNORMAL, b=0.5), share=0.3, barcodes=50)
    whole = endowed(rules)
    part = made_tissue(SHAPE, 3 * np.arange(N), seed=1)
    cells = endowed(rules).cells
    some = np.arange(0, N, 7)
    for name in ("clone", "traits", "scores", "barcode"):
        cells[name][some] = 0
    endow(rules, cells, some, part.seed)
    for name in ("clone", "traits", "scores", "barcode"):
        assert np.array_equal(cells[name], whole.cells[name])


def test_barcodes_come_from_the_library_or_are_the_founder():
    drawn = endowed(inheritance(barcodes=50)).cells["barcode"]
    assert set(drawn) == set(range(50))
    cells = endowed(inheritance()).cells
    assert np.array_equal(cells["barcode"], cells["founder"])


def test_full_heritability_copies_traits_and_barcodes():
    rules = inheritance(trait(spread=LOGNORMAL, b=0.5), share=0.3, barcodes=50)
    tissue = endowed(rules)
    before = tissue.cells["traits"].copy()
    daughters, mothers = divided(rules, tissue)
    assert len(daughters) == N
    for name in ("traits", "clone", "barcode"):
        assert np.array_equal(tissue.cells[name][daughters], tissue.cells[name][mothers])
    assert np.array_equal(tissue.cells["traits"][:N], before)


def test_sisters_are_correlated_by_the_square_of_the_heritability():
    rules = inheritance(trait(spread=LOGNORMAL, b=0.5, heritability=0.8))
    tissue = endowed(rules)
    before = tissue.cells["scores"][:, 0].copy()
    daughters, mothers = divided(rules, tissue)
    score = tissue.cells["scores"][:, 0]
    assert np.corrcoef(score[daughters], score[mothers])[0, 1] == pytest.approx(0.64, abs=4 / np.sqrt(N))
    assert np.corrcoef(score[daughters], before[mothers])[0, 1] == pytest.approx(0.8, abs=4 / np.sqrt(N))
    assert score.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * N))


def test_one_of_two_switches_with_the_declared_probability():
    rules = inheritance(to_resistant=0.1)
    tissue = endowed(rules)
    daughters, mothers = divided(rules, tissue)
    clone = tissue.cells["clone"]
    assert np.mean(clone[daughters] == RESISTANT) == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / N))
    assert (clone[mothers] == SENSITIVE).all()
    assert np.array_equal(
        tissue.cells.column("pump")[daughters], np.where(clone[daughters] == RESISTANT, 5.0, 1.0)
    )


def test_switches_are_events():
    rules = inheritance(to_resistant=0.1)
    tissue = endowed(rules)
    daughters, _ = divided(rules, tissue)
    table, cells = tissue.events.table("switches"), tissue.cells
    switched = daughters[cells["clone"][daughters] == RESISTANT]
    assert np.array_equal(table["id"], np.sort(cells["id"][switched]))
    assert set(table["from_clone"]) == {SENSITIVE}
    assert set(table["to_clone"]) == {RESISTANT}
    assert set(table["minutes"]) == {6.0}


def test_mutation_without_a_way_back_is_kept():
    rules = inheritance(share=1.0, to_resistant=0.5)
    tissue = endowed(rules)
    daughters, _ = divided(rules, tissue)
    assert (tissue.cells["clone"][daughters] == RESISTANT).all()


def test_each_direction_of_switching_has_its_own_probability():
    rules = inheritance(share=0.5, to_resistant=0.4, back=0.1)
    tissue = endowed(rules)
    daughters, mothers = divided(rules, tissue)
    clone = tissue.cells["clone"]
    changed = clone[daughters] != clone[mothers]
    for start, probability in ((SENSITIVE, 0.4), (RESISTANT, 0.1)):
        assert changed[clone[mothers] == start].mean() == pytest.approx(
            probability, abs=4 * np.sqrt(0.25 / N)
        )


def test_other_types_have_neutral_traits_and_no_clone():
    tissue = endowed(inheritance(share=1.0))
    cells = tissue.cells
    cells["type"][: N // 2] = 1
    endow(inheritance(share=1.0), cells, np.arange(N), 1)
    assert set(cells["clone"][: N // 2]) == {0}
    assert set(cells.column("pump")[: N // 2]) == {1.0}
    assert set(cells.column("pump")[N // 2 :]) == {5.0}
