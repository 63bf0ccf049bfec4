"""Selected or induced? The fluctuation test, sisters, and what remains without the drug.

Statistics on counts and pairs, of made clones as of real ones: nothing here knows the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import chi2, norm

from tme_sim.state.codes import PROTECTED, STABLE, TRANSIENT

SELECTED, INDUCED_STABLE, INDUCED_TRANSIENT, PROTECTED_BEFORE, UNDECIDED = (
    "selected",
    "induced stable",
    "induced transient",
    "protected before",
    "undecided",
)


@dataclass(frozen=True)
class Fluctuation:
    """Outcome of a fluctuation test.

    Attributes
    ----------
    mean, variance : float
        Of the resistant cells per clone.
    dispersion : float
        Pearson's χ² of the clones over its degrees of freedom: 1 where each cell becomes resistant by itself with
        one probability, given how large its clone is; far above where resistance is inherited.
    p_value : float
        Probability of a dispersion at least as large if cells became resistant independently.
    """

    mean: float
    variance: float
    dispersion: float
    p_value: float


def fluctuation(resistant: np.ndarray, cells: np.ndarray) -> Fluctuation:
    """Test whether resistant cells are spread over clones as independent events are.

    Parameters
    ----------
    resistant, cells : (n,)
        Resistant cells and all cells at risk, of each of n clones that grew apart.

    Raises
    ------
    ValueError
        Fewer than two clones, or more resistant cells than cells.

    Notes
    -----
    Luria & Delbrück 1943 (doi:10.1093/genetics/28.6.491) compare variance and mean of equal cultures. Clones on a
    lattice differ in size, so the comparison is with the binomial of each clone's own size; for equal clones and
    few resistant cells it is theirs.
    """
    k, n = np.asarray(resistant, float), np.asarray(cells, float)
    if len(k) < 2 or np.any(k > n) or np.any(n <= 0):
        raise ValueError("expected at least two clones, each with cells, of which at most all are resistant")
    share = k.sum() / n.sum()
    if share in (0.0, 1.0):
        return Fluctuation(float(k.mean()), float(k.var(ddof=1)), 1.0, 1.0)
    statistic = float(np.sum((k - n * share) ** 2 / (n * share * (1.0 - share))))
    freedom = len(k) - 1
    return Fluctuation(
        float(k.mean()), float(k.var(ddof=1)), statistic / freedom, float(chi2.sf(statistic, freedom))
    )


def mutants(expected: float, largest: int) -> np.ndarray:
    """Return the probabilities of 0 to ``largest`` mutants in a clone with ``expected`` mutations, float64.

    Ma, Sandri & Sarkar 1992 (doi:10.2307/3214610), for the distribution of Lea and Coulson:
    p_0 = exp(−m), p_r = m/r Σ_{i<r} p_i/(r − i + 1).
    """
    p = np.zeros(largest + 1)
    p[0] = np.exp(-expected)
    for r in range(1, largest + 1):
        p[r] = expected / r * np.sum(p[:r] / (r - np.arange(r) + 1))
    return p


def mutation_rate(resistant: np.ndarray, cells: np.ndarray) -> float:
    """Return the probability of mutation per division that makes the counts most likely, 0 without mutants.

    Mutants that arise at a constant probability per division, grow as the others do, and are all seen; a clone of n
    cells has had n − 1 divisions.
    """
    k = np.asarray(resistant, np.int64)
    if not k.any():
        return 0.0
    divisions = np.maximum(np.asarray(cells, float) - 1.0, 1.0)

    def minus_log_likelihood(log_rate: float) -> float:
        chances = (mutants(np.exp(log_rate) * d, int(r))[-1] for r, d in zip(k, divisions, strict=True))
        return -sum(np.log(max(chance, 1e-300)) for chance in chances)

    found = minimize_scalar(minus_log_likelihood, bounds=(np.log(1e-9), np.log(0.5)), method="bounded")
    return float(np.exp(found.x))


@dataclass(frozen=True)
class Sisters:
    """Correlation of sisters: 0 where cells decide alone, towards 1 where what decides is inherited.

    Attributes
    ----------
    correlation : float
        Intraclass correlation over pairs, nan where all are alike.
    p_value : float
        Probability of one at least as large without any (one-sided, normal approximation).
    pairs : int
    """

    correlation: float
    p_value: float
    pairs: int


def sisters(one: np.ndarray, other: np.ndarray) -> Sisters:
    """Correlate a property (resistance, survival; yes or no, or a number) of one sister with the other's, both (n,)."""
    a, b = np.asarray(one, float), np.asarray(other, float)
    both = np.concatenate([a, b])
    if len(a) < 3 or both.std() == 0.0:
        return Sisters(float("nan"), 1.0, len(a))
    r = float(np.mean((a - both.mean()) * (b - both.mean())) / both.var())
    return Sisters(r, float(norm.sf(r * np.sqrt(len(a)))), len(a))


def sister_pairs(ids: np.ndarray, parent: np.ndarray, generation: np.ndarray) -> np.ndarray:
    """Return the rows of living sisters, int64 (n_pairs, 2): a mother and her last daughter, neither divided since.

    Parameters
    ----------
    ids, parent, generation : int64 (n_cells,)
        As in a snapshot.
    """
    row = {int(i): k for k, i in enumerate(ids)}
    pairs = [
        (row[int(mother)], k)
        for k, mother in enumerate(parent)
        if int(mother) in row and generation[row[int(mother)]] == generation[k]
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def origin(
    counted: Fluctuation, paired: Sisters, code: np.ndarray | None = None, significance: float = 0.01
) -> str:
    """Return where resistance comes from.

    Selected: clones fluctuate and sisters agree, both beyond chance. Neither does: ``protected before``, ``induced
    stable`` or ``induced transient``, the class that most cells have after a washout. One without the other leaves it
    ``undecided``, as do a tie of classes and no washout. A niche that holds whole clones looks selected to counts.

    Parameters
    ----------
    counted, paired
        Outcomes of `fluctuation` and `sisters`.
    code : int8 (n,), optional
        Classes of the cells after a washout (`state.codes`).
    """
    inherited = (counted.p_value < significance, paired.p_value < significance)
    if all(inherited):
        return SELECTED
    if any(inherited) or code is None:
        return UNDECIDED
    cells = {
        name: np.count_nonzero(code == kind)
        for name, kind in (
            (PROTECTED_BEFORE, PROTECTED),
            (INDUCED_STABLE, STABLE),
            (INDUCED_TRANSIENT, TRANSIENT),
        )
    }
    most = [name for name, count in cells.items() if count == max(cells.values())]
    return most[0] if len(most) == 1 else UNDECIDED
