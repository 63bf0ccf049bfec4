"""The signal ``energy`` of a cell, and what making it takes from the fields (formulas: `numerics.metabolism`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.metabolism import fluxes
from tme_sim.state.layout import Layout


@dataclass(frozen=True)
class MetabolismSpec:
    """Metabolism of one cell type, in nM of the site per minute; oxygen constants in mmHg.

    Attributes
    ----------
    importer, oxidiser : int
        Columns of the variables that carry lactate in and turn it to pyruvate; -1: not scaled by one.
    oxygen_max : float
        Maximal respiration, mmHg/min.
    solubility : float
        nM of oxygen per mmHg.
    """

    importer: int
    oxidiser: int
    oxygen_max: float
    oxygen_half: float
    glucose_max: float
    glucose_half: float
    lactate_max: float
    lactate_half: float
    oxygen_per_lactate: float
    atp_per_glucose: float
    atp_per_oxygen: float
    atp_demand: float
    solubility: float

    def as_row(self) -> np.ndarray:
        """Return the numbers in the order the kernel reads them, float64 (13,)."""
        return np.array(
            [
                self.importer,
                self.oxidiser,
                self.oxygen_max,
                self.oxygen_half,
                self.glucose_max,
                self.glucose_half,
                self.lactate_max,
                self.lactate_half,
                self.oxygen_per_lactate,
                self.atp_per_glucose,
                self.atp_per_oxygen,
                self.atp_demand,
                self.solubility,
            ]
        )


class Energy:
    """Assess energy before the rules are read, and charge the fields after.

    `assess` gives the signal ``energy``; `charge` adds the fluxes to the uptake and secretion behaviours, so that
    the fields' one implicit solve carries them.

    Parameters
    ----------
    table : float64 (n_types, 13)
    fields : (oxygen, glucose, lactate)
        Field indices; -1 where the scenario has no such field (then 0 everywhere).
    columns : (uptake oxygen, uptake glucose, uptake lactate, secretion lactate)
        Behaviour columns, -1 where absent.
    per_molecule_nm : float
        nM that one lactate per site makes: secretion is a behaviour in molecules.
    evidence : tuple of str
        Mechanism ids of the formulas.
    """

    def __init__(
        self,
        table: np.ndarray,
        fields: tuple[int, int, int],
        columns: tuple[int, int, int, int],
        per_molecule_nm: float,
        evidence: tuple[str, ...] = (),
    ):
        self.table, self.fields, self.columns, self.per_molecule_nm = table, fields, columns, per_molecule_nm
        self.evidence = evidence
        self._fields = np.array(fields, np.int64)

    def inputs(self, layout: Layout, kind: int) -> set[str]:
        """Return the names of the fields and variables that the energy of a cell type depends on."""
        row = self.table[kind]
        if row[11] <= 0.0:  # no demand: its energy is 1 whatever happens
            return set()
        fields = {layout.fields[f] for f in self.fields if f >= 0}
        return fields | {layout.variables[int(column)] for column in row[:2] if column >= 0}

    def assess(
        self,
        cell_type: np.ndarray,
        death: np.ndarray,
        fields: np.ndarray,
        variables: np.ndarray,
        site: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return fluxes (n, 5) of cells with ``variables`` (n_variables, >= n).

        ``fields`` is (n_fields, n), or (n_fields, n_sites) with the ``site`` (n,) of each cell.
        """
        here = np.arange(len(cell_type)) if site is None else site
        out = np.empty((5, len(cell_type)))
        fluxes(len(cell_type), cell_type, death, here, self._fields, fields, variables, self.table, out)
        return out.T

    def charge(self, flux: np.ndarray, io_behaviours: np.ndarray) -> None:
        """Add the fluxes to the behaviours that take up and secrete."""
        for column, values in zip(
            self.columns, (flux[:, 1], flux[:, 2], flux[:, 3], flux[:, 4] / self.per_molecule_nm), strict=True
        ):
            if column >= 0:
                io_behaviours[:, column] += values
