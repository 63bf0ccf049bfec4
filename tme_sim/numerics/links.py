"""Relative conductance of the faces between neighbouring sites."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Links:
    """Face conductances relative to D/h², shared by all species of a solver; 1 = uniform medium, 0 = closed.

    Attributes
    ----------
    x, y, z : float64 (nz, ny, nx-1), (nz, ny-1, nx), (nz-1, ny, nx)
        ``x[k, j, i]`` joins sites (k, j, i) and (k, j, i+1); ``y`` and ``z`` alike. Dimensionless.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray

    @classmethod
    def uniform(cls, shape: tuple[int, int, int]) -> Links:
        """Return links of a uniform medium: 1 on every face inside a lattice of ``shape`` (nz, ny, nx)."""
        nz, ny, nx = shape
        return cls(np.ones((nz, ny, nx - 1)), np.ones((nz, ny - 1, nx)), np.ones((nz - 1, ny, nx)))

    def check(self, shape: tuple[int, int, int]) -> None:
        """Raise ValueError unless the arrays fit a lattice of ``shape``, finite and not negative."""
        nz, ny, nx = shape
        for name, expected in (("x", (nz, ny, nx - 1)), ("y", (nz, ny - 1, nx)), ("z", (nz - 1, ny, nx))):
            values: np.ndarray = getattr(self, name)
            if values.shape != expected:
                raise ValueError(
                    f"links.{name}: shape {values.shape}; expected {expected} on lattice {shape}"
                )
            if not (np.isfinite(values).all() and (values >= 0.0).all()):
                raise ValueError(f"links.{name}: expected every value finite and not negative")


def links_from_mobility(mobility: np.ndarray) -> Links:
    """Return links of a medium whose diffusion coefficient varies in space.

    The harmonic mean of the two sites keeps the flux continuous across the face: two half-sites in series.

    Parameters
    ----------
    mobility : float64 (nz, ny, nx)
        D(x) relative to the D that gives the solver's conductance; 0 closes all faces of a site.
    """

    def series(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        total = a + b
        return np.divide(2.0 * a * b, total, out=np.zeros_like(total), where=total > 0.0)

    m = np.asarray(mobility, np.float64)
    return Links(series(m[:, :, :-1], m[:, :, 1:]), series(m[:, :-1], m[:, 1:]), series(m[:-1], m[1:]))


def well_factor(spacing_um: float, radius_um: float) -> float:
    """Return by how much the faces of a one-site vessel conduct better than those of a site-wide one.

    Around a vessel of radius R the flux through a ring is 2πD(P_v - P_h)/ln(h/R); the four faces of its site
    carry 4 f D (P_v - P_h): f = (π/2)/ln(h/R).

    Raises
    ------
    ValueError
        When the vessel is not thinner than a site (it then needs several sites and no correction).

    Notes
    -----
    Source: Peaceman (1978), Interpretation of well-block pressures, doi:10.2118/6893-PA. Limits: made for a
    vessel along z in cubic sites, four open faces.
    """
    if not 0.0 < radius_um < spacing_um:
        raise ValueError(f"radius_um: {radius_um}; expected between 0 and the spacing {spacing_um} um")
    return 0.5 * math.pi / math.log(spacing_um / radius_um)


def links_with_wells(links: Links, vessel: np.ndarray, factor: float) -> Links:
    """Return ``links`` with every face between a vessel site and another site multiplied by ``factor``.

    Parameters
    ----------
    vessel : bool (nz, ny, nx)
        Sites that hold a vessel; faces between two of them are left alone.
    """
    v = np.asarray(vessel, bool)

    def corrected(face: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.where(a != b, face * factor, face)

    return Links(
        corrected(links.x, v[:, :, :-1], v[:, :, 1:]),
        corrected(links.y, v[:, :-1], v[:, 1:]),
        corrected(links.z, v[:-1], v[1:]),
    )
