"""A drug in the body: linear compartments, stepped exactly by the matrix exponential.

    dx/dt = A x + r      x amounts (nmol), A rates (1/min) whose columns add up to zero, r constant over a piece

    x(τ) = E x(0) + Φ r,   ∫x = Φ x(0) + Ψ r,   E = exp(Aτ), Φ = ∫E, Ψ = ∫Φ

E, Φ and Ψ are blocks of one exponential (Van Loan 1978, doi:10.1109/TAC.1978.1101743), so that a step of any
length has no error of time. Because no column of A makes or loses matter, what was given is at any time what
the compartments hold; what has left the body is a compartment too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

# Bile passes through this many equal stages on its way to the bowel: a delay with a spread of delay/sqrt(8).
BILE_STAGES = 8


@dataclass(frozen=True)
class Volume:
    """A central volume, its clearance, and a peripheral volume in exchange with it.

    Attributes
    ----------
    volume_l, clearance_l_min : float
    peripheral_l, flow_l_min : float
        Both 0 without a peripheral compartment.
    """

    volume_l: float
    clearance_l_min: float
    peripheral_l: float = 0.0
    flow_l_min: float = 0.0


@dataclass(frozen=True)
class BodySpec:
    """What a drug does in the body.

    Attributes
    ----------
    plasma : Volume
        Of the drug itself.
    absorption_per_min, bioavailability : float
        From the gut; the rest of an oral dose is never absorbed.
    recycled_share, recycling_delay_min : float
        Share of the clearance that goes into bile, and how long bile takes to the bowel; there it is absorbed
        again with ``absorption_per_min``.
    prodrug : Volume or None
        When given, doses are of the prodrug.
    converted_share : float
        Share of the prodrug's clearance that makes the drug, mole for mole.
    """

    plasma: Volume
    absorption_per_min: float = 0.0
    bioavailability: float = 1.0
    recycled_share: float = 0.0
    recycling_delay_min: float = 0.0
    prodrug: Volume | None = None
    converted_share: float = 0.0


@dataclass(frozen=True)
class Body:
    """Compartments of one drug; `body_of` makes one.

    Attributes
    ----------
    names : tuple of str
    rates : float64 (n, n)
        1/min; columns add up to zero.
    vein, gut : int
        Where a dose enters by vein and by mouth.
    """

    names: tuple[str, ...]
    rates: np.ndarray
    spec: BodySpec
    _steps: dict[float, tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)

    def index(self, name: str) -> int:
        """Return the place of a compartment."""
        return self.names.index(name)

    @property
    def vein(self) -> int:
        """Compartment that a dose by vein enters."""
        return self.index("plasma" if self.spec.prodrug is None else "prodrug plasma")

    def concentration(self, amounts: np.ndarray) -> float:
        """Return the total concentration of the drug in plasma, nM."""
        return float(amounts[self.index("plasma")]) / self.spec.plasma.volume_l

    def advance(
        self, amounts: np.ndarray, entering: np.ndarray, minutes: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the amounts after ``minutes`` and their time integral.

        Parameters
        ----------
        amounts : float64 (n,)
            nmol.
        entering : float64 (n,)
            Constant inflow from outside, nmol/min.
        minutes : float
        """
        if minutes not in self._steps:
            self._steps[minutes] = _exponentials(self.rates, minutes)
        e, phi, psi = self._steps[minutes]
        return e @ amounts + phi @ entering, phi @ amounts + psi @ entering


def body_of(spec: BodySpec) -> Body:
    """Return the compartments of a drug."""
    names = ["plasma", "gut", "peripheral", "eliminated", "unabsorbed", "washed out"]
    recycled = spec.recycled_share > 0.0
    bile = [f"bile {k + 1}" for k in range(BILE_STAGES)] if recycled else []
    names += [*bile, "bowel"] if recycled else []
    names += ["prodrug plasma", "prodrug peripheral"] if spec.prodrug is not None else []
    rates = np.zeros((len(names), len(names)))

    def flow(source: str, target: str, per_min: float) -> None:
        i, j = names.index(source), names.index(target)
        rates[j, i] += per_min
        rates[i, i] -= per_min

    def exchange(volume: Volume, centre: str, outside: str) -> None:
        if volume.peripheral_l > 0.0:
            flow(centre, outside, volume.flow_l_min / volume.volume_l)
            flow(outside, centre, volume.flow_l_min / volume.peripheral_l)

    cleared = spec.plasma.clearance_l_min / spec.plasma.volume_l
    exchange(spec.plasma, "plasma", "peripheral")
    flow("plasma", "eliminated", cleared * (1.0 - spec.recycled_share))
    if recycled:
        flow("plasma", bile[0], cleared * spec.recycled_share)
        for here, there in zip(bile, [*bile[1:], "bowel"], strict=True):
            flow(here, there, BILE_STAGES / spec.recycling_delay_min)
        flow("bowel", "plasma", spec.absorption_per_min)
    if spec.prodrug is not None:
        turned = spec.prodrug.clearance_l_min / spec.prodrug.volume_l
        exchange(spec.prodrug, "prodrug plasma", "prodrug peripheral")
        flow("prodrug plasma", "plasma", turned * spec.converted_share)
        flow("prodrug plasma", "eliminated", turned * (1.0 - spec.converted_share))
    flow("gut", "plasma" if spec.prodrug is None else "prodrug plasma", spec.absorption_per_min)
    return Body(tuple(names), rates, spec)


def _exponentials(rates: np.ndarray, minutes: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return E, Φ and Ψ of a step, none of them negative."""
    from scipy.linalg import expm  # a third of the time of loading a scenario, which needs no exponential

    n = len(rates)
    block = np.zeros((3 * n, 3 * n))
    block[:n, :n] = rates * minutes
    block[:n, n : 2 * n] = block[n : 2 * n, 2 * n :] = np.eye(n)
    top = np.maximum(expm(block)[:n], 0.0)
    return top[:, :n], top[:, n : 2 * n] * minutes, top[:, 2 * n :] * minutes**2


def half_life_rate(half_life_min: float) -> float:
    """Return the rate of a half-life, 1/min."""
    return math.log(2.0) / half_life_min
