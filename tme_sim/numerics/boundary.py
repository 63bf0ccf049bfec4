"""Fixed values on the faces of the lattice, as terms of the linear system."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

FACES = ("x_low", "x_high", "y_low", "y_high", "z_low", "z_high")


def _edge(face: str) -> tuple[slice | int, ...]:
    index: list[slice | int] = [slice(None)] * 3
    index["zyx".index(face[0])] = 0 if face.endswith("low") else -1
    return tuple(index)


def boundary_terms(
    shape: tuple[int, int, int],
    conductance_per_min: np.ndarray,
    values: Mapping[str, np.ndarray],
    mobility: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what fixed values on faces add to the diagonal and to the right-hand side.

    The face lies half a spacing from the centre of its sites, so it conducts twice as well as an inner face:
    2k to the diagonal, 2k times the value to the right-hand side. The operator itself is closed at the edge.

    Parameters
    ----------
    shape : (nz, ny, nx)
        The lattice.
    conductance_per_min : float64 (n_species,)
        k = D/h² per species, 1/min.
    values : mapping of face (``FACES``) to float64 (n_species,)
        Value on the face in the field's unit; nan = no flux, as is a face left out.
    mobility : float64 (nz, ny, nx), optional
        Relative diffusion coefficient, 1 when left out.

    Returns
    -------
    diagonal, rhs : float64 (nz, ny, nx, n_species)
        In 1/min and in field unit per minute. The flux out of the domain is ``sum(diagonal * u - rhs)``.

    Raises
    ------
    ValueError
        For an unknown face.
    """
    k = np.asarray(conductance_per_min, np.float64)
    diagonal = np.zeros((*shape, len(k)))
    rhs = np.zeros_like(diagonal)
    for face, value in values.items():
        if face not in FACES:
            raise ValueError(f"boundary: face {face!r}; expected one of {', '.join(FACES)}")
        fixed = np.asarray(value, np.float64)
        half = np.where(np.isnan(fixed), 0.0, 2.0 * k)
        edge = _edge(face)
        terms = half if mobility is None else half * np.asarray(mobility, np.float64)[edge][..., None]
        diagonal[edge] += terms
        rhs[edge] += terms * np.where(np.isnan(fixed), 0.0, fixed)
    return diagonal, rhs
