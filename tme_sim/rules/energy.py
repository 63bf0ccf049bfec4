"""The signal ``energy`` of a cell, and what making it takes from the fields (formulas: `numerics.metabolism`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class PumpCosts:
    """ATP that membrane pumps add to the demand.

    Attributes
    ----------
    columns : int64 (n_pumps,)
        Variables that are pumps.
    cost : float64 (n_types, n_pumps)
        ATP used at a level of 1, nM of the site per minute.
    evidence : tuple of tuple of str
        Mechanism ids of each pump.
    """

    columns: np.ndarray
    cost: np.ndarray
    evidence: tuple[tuple[str, ...], ...]


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
    pumps : PumpCosts
    """

    def __init__(
        self,
        table: np.ndarray,
        fields: tuple[int, int, int],
        columns: tuple[int, int, int, int],
        per_molecule_nm: float,
        evidence: tuple[str, ...],
        pumps: PumpCosts,
    ):
        self.table, self.fields, self.columns, self.per_molecule_nm = table, fields, columns, per_molecule_nm
        self.evidence, self.pumps = evidence, pumps
        self._fields = np.array(fields, np.int64)

    def links(self, layout: Layout, kind: int) -> list[tuple[set[str], tuple[str, ...]]]:
        """Return what the energy of a cell type depends on: names of fields and variables, each with mechanism ids."""
        row = self.table[kind]
        if row[11] <= 0.0:  # no demand: its energy is 1 whatever happens
            return []
        fuels = {layout.fields[f] for f in self.fields if f >= 0}
        fuels |= {layout.variables[int(column)] for column in row[:2] if column >= 0}
        pumps = zip(self.pumps.columns, self.pumps.cost[kind], self.pumps.evidence, strict=True)
        return [(fuels, self.evidence)] + [
            ({layout.variables[column]}, ids) for column, cost, ids in pumps if cost > 0.0
        ]

    def without(self, mechanism: str) -> Energy:
        """Return the energy with all that cites a mechanism cut: the pump that does, or the formulas; else itself."""
        cites = [mechanism in ids for ids in self.pumps.evidence]
        if mechanism not in self.evidence and not any(cites):
            return self
        table = np.zeros_like(self.table) if mechanism in self.evidence else self.table
        pumps = replace(self.pumps, cost=np.where(cites, 0.0, self.pumps.cost))
        return Energy(table, self.fields, self.columns, self.per_molecule_nm, self.evidence, pumps)

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
        out, pumps = np.empty((5, len(cell_type))), self.pumps
        fluxes(
            len(cell_type), cell_type, death, here, self._fields, fields, variables, self.table, pumps.columns,
            pumps.cost, out,
        )  # fmt: skip
        return out.T

    def charge(self, flux: np.ndarray, io_behaviours: np.ndarray) -> None:
        """Add the fluxes to the behaviours that take up and secrete."""
        for column, values in zip(
            self.columns, (flux[:, 1], flux[:, 2], flux[:, 3], flux[:, 4] / self.per_molecule_nm), strict=True
        ):
            if column >= 0:
                io_behaviours[:, column] += values
