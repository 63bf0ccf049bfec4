"""Which tumour cells resisted a drug just before its first dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isnan, nan

import numpy as np

from tme_sim.measures.lineage import ancestors
from tme_sim.measures.measure import Context
from tme_sim.measures.resistance import Assay, ReferenceExposure, ratio_of
from tme_sim.state.tissue import Tissue


@dataclass(frozen=True)
class BeforeDrug:
    """What a drug found where it first came, or would have found.

    Attributes
    ----------
    minutes : float
        When the step began in which the tumour was judged: in which the drug came, or that stands for its first dose.
    came_min : float
        When the step began in which it came; nan as long as it has not.
    births : int
        Births that there had been.
    ids : int64 (n,)
        Living tumour cells, ascending.
    ratio : float64 (n,)
        Their log-kill over that of a naive cell.
    exposure : ReferenceExposure
        By which they were judged.
    """

    minutes: float
    came_min: float
    births: int
    ids: np.ndarray
    ratio: np.ndarray
    exposure: ReferenceExposure


def note_first_doses(
    tissue: Tissue,
    context: Context,
    assay: Assay,
    drug_fields: Mapping[str, str],
    stands_for_dose_min: float,
    io_before: dict[str, BeforeDrug],
) -> None:
    """Keep how the tumour resists each drug that comes in this step for the first time.

    To be called after the interventions of a step and before cells feel anything of it. Of the tissue it only reads.
    ``stands_for_dose_min`` counts as the first dose of drugs that have not come by then; inf: nothing does.
    """
    for exposure in assay.exposures:
        drug, field = exposure.drug, drug_fields[exposure.drug]
        known = io_before.get(drug)
        if known is not None and not isnan(known.came_min):
            continue
        now = tissue.clock.minutes
        came_min = now if _is_there(tissue, drug, field) else nan
        if known is not None:
            io_before[drug] = replace(known, came_min=came_min)
        elif not isnan(came_min) or now >= stands_for_dose_min - 1e-9:
            io_before[drug] = _before(assay, exposure, field, tissue, context, came_min)


def _is_there(tissue: Tissue, drug: str, field: str) -> bool:
    """Return whether any of a drug is in plasma, in the tissue or in vesicles."""
    column = tissue.layout.fields.index(field)
    if tissue.plasma[column] > 0.0 or tissue.fields[..., column].any():
        return True
    loads = [i for i, load in enumerate(tissue.layout.loads) if load.startswith(f"{drug} in ")]
    return any(bool(tissue.loads[..., load].any()) for load in loads)


def _before(
    assay: Assay, exposure: ReferenceExposure, field: str, tissue: Tissue, context: Context, came_min: float
) -> BeforeDrug:
    """Assess the tumour as if nothing of the drug were there yet."""
    rows, drug = context.fresh().tumour_rows(tissue), exposure.drug
    rows = rows[np.argsort(tissue.cells["id"][rows])]
    unfelt = (field, f"drug {drug}", f"damage {drug}", f"exposure {drug}")
    own = assay.present(exposure, tissue, rows, unfelt)
    return BeforeDrug(
        minutes=tissue.clock.minutes,
        came_min=came_min,
        births=len(tissue.events.table("births")),
        ids=tissue.cells["id"][rows],
        ratio=ratio_of(assay, exposure, own, tissue.cells["type"][rows]),
        exposure=exposure,
    )


def resisted_before(
    tissue: Tissue, ids: np.ndarray, before: BeforeDrug | None, resistant_below: float
) -> np.ndarray:
    """Return whether each cell, or the ancestor it had then, resisted before the first dose, bool (n,).

    Without a dose, and a moment that stands for one (None), all that resists does so before it. Cells that came from
    outside since then, and their descendants, had no ancestor in the tissue that could have resisted.
    """
    if before is None:
        return np.ones(len(ids), bool)
    return np.isin(ancestors(tissue, ids, before.births), before.ids[before.ratio < resistant_below])
