"""Classes of resistance: inherited, there before the drug, or induced and then lost or kept without it."""

from __future__ import annotations

import pickle
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from tme_sim.measures.lineage import ancestors
from tme_sim.measures.resistance import Assay, ReferenceExposure, inherited_ratio, ratio_of
from tme_sim.model.first_dose import resisted_before
from tme_sim.processes.base import Context
from tme_sim.state.codes import LOST, PRE_EXISTING, PROTECTED, SENSITIVE, STABLE, TRANSIENT
from tme_sim.state.tissue import Tissue

if TYPE_CHECKING:
    from tme_sim.model.tumor import TumorMicroenvironment


class DrugFree:
    """Takes every drug out of plasma, tissue, vesicles and cells, in every step; for branches that are thrown away."""

    name = "washout"
    reads = ("clock",)
    writes = ()

    def __init__(self, fields: list[int]):
        self.fields = fields

    def step(self, tissue: Tissue, context: Context) -> None:
        """Leave no drug anywhere; what it has done stays."""
        tissue.plasma[self.fields] = 0.0
        tissue.fields[..., self.fields] = 0.0
        tissue.loads[:] = 0.0
        for name in ("drug", "load"):
            tissue.cells[name][:] = 0.0


def washout(model: TumorMicroenvironment, minutes: float) -> TumorMicroenvironment:
    """Return a copy of the model that has gone on without any drug; the model itself is left as it is."""
    branch: TumorMicroenvironment = pickle.loads(pickle.dumps(model))
    fields = [branch.tissue.layout.fields.index(name) for name in branch.drug_fields.values()]
    branch.processes.insert(branch.processes.index(branch.interventions) + 1, DrugFree(fields))
    end = model.clock.minutes + minutes
    while branch.clock.minutes < end - 1e-9:
        branch.step()
    return branch


def classify(model: TumorMicroenvironment, minutes: float) -> dict[str, dict[str, np.ndarray]]:
    """Return the class of every living tumour cell for every drug with a reference exposure.

    A resistant cell is pre-existing when its heritable traits alone make it so, all else naive: it was there to
    be selected. Otherwise it was protected before when it, or its ancestor then, resisted just before the first dose
    of the drug, by state and surroundings. All others are induced: stable when, after ``minutes`` in a branch without
    drug, at least half of its living descendants (itself among them) are still resistant, transient when fewer are;
    lost when none lives. Without any dose nothing is induced.

    Parameters
    ----------
    model : TumorMicroenvironment
        With a ``resistance`` block.
    minutes : float
        Length of the washout.

    Returns
    -------
    dict of dict
        By drug: ``id`` and ``founder`` int64 (n,), ascending ids; ``code`` int8 (n,), see `state.codes`;
        ``first_dose_min`` float64 (), nan where it never came; ``before_min`` float64 (), the moment that *before*
        means: the first dose, else what stands for it, else nan.

    Notes
    -----
    Induced means since the first dose, not by it: a daughter that has moved into a niche that protects is induced like
    one that the drug has changed; an arm without drug and the same seed, with ``resistance.before``, tells the two
    apart. What another drug made before the first dose of this one counts as protected before. A cell that came from
    outside after the first dose came in the naive state, so that it is never protected before. Stable means: kept
    without the drug, be it by the cell or by its surroundings. A mutation that struck under the drug counts as
    pre-existing: the drug has selected it, not made it.
    """
    assay, tissue = model.assay, model.tissue
    rows = model.measure_context.fresh().tumour_rows(tissue)
    rows = rows[np.argsort(tissue.cells["id"][rows])]
    ids, founder = tissue.cells["id"][rows], tissue.cells["founder"][rows]
    branch = washout(model, minutes)
    late = branch.measure_context.fresh().tumour_rows(branch.tissue)
    births = len(tissue.events.table("births"))
    ancestor = ancestors(branch.tissue, branch.tissue.cells["id"][late], births)
    return {
        exposure.drug: {
            "id": ids,
            "founder": founder,
            "first_dose_min": np.array(nan if before is None else before.came_min),
            "before_min": np.array(nan if before is None else before.minutes),
            "code": _codes(
                assay,
                exposure,
                tissue,
                rows,
                resisted_before(tissue, ids, before, assay.resistant_below),
                (branch.tissue, late, np.searchsorted(ids, ancestor)),
            ),
        }
        for exposure in assay.exposures
        for before in [model.before_drug.get(exposure.drug)]
    }


def _codes(
    assay: Assay,
    exposure: ReferenceExposure,
    tissue: Tissue,
    rows: np.ndarray,
    before: np.ndarray,
    later: tuple[Tissue, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return the class of the cells in ``rows``, of which some resisted ``before``.

    ``later``: tissue after the washout, rows in it, and the places in ``rows`` of their ancestors.
    """
    resistant = _resist(assay, exposure, tissue, rows)
    inherited = inherited_ratio(assay, exposure, tissue, rows) < assay.resistant_below
    branch, late, mine = later
    still = _resist(assay, exposure, branch, late)
    living = np.bincount(mine, minlength=len(rows))
    kept = np.bincount(mine, weights=still, minlength=len(rows))
    code = np.where(living == 0, LOST, np.where(2 * kept >= living, STABLE, TRANSIENT))
    code = np.where(before, PROTECTED, code)
    code = np.where(inherited, PRE_EXISTING, code)
    return np.where(resistant, code, SENSITIVE).astype(np.int8)


def _resist(assay: Assay, exposure: ReferenceExposure, tissue: Tissue, rows: np.ndarray) -> np.ndarray:
    """Return whether the cells in ``rows`` resist as they are, bool (n,)."""
    own = assay.present(exposure, tissue, rows)
    return ratio_of(assay, exposure, own, tissue.cells["type"][rows]) < assay.resistant_below
