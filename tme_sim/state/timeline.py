"""What the timeline of a run remembers: drug in the body, and since when conditional things have been on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class BodyState:
    """One drug in the body.

    Attributes
    ----------
    amounts : float64 (n_compartments,)
        nmol, in the order of `numerics.compartments.Body.names`.
    given_nmol : float
        All that was given; what the compartments hold adds up to it.
    total_nm : float
        Total concentration in plasma, mean over the last step.
    auc_nm_min : float
        Time integral of the total concentration.
    """

    amounts: np.ndarray
    given_nmol: float = 0.0
    total_nm: float = 0.0
    auc_nm_min: float = 0.0

    @classmethod
    def empty(cls, n_compartments: int) -> BodyState:
        """Return a body without drug."""
        return cls(np.zeros(n_compartments))


@dataclass
class Timeline:
    """State of doses and interventions.

    Attributes
    ----------
    runs : dict of str to list of [on, off]
        For what starts on a condition: when it was on, minutes; off is inf while it is on.
    bodies : dict of str to BodyState
        Drugs with compartments, by name.
    """

    runs: dict[str, list[list[float]]] = field(default_factory=dict)
    bodies: dict[str, BodyState] = field(default_factory=dict)
