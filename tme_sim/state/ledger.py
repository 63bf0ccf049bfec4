"""Books of matter: what was released, and where it went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POOL_ACCOUNTS = ("released", "given", "internalised", "decayed", "left_vessel", "left_boundary", "blocked")
FIELD_ACCOUNTS = ("secreted", "supplied", "consumed", "decayed", "left_vessel", "left_boundary", "neutralised")
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
    """

    pools: np.ndarray
    fields: np.ndarray
    drugs: np.ndarray
    flux: np.ndarray

    @classmethod
    def empty(cls, n_pools: int, n_fields: int, n_drugs: int, n_types: int) -> Ledger:
        """Return books with nothing in them."""
        return cls(
            np.zeros((n_pools, len(POOL_ACCOUNTS))),
            np.zeros((n_fields, len(FIELD_ACCOUNTS))),
            np.zeros((n_drugs, len(DRUG_ACCOUNTS))),
            np.zeros((n_pools, n_types, n_types)),
        )
