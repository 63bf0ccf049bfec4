"""A rule: one signal that raises or lowers one behaviour of one cell type, numbers in internal units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    """A condition that multiplies a rule's term by a Hill factor in [0, 1].

    Attributes
    ----------
    signal : str
        Name of a signal.
    above : bool
        True: the factor rises with the signal; False: it falls.
    threshold : float
        Signal at which the factor is one half, in the signal's internal unit.
    hill : float
        Steepness.
    """

    signal: str
    above: bool
    threshold: float
    hill: float


@dataclass(frozen=True)
class Rule:
    """One row of the rule table.

    Attributes
    ----------
    cell, signal, behaviour : str
        Cell type and the words of the vocabulary.
    increases : bool
        True: an up-rule, False: a down-rule.
    saturation : float
        Value that the behaviour approaches, in its internal unit.
    half_max : float
        Signal at half effect, in its internal unit, > 0.
    hill : float
        Hill power, > 0.
    gates : tuple of Gate
        All multiply.
    evidence : tuple of str
        Ids of mechanisms.
    basis : str
        ``stated``, ``inferred`` or ``assumed``: where the rule's form comes from.
    hypothesis : str or None
        ``set.name`` of the alternative it belongs to.
    why : str
        Reason, where the rule rests on an assumption.
    dead : bool
        True: applies to the remains of dead cells instead of living ones.
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
