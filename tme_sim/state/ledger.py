"""Books of matter: what was released, and where it went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# released by donors, given from outside; blocked: kept from being released, hence in no balance.
POOL_ACCOUNTS = ("released", "given", "internalised", "decayed", "left_vessel", "left_boundary", "blocked")
# secreted: given by cells, be it secretion, efflux of a drug or what the dead release.
FIELD_ACCOUNTS = (
    "secreted", "supplied", "consumed", "decayed", "left_vessel", "left_boundary", "neutralised",
)  # fmt: skip
# Of the tissue, that is field and cells together: what passes between these two is in no account.
DRUG_ACCOUNTS = ("supplied", "metabolised", "decayed", "left_vessel", "left_boundary")


@dataclass
class Ledger:
    """Cumulative amounts since the start.

    Attributes
    ----------
    pools : float64 (n_pools, len(POOL_ACCOUNTS))
        Vesicles.
    fields : float64 (n_fields, len(FIELD_ACCOUNTS))
        Concentration unit of the field times sites.
    drugs : float64 (n_drugs, len(DRUG_ACCOUNTS))
        nM times sites.
    flux : float64 (n_pools, n_cell_types, n_cell_types)
        Vesicles internalised, by pool, donor type and recipient type.
    start : float64 (n_fields,)
        What was there of each field at time 0, in the unit of ``fields``.
    """

    pools: np.ndarray
    fields: np.ndarray
    drugs: np.ndarray
    flux: np.ndarray
    start: np.ndarray

    @classmethod
    def empty(cls, n_pools: int, n_fields: int, n_drugs: int, n_types: int) -> Ledger:
        """Return books with nothing in them."""
        return cls(
            np.zeros((n_pools, len(POOL_ACCOUNTS))),
            np.zeros((n_fields, len(FIELD_ACCOUNTS))),
            np.zeros((n_drugs, len(DRUG_ACCOUNTS))),
            np.zeros((n_pools, n_types, n_types)),
            np.zeros(n_fields),
        )
