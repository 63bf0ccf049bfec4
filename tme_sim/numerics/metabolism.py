"""Energy of a cell from oxygen, glucose and lactate, with lactate oxidation charged with oxygen.

    respiration     r = r_max O/(K_O + O)                                 oxygen
    glycolysis      g = g_max G/(K_G + G)                                 glucose
    lactate burnt   l = l_max a b L/(K_L + L) O/(K_O + O)                 a importer, b oxidising isoform
    oxygen used     r + n_O l                                             n_O = 3 per lactate
    lactate made    2 max(0, g − r/6)
    energy          (2 g + y (r + n_O l)) / (demand + Σ c_j x_j)          y ATP per oxygen; c cost, x level of pumps

All fluxes in nM of the site per minute; oxygen enters in mmHg through its solubility. Carbon for respiration is
taken from glucose first (six oxygen per glucose); what glucose does not cover comes from stores and amino acids.
"""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import BLOCK, block_kernel


@block_kernel
def fluxes(
    first: int,
    last: int,
    cell_type: np.ndarray,
    death: np.ndarray,
    site: np.ndarray,
    columns: np.ndarray,
    fields: np.ndarray,
    variables: np.ndarray,
    table: np.ndarray,
    pumps: np.ndarray,
    pump_cost: np.ndarray,
    out_flux: np.ndarray,
) -> None:
    """Write energy and the maximal rates that the fields need, per cell.

    Parameters
    ----------
    site : int64 (n,)
    columns : int64 (3,)
        Which of the fields oxygen, glucose and lactate are; -1 for one that is 0 everywhere.
    fields : float64 (n_fields, n_sites)
        In mmHg, nM and nM.
    variables : float64 (n_variables, >= n)
    table : float64 (n_types, 13)
        `MetabolismSpec.as_row` per type; a demand of 0 marks a type without metabolism,
        whose energy is 1.
    pumps : int64 (n_pumps,)
        Rows of ``variables`` that are membrane pumps.
    pump_cost : float64 (n_types, n_pumps)
        ATP that a pump uses at a level of 1, nM/min.
    out_flux : float64 (5, n)
        Energy (supply over demand); maximal oxygen uptake, mmHg/min; maximal glucose uptake, nM/min; maximal
        lactate uptake at the present oxygen, nM/min; lactate secretion, nM/min.
    """
    n = out_flux.shape[1]
    nothing = np.zeros(fields.shape[1])
    oxygen = fields[columns[0]] if columns[0] >= 0 else nothing
    glucose = fields[columns[1]] if columns[1] >= 0 else nothing
    lactate = fields[columns[2]] if columns[2] >= 0 else nothing
    for block in range(first, last):
        for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
            m, at = table[cell_type[i]], site[i]
            out_flux[:, i] = 0.0
            if death[i] != 0:
                continue
            if m[11] <= 0.0:
                out_flux[0, i] = 1.0
                continue
            oxygen_share = oxygen[at] / (m[3] + oxygen[at])
            respiration = m[2] * m[12] * oxygen_share
            glycolysis = m[4] * glucose[at] / (m[5] + glucose[at])
            burn_max = m[6]
            if m[0] >= 0.0:
                burn_max *= variables[int(m[0]), i]
            if m[1] >= 0.0:
                burn_max *= variables[int(m[1]), i]
            lactate_share = lactate[at] / (m[7] + lactate[at])
            burnt = burn_max * lactate_share * oxygen_share
            used = respiration + m[8] * burnt
            demand = m[11]
            for k in range(pumps.shape[0]):
                demand += pump_cost[cell_type[i], k] * variables[pumps[k], i]
            out_flux[0, i] = (m[9] * glycolysis + m[10] * used) / demand
            out_flux[1, i] = m[2] + m[8] * burn_max * lactate_share / m[12]
            out_flux[2, i] = m[4]
            out_flux[3, i] = burn_max * oxygen_share
            out_flux[4, i] = 2.0 * max(0.0, glycolysis - respiration / 6.0)
