"""How a tumour answers to treatment: best response, disease control, progression, what resistance was gained.

Thresholds on the diameter as in RECIST 1.1 (doi:10.1016/j.ejca.2008.10.026): partial response at −30 % of the
baseline, progression at +20 % of the smallest value since. Its absolute 5 mm is left out: it is larger than the
simulated pieces of tissue. Diameters come from cell numbers (`measures.shape`), not from a slice of an image.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

PARTIAL, PROGRESSION = 0.7, 1.2
COMPLETE_RESPONSE, PARTIAL_RESPONSE = "complete response", "partial response"
STABLE_DISEASE, PROGRESSIVE_DISEASE = "stable disease", "progressive disease"


@dataclass(frozen=True)
class Response:
    """Answer of one tumour from the start of treatment on.

    Attributes
    ----------
    best : str
        Best response.
    controlled : bool
        Disease control: no progression up to the time asked for.
    progression_min : float
        Time from the start of treatment to progression, min; inf where none is seen.
    regrowth_min : float
        Time from the start of treatment until a tumour that had shrunk has its baseline size again; inf where it has
        not, nan where it never shrank.
    smallest : float
        Smallest diameter over baseline.
    """

    best: str
    controlled: bool
    progression_min: float
    regrowth_min: float
    smallest: float


def respond(minutes: np.ndarray, diameter: np.ndarray, start_min: float, control_min: float) -> Response:
    """Judge a series of diameters.

    Parameters
    ----------
    minutes, diameter : float64 (n,)
        Times ascending; any unit of length.
    start_min : float
        Start of treatment: the last value up to then is the baseline.
    control_min : float
        Disease control means no progression for this long.

    Raises
    ------
    ValueError
        There is no value up to the start, no tumour then, or nothing afterwards.
    """
    minutes, diameter = np.asarray(minutes, float), np.asarray(diameter, float)
    first = int(np.searchsorted(minutes, start_min, side="right")) - 1
    if first < 0 or first + 1 >= len(minutes) or not diameter[first] > 0.0:
        raise ValueError("expected a tumour at the start of treatment, and a value after it")
    size, since = diameter[first:] / diameter[first], minutes[first:] - start_min
    nadir = np.minimum.accumulate(size)
    grown = np.flatnonzero((size >= PROGRESSION * nadir) & (size > nadir))
    progression = float(since[grown[0]]) if len(grown) else float("inf")
    until = grown[0] if len(grown) else len(size)
    smallest = float(size[:until].min())
    if smallest == 0.0:
        best = COMPLETE_RESPONSE
    elif smallest <= PARTIAL:
        best = PARTIAL_RESPONSE
    else:
        best = PROGRESSIVE_DISEASE if progression <= control_min else STABLE_DISEASE
    return Response(best, progression > control_min, progression, _regrowth(size, since), float(size.min()))


def _regrowth(size: np.ndarray, since: np.ndarray) -> float:
    shrunk = np.flatnonzero(size < 1.0)
    if len(shrunk) == 0:
        return float("nan")
    back = np.flatnonzero(size[shrunk[0] :] >= 1.0)
    return float(since[shrunk[0] + back[0]]) if len(back) else float("inf")


@dataclass(frozen=True)
class Gain:
    """Resistant fraction at the start of treatment and how much was gained under it."""

    initial: float
    gained: float


def gain(minutes: np.ndarray, resistant: np.ndarray, start_min: float) -> Gain:
    """Return the resistant fraction at the last reading up to the start, and the largest rise above it afterwards.

    Parameters
    ----------
    minutes, resistant : float64 (n,)
        Readings that are nan are passed over.
    """
    minutes, resistant = np.asarray(minutes, float), np.asarray(resistant, float)
    seen = np.isfinite(resistant)
    before = resistant[seen & (minutes <= start_min)]
    after = resistant[seen & (minutes > start_min)]
    initial = float(before[-1]) if len(before) else float("nan")
    return Gain(initial, float(after.max() - initial) if len(after) else float("nan"))


@dataclass(frozen=True)
class Cohort:
    """Distribution over virtual patients.

    Attributes
    ----------
    shares : dict
        Share of each best response.
    control : float
        Share with disease control.
    control_interval : (float, float)
        Wilson's 95 % interval of it.
    progression_quartiles : float64 (3,)
        Quartiles of the time to progression, min; inf where that many have not progressed.
    primary : float
        Among patients who progress, those whose tumour was resistant before treatment by at least what it gained.
    """

    shares: dict[str, float]
    control: float
    control_interval: tuple[float, float]
    progression_quartiles: np.ndarray
    primary: float


def cohort(responses: Iterable[Response], gains: Iterable[Gain] = ()) -> Cohort:
    """Summarise virtual patients by their distribution.

    Raises
    ------
    ValueError
        There is no patient.
    """
    found, gained = list(responses), list(gains)
    if not found:
        raise ValueError("expected at least one patient")
    n, words = len(found), (COMPLETE_RESPONSE, PARTIAL_RESPONSE, STABLE_DISEASE, PROGRESSIVE_DISEASE)
    controlled = sum(r.controlled for r in found)
    low, high = stats.binomtest(controlled, n).proportion_ci(method="wilson")
    times = np.sort([r.progression_min for r in found])
    failed = [g for r, g in zip(found, gained, strict=False) if np.isfinite(r.progression_min)]
    return Cohort(
        shares={word: sum(r.best == word for r in found) / n for word in words},
        control=controlled / n,
        control_interval=(float(low), float(high)),
        progression_quartiles=times[[int(np.ceil(q * n)) - 1 for q in (0.25, 0.5, 0.75)]],
        primary=sum(g.initial >= g.gained for g in failed) / len(failed) if failed else float("nan"),
    )
