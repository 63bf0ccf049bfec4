"""The lattice: its shape, spacing and the volumes that concentrations refer to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOLECULES_PER_UM3_IN_1_NM = 6.02214076e23 * 1e-9 * 1e-15


@dataclass(frozen=True)
class Grid:
    """A regular lattice of cubic sites.

    Parameters
    ----------
    shape : (nz, ny, nx)
        Number of sites; nz = 1 in two dimensions.
    spacing_um : float
        Edge of a site, µm.
    interstitial_fraction : float
        Share of a site's volume in which secreted factors and vesicles are dissolved, in (0, 1].
    medium_height_um : float
        Height of the medium over the sites of a dish, µm; 0 in tissue.
    """

    shape: tuple[int, int, int]
    spacing_um: float
    interstitial_fraction: float
    medium_height_um: float = 0.0

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def site_volume_um3(self) -> float:
        """Volume of one site, µm³."""
        return self.spacing_um**3

    @property
    def medium_sites(self) -> float:
        """Height of the medium of a dish in sites, 0 in tissue."""
        return self.medium_height_um / self.spacing_um

    @property
    def fluid_sites(self) -> float:
        """Volume of fluid that belongs to a site, in sites: 1 in tissue, the column of medium over it in a dish.

        The amount of a field at a site is its concentration times this; what cells take up, hold and secrete
        refers to one site.
        """
        return self.medium_sites or 1.0

    def molecules_per_nm(self, *, whole_site: bool) -> float:
        """Return how many molecules in one site make 1 nM.

        Parameters
        ----------
        whole_site : bool
            True for oxygen, metabolites and free drug (in equilibrium with the whole site), False for secreted
            factors, which are dissolved in the interstitial fraction.
        """
        fraction = 1.0 if whole_site else self.interstitial_fraction
        return MOLECULES_PER_UM3_IN_1_NM * self.site_volume_um3 * fraction

    def coordinates(self, site: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (z, y, x) indices, int64, of flat site indices."""
        z, y, x = np.unravel_index(site, self.shape)
        return z, y, x

    def positions_um(self, site: np.ndarray) -> np.ndarray:
        """Return the centres of sites, float64 (n, 3), columns x, y, z in µm."""
        z, y, x = self.coordinates(site)
        return (np.stack([x, y, z], axis=1) + 0.5) * self.spacing_um
