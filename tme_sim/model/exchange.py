"""Matter that agents add to a tissue or take from it, entered in its books."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from tme_sim.state.ledger import DRUG_ACCOUNTS, FIELD_ACCOUNTS, POOL_ACCOUNTS
from tme_sim.state.tissue import Tissue

_GIVEN = POOL_ACCOUNTS.index("given")
_FIELD_SUPPLIED = FIELD_ACCOUNTS.index("supplied")
_DRUG_SUPPLIED = DRUG_ACCOUNTS.index("supplied")


def unknown_name(what: str, name: str, names: Sequence[str]) -> str:
    """Return the words of an error about a name that does not exist."""
    close = get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(names) or 'none'}"
    return f"no {what} named {name!r}{hint}"


def site_values(tissue: Tissue, name: str, sites: np.ndarray | int) -> np.ndarray:
    """Return the local values of a field (in its unit) or the free vesicles of a pool at sites.

    Parameters
    ----------
    name : str
        A field; or, where no field has that name, a vesicle pool.
    sites : int64 (n,) or int
        Flat site indices.

    Returns
    -------
    float64 (n,), a copy, or a scalar for one site.

    Raises
    ------
    KeyError
        No field and no pool has this name.
    """
    array, column = _place(tissue, name)
    return array[..., column][np.unravel_index(sites, tissue.grid.shape)]


def supply(tissue: Tissue, name: str, site: int, amount: float, drug_field: np.ndarray) -> None:
    """Add to a field (its unit) or pool (vesicles) at one site and enter it as supplied or given.

    Parameters
    ----------
    amount : float
        Field unit or vesicles; negative takes away.
    drug_field : int64 (n_drugs,)
        Field of each drug, -1 for none.

    Raises
    ------
    KeyError
        No field and no pool has this name.
    ValueError
        The amount is not finite or more is taken than there is.
    """
    array, column = _place(tissue, name)
    where = (*np.unravel_index(site, tissue.grid.shape), column)
    left = float(array[where]) + amount
    if not (np.isfinite(left) and left >= 0.0):
        raise ValueError(f"{name} at site {site}: {array[where]} + {amount}; expected finite, not negative")
    array[where] = left
    if array is tissue.pools:
        tissue.ledger.pools[column, _GIVEN] += amount
        return
    amount *= tissue.capacity(column)
    tissue.ledger.fields[column, _FIELD_SUPPLIED] += amount
    tissue.ledger.drugs[drug_field == column, _DRUG_SUPPLIED] += amount


def enter_change(tissue: Tissue, group: str, column: int, change: float) -> None:
    """Enter drug held (nM times sites) or vesicles docked that someone has put into cells from outside.

    Parameters
    ----------
    group : {"drug", "docked", ...}
        Matrix column; groups that are not kept in books are passed over.
    """
    if group == "drug":
        tissue.ledger.drugs[column, _DRUG_SUPPLIED] += change
    elif group == "docked":
        tissue.ledger.pools[column, _GIVEN] += change


def _place(tissue: Tissue, name: str) -> tuple[np.ndarray, int]:
    layout = tissue.layout
    if name in layout.fields:
        return tissue.fields, layout.fields.index(name)
    if name in layout.pools:
        return tissue.pools, layout.pools.index(name)
    raise KeyError(unknown_name("field or pool", name, (*layout.fields, *layout.pools)))
