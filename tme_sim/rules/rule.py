"""One rule of the cell-behaviour grammar, in internal units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    """A condition of a rule: a Hill factor in [0, 1] that multiplies the rule's term.

    Attributes
    ----------
    signal : str
        Name of the signal.
    above : bool
        True: the factor rises with the signal (``HIF above 0.5``); False: it falls (``below``).
    threshold : float
        Value at which the factor is one half, unit of the signal; > 0.
    hill : float
        Steepness; > 0.
    """

    signal: str
    above: bool
    threshold: float
    hill: float


@dataclass(frozen=True)
class Rule:
    """``In CELL cells, SIGNAL increases|decreases BEHAVIOUR towards SATURATION``.

    Attributes
    ----------
    cell, signal, behaviour : str
        Names as in the rule words of the scenario.
    increases : bool
        Direction.
    saturation, half_max, hill : float
        Internal units; ``half_max`` in the unit of the signal.
    gates : tuple of Gate
        Conditions, all of which multiply.
    evidence : tuple of str
        Ids of the mechanisms it implements.
    basis : str
        ``stated``, ``inferred`` or ``assumed``: where its form comes from.
    hypothesis : str or None
        ``set.alternative`` where the documents leave the link open.
    why : str
        Reason, required where something is assumed.
    dead : bool
        True where it also acts on the remains of dead cells.
    """

    cell: str
    signal: str
    increases: bool
    behaviour: str
    saturation: float
    half_max: float
    hill: float
    gates: tuple[Gate, ...]
    evidence: tuple[str, ...]
    basis: str
    hypothesis: str | None
    why: str
    dead: bool = False
