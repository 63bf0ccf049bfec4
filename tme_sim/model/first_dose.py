"""Which tumour cells resisted a drug just before its first dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tme_sim.measures.lineage import ancestors
from tme_sim.measures.measure import Context
from tme_sim.measures.resistance import EXTRA, Assay, ReferenceExposure, ratio_of
from tme_sim.state.tissue import Tissue


@dataclass(frozen=True)
class BeforeDrug:
    """What a drug found where it first came.

    Attributes
    ----------
    minutes : float
        When the step began in which it came.
    births : int
        Births that there had been.
    resistant : int64 (n,)
        Ids of the living tumour cells that resisted it.
    """

    minutes: float
    births: int
    resistant: np.ndarray


def note_first_doses(
    tissue: Tissue, context: Context, drug_fields: Mapping[str, str], io_before: dict[str, BeforeDrug]
) -> None:
    """Keep which tumour cells resist a drug that comes in this step for the first time.

    To be called after the interventions of a step and before cells feel anything of it. Of the tissue it only reads.
    """
    assay: Assay | None = context.extras.get(EXTRA)
    for exposure in () if assay is None else assay.exposures:
        field = drug_fields[exposure.drug]
        if assay is not None and exposure.drug not in io_before and _is_there(tissue, exposure.drug, field):
            io_before[exposure.drug] = _before(assay, exposure, field, tissue, context)


def _is_there(tissue: Tissue, drug: str, field: str) -> bool:
    """Return whether any of a drug is in plasma, in the tissue or in vesicles."""
    column = tissue.layout.fields.index(field)
    if tissue.plasma[column] > 0.0 or tissue.fields[..., column].any():
        return True
    loads = [i for i, load in enumerate(tissue.layout.loads) if load.startswith(f"{drug} in ")]
    return any(bool(tissue.loads[..., load].any()) for load in loads)


def _before(
    assay: Assay, exposure: ReferenceExposure, field: str, tissue: Tissue, context: Context
) -> BeforeDrug:
    """Assess the tumour as if nothing of the drug were there yet."""
    rows, drug = context.fresh().tumour_rows(tissue), exposure.drug
    unfelt = (field, f"drug {drug}", f"damage {drug}", f"exposure {drug}")
    ratio = ratio_of(
        assay, exposure, assay.present(exposure, tissue, rows, unfelt), tissue.cells["type"][rows]
    )
    return BeforeDrug(
        minutes=tissue.clock.minutes,
        births=len(tissue.events.table("births")),
        resistant=np.sort(tissue.cells["id"][rows[ratio < assay.resistant_below]]),
    )


def resisted_before(tissue: Tissue, ids: np.ndarray, before: BeforeDrug | None) -> np.ndarray:
    """Return whether each cell, or the ancestor it had then, resisted before the first dose, bool (n,).

    Without a dose (None) all that resists does so before it. Cells that came from outside since then, and their
    descendants, had no ancestor in the tissue that could have resisted.
    """
    if before is None:
        return np.ones(len(ids), bool)
    return np.isin(ancestors(tissue, ids, before.births), before.resistant)
