import numpy as np
import pytest
from made_matter import (
    field_account,
    made_context,
    made_layout,
    made_matter,
    pool_account,
    pool_spec,
    vesicles_of,
)

from tme_sim.processes.freeing import FreedCargo, Freeing

BEHAVIOURS = {"release mv": 2.0, "uptake mv": 1.0}


def lived(steps=100, **changes):
    """Return a tissue in which vesicles were released, taken up and fell apart."""
    layout = made_layout(fields=("fgf2",), pools=("mv",))
    tissue = made_matter(layout, (1, 6, 6), np.arange(0, 36, 3))
    spec = pool_spec(
        "mv", decay_per_min=0.01, docking_per_min=(0.01, 0.0), internalise_per_min=0.05, **changes
    )
    vesicles = vesicles_of(tissue, [spec], BEHAVIOURS)
    freeing = Freeing([FreedCargo(pool=0, field=0, decay_per_min=0.01, amount=0.25)])
    for _ in range(steps):
        context = made_context(tissue, BEHAVIOURS)
        vesicles.step(tissue, context)
        freeing.step(tissue, context)
        tissue.clock.step += 1
    return tissue


def test_field_holds_exactly_what_decayed_vesicles_held():
    tissue = lived()
    decayed = pool_account(tissue, "mv", "decayed")
    assert decayed > 100.0
    assert pool_account(tissue, "mv", "internalised") > 10.0
    assert tissue.field("fgf2").sum() == pytest.approx(0.25 * decayed, rel=1e-12)
    assert field_account(tissue, "fgf2", "secreted") == pytest.approx(0.25 * decayed, rel=1e-12)


def test_cargo_is_freed_where_vesicles_are():
    tissue = lived(1, diffusion_um2_min=0.0)
    freed = tissue.field("fgf2").reshape(-1)
    assert np.all((freed > 0.0) == (tissue.cells.occupant >= 0))
