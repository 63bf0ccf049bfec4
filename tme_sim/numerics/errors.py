"""What goes wrong when a system of fields is solved."""

from __future__ import annotations

# How the solve of one species ended.
CONVERGED, SLOW, NOT_FINITE, NEGATIVE_SINK, SINGULAR = 0, 1, 2, 3, 4


class SolveError(RuntimeError):
    """A linear or nonlinear solve gave no usable field.

    Attributes
    ----------
    species : int
        Index of the first species that failed.
    residual : float
        Its relative residual, not a number where the input was not finite.
    iterations : int
        Iterations done for it.
    """

    def __init__(self, reason: str, species: int, residual: float, iterations: int):
        super().__init__(f"species {species}: {reason} (residual {residual:.3g}, {iterations} iterations)")
        self.reason = reason
        self.species = species
        self.residual = residual
        self.iterations = iterations

    def __reduce__(self):
        return type(self), (self.reason, self.species, self.residual, self.iterations)
