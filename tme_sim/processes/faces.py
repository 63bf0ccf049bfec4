"""Fixed values on the faces of the lattice, kept for the sites that touch one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tme_sim.numerics.boundary import FACES, boundary_terms


def fixed_values(boundaries: list[Mapping[str, float]]) -> dict[str, np.ndarray]:
    """Return fixed values by face, float64 (n_species,) each, nan where a species has no flux."""
    return {face: np.array([b.get(face, np.nan) for b in boundaries]) for face in FACES}


class Faces:
    """Fixed values on the faces of the lattice; without any it costs nothing.

    Parameters
    ----------
    conductance_per_min, values
        As for `numerics.boundary.boundary_terms`.
    medium_sites : float
        Height of the medium of a dish in sites: its surface, the face ``z_high``, lies that far off; 0 in tissue.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        conductance_per_min: np.ndarray,
        values: Mapping[str, np.ndarray],
        medium_sites: float = 0.0,
    ):
        if medium_sites > 0.0:
            sides = {face: value for face, value in values.items() if face != "z_high"}
            diag, rhs = boundary_terms(shape, conductance_per_min, sides)
            surface = conductance_per_min / (2.0 * medium_sites**2)  # a face conducts twice, here it does not
            top = boundary_terms(shape, surface, {"z_high": values["z_high"]})
            diag, rhs = diag + top[0], rhs + top[1]
        else:
            diag, rhs = boundary_terms(shape, conductance_per_min, values)
        self.diag, self.rhs = (a.reshape(-1, len(conductance_per_min)) for a in (diag, rhs))
        self.sites = np.flatnonzero(self.diag.any(axis=1))
        self.diag, self.rhs = self.diag[self.sites], self.rhs[self.sites]

    def add_to(self, species: int, places: np.ndarray, io_diag: np.ndarray, io_rhs: np.ndarray) -> None:
        """Add the terms of one species' linear system to planes, given the ``places`` (n_sites,) of all sites."""
        if len(self.sites):
            io_diag[places[self.sites]] += self.diag[:, species]
            io_rhs[places[self.sites]] += self.rhs[:, species]

    def passed(self, u: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return what comes in and what goes out per minute through all faces, float64 (n_species,) each.

        ``u`` has (n_sites,) for every species.
        """
        at_faces = np.array([values[self.sites] for values in u]).reshape(len(u), len(self.sites))
        return self.rhs.sum(axis=0), (self.diag * at_faces.T).sum(axis=0)
