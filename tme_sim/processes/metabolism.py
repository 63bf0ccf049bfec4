"""Energy of a cell from oxygen, glucose and lactate, with lactate oxidation charged with oxygen.

    respiration     r = r_max O/(K_O + O)                                 oxygen
    glycolysis      g = g_max G/(K_G + G)                                 glucose
    lactate burnt   l = l_max a b L/(K_L + L) O/(K_O + O)                 a importer, b oxidising isoform
    oxygen used     r + n_O l                                             n_O = 3 per lactate
    lactate made    2 max(0, g − r/6)
    energy          (2 g + y (r + n_O l)) / demand                        y ATP per oxygen

All fluxes in nM of the site per minute; oxygen enters in mmHg through its solubility. Carbon for respiration is
taken from glucose first (six oxygen per glucose); what glucose does not cover comes from stores and amino acids.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.jit import parallel_kernel, prange

OXYGEN_PER_GLUCOSE = 6.0
LACTATE_PER_GLUCOSE = 2.0


@dataclass(frozen=True)
class MetabolismSpec:
    """Metabolism of one cell type, in nM of the site per minute; oxygen constants in mmHg.

    Attributes
    ----------
    importer, oxidiser : int
        Columns of the variables that carry lactate in and turn it to pyruvate.
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
        return np.array([
            self.importer, self.oxidiser, self.oxygen_max, self.oxygen_half, self.glucose_max, self.glucose_half,
            self.lactate_max, self.lactate_half, self.oxygen_per_lactate, self.atp_per_glucose, self.atp_per_oxygen,
            self.atp_demand, self.solubility,
        ])


@parallel_kernel
def fluxes(
    cell_type: np.ndarray, death: np.ndarray, oxygen: np.ndarray, glucose: np.ndarray, lactate: np.ndarray,
    variables: np.ndarray, table: np.ndarray, out_flux: np.ndarray,
) -> None:
    """Write energy and the maximal rates that the fields need, per cell.

    Parameters
    ----------
    oxygen, glucose, lactate : float64 (n,)
        At the cell's site: mmHg, nM, nM.
    table : float64 (n_types, 13)
        `MetabolismSpec.as_row` per type; a demand of 0 marks a type without metabolism.
    out_flux : float64 (n, 5)
        Energy (supply over demand); maximal oxygen uptake, mmHg/min; maximal glucose uptake, nM/min; maximal
        lactate uptake at the present oxygen, nM/min; lactate secretion, nM/min.
    """
    for i in prange(out_flux.shape[0]):
        m = table[cell_type[i]]
        out_flux[i, :] = 0.0
        if m[11] <= 0.0 or death[i] != 0:
            continue
        oxygen_share = oxygen[i] / (m[3] + oxygen[i])
        respiration = m[2] * m[12] * oxygen_share
        glycolysis = m[4] * glucose[i] / (m[5] + glucose[i])
        burn_max = m[6] * variables[i, int(m[0])] * variables[i, int(m[1])]
        lactate_share = lactate[i] / (m[7] + lactate[i])
        burnt = burn_max * lactate_share * oxygen_share
        used = respiration + m[8] * burnt
        out_flux[i, 0] = (m[9] * glycolysis + m[10] * used) / m[11]
        out_flux[i, 1] = m[2] + m[8] * burn_max * lactate_share / m[12]
        out_flux[i, 2] = m[4]
        out_flux[i, 3] = burn_max * oxygen_share
        out_flux[i, 4] = 2.0 * max(0.0, glycolysis - respiration / 6.0)


class Metabolism:
    """Assess energy before the rules are read, and charge the fields after.

    Not a step of its own in the loop: `assess` gives the signal ``energy``, `charge` adds the fluxes to the
    uptake and secretion behaviours, so that the fields' one implicit solve carries them.

    Parameters
    ----------
    table : float64 (n_types, 13)
    fields : (oxygen, glucose, lactate)
        Field indices; -1 where the scenario has no such field (then 0 everywhere).
    columns : (uptake oxygen, uptake glucose, uptake lactate, secretion lactate)
        Behaviour columns, -1 where absent.
    per_molecule_nm : float
        nM that one lactate per site makes: secretion is a behaviour in molecules.
    """

    def __init__(self, table: np.ndarray, fields: tuple[int, int, int], columns: tuple[int, int, int, int],
                 per_molecule_nm: float):
        self.table, self.fields, self.columns, self.per_molecule_nm = table, fields, columns, per_molecule_nm

    def assess(self, cell_type: np.ndarray, death: np.ndarray, at_site: np.ndarray, variables: np.ndarray) -> np.ndarray:
        """Return fluxes (n, 5) of cells with fields ``at_site`` (n, n_fields) and ``variables`` (n, n_variables)."""
        zero = np.zeros(len(cell_type))
        oxygen, glucose, lactate = (np.ascontiguousarray(at_site[:, f]) if f >= 0 else zero for f in self.fields)
        out = np.zeros((len(cell_type), 5))
        fluxes(cell_type, death, oxygen, glucose, lactate, variables, self.table, out)
        return out

    def charge(self, flux: np.ndarray, io_behaviours: np.ndarray) -> None:
        """Add the fluxes to the behaviours that take up and secrete."""
        for column, values in zip(self.columns, (flux[:, 1], flux[:, 2], flux[:, 3], flux[:, 4] / self.per_molecule_nm),
                                  strict=True):
            if column >= 0:
                io_behaviours[:, column] += values
