"""What heritable traits do: they multiply or shift what base values and rules give a cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Expression:
    """Effects of traits on behaviours, one row per effect.

    Attributes
    ----------
    neutral : float64 (n_traits,)
        Value without effect, that of a naive cell: 1 for traits that multiply, 0 for those that shift.
    kind, trait, behaviour : int64 (n_effects,)
        Cell type, column of the trait, column of the behaviour.
    multiplies : bool (n_effects,)
        True: behaviour × trait; False: behaviour + trait.
    evidence : tuple of tuple of str
        Mechanism ids of each trait.
    """

    neutral: np.ndarray
    kind: np.ndarray
    trait: np.ndarray
    behaviour: np.ndarray
    multiplies: np.ndarray
    evidence: tuple[tuple[str, ...], ...]

    @classmethod
    def none(cls) -> Expression:
        """Return what a scenario without traits has."""
        empty = np.zeros(0, np.int64)
        return cls(np.zeros(0), empty, empty, empty, np.zeros(0, np.bool_), ())

    def act(
        self, cell_type: np.ndarray, alive: np.ndarray, traits: np.ndarray, io_behaviours: np.ndarray
    ) -> None:
        """Apply every effect to the living cells of its type, in place.

        Parameters
        ----------
        cell_type : int16 (n,)
        alive : bool (n,)
        traits : float64 (n, n_traits)
        io_behaviours : float64 (n, n_behaviours)
        """
        for kind, trait, column, multiplies in zip(
            self.kind, self.trait, self.behaviour, self.multiplies, strict=True
        ):
            acts = alive & (cell_type == kind)
            if multiplies:
                io_behaviours[:, column] *= np.where(acts, traits[:, trait], 1.0)
            else:
                io_behaviours[:, column] += np.where(acts, traits[:, trait], 0.0)
