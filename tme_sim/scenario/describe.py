"""A commented scenario to start from."""

from __future__ import annotations

_TEMPLATE = """\
# A scenario of tme-sim. Every quantity carries its unit; every number may also be written as
#   {value: 2 h, range: [0.5 h, 6 h], source: assumed, why: the reason}
# `tme-sim check FILE` lists all faults at once, `tme-sim check FILE --resolved` prints every default.
scenario: my_tumour
title: A nodule around vessels, with an educated stroma
seed: 1

# Libraries of cell types, fields and rules go below this file; this file wins, rules are appended.
# use: [liver_cells, sn38, il6, s0_relay]

grid: {size: [800 um, 800 um], spacing: 20 um}     # x, y and, for three dimensions, z
time: {step: 6 min, duration: 7 d}

# Intracellular variables live in [0, 1] and relax to the target that rules give them.
variables:
  HIF: {time: 2 h, source: assumed, why: protein turnover takes hours}
  STAT3: {time: 2 h, source: assumed, why: phosphorylation follows its signal within hours}

fields:
  oxygen:
    unit: mmHg
    diffusion: 2000 um^2/s
    solve: steady                  # oxygen settles within a step
    half_saturation: 1 mmHg        # uptake saturates; without it uptake is first order
    background_uptake: 7.5 mmHg/s  # tissue between the cells
    vessel: {value: 40 mmHg}       # without `exchange` the level is imposed at vessels
    source: assumed
    why: of the order of values for soft tissue
  il6:
    unit: ng/mL
    molar_mass: 21 kDa             # mass units need a molar mass
    diffusion: 30 um^2/s
    half_life: 2 h
    interstitial: true             # dissolved between the cells only
    source: assumed
    why: free protein in tissue

cargo:
  pERK: {half_life: 1 h, source: assumed, why: phosphatases act within hours}

cells:
  tumour:
    base:                          # behaviours that no rule changes, and the level that rules start from
      cycle entry: 0.05 /h
      apoptosis: 0.002 /h
      uptake oxygen: 15 mmHg/s
      HIF: 1
    cycle: {S: 8 h, G2M: 5 h}
    push: 5                        # a dividing cell pushes up to five others
    source: assumed
    why: of the order of cultured carcinoma cells
  stellate:
    base: {uptake oxygen: 7.5 mmHg/s}
  endothelial: {}

vesicles:
  tumour_exosome:
    donor: tumour                  # one donor per pool
    diameter: 100 nm
    hindrance: 0.1
    half_life: 2 h
    cargo: {pERK: 1}
    taken_up_by: {stellate: 0.1 /h}
    source: assumed
    why: to be calibrated

vessels: {layout: random, spacing: 100 um, radius: 5 um, cell: endothelial}

tissue:
  tumour: {nodules: [{centre: middle, radius: 200 um, filling: 90 %}]}
  stellate: {density: 6 %, where: outside}

# Signals: FIELD, VARIABLE, held CARGO, arriving CARGO, docked POOL, drug D, damage D, exposure D,
#   trait NAME, contact TYPE, contact TYPE VARIABLE, contact dead, free neighbours, distance to vessel,
#   energy, age, time.
# Behaviours: VARIABLE, secretion FIELD, uptake FIELD, release POOL, uptake POOL, cycle entry, apoptosis,
#   necrosis, death from D, damage by D, repair of D, influx D, efflux D, metabolism D, transition to TYPE,
#   killing TYPE, phagocytosis, recruitment TYPE, migration, chemotaxis to FIELD.
rules:
  - {cell: tumour, signal: oxygen, effect: decreases, behaviour: HIF, to: 0, half_max: 8 mmHg, hill: 4}
  - {cell: tumour, signal: oxygen, effect: increases, behaviour: release tumour_exosome, to: 60 /h,
     half_max: 15 mmHg, hill: 4}
  - {cell: stellate, signal: arriving pERK, effect: increases, behaviour: secretion il6, to: 5 molecules/s,
     half_max: 10 /h, hill: 2}
  - {name: stat3, cell: tumour, signal: il6, effect: increases, behaviour: STAT3, to: 1, half_max: 1 ng/mL,
     hill: 2, while: [HIF above 0.5]}

interventions:                     # switch one on with --set interventions.block_exosomes.active=true
  block_exosomes: {kind: block_release, target: tumour_exosome, factor: 0, from: 1 d, active: false}

stop: [extinct, edge reached]
adjustable: [vessels.spacing, rules.stat3.half_max]
record: {measures: every 1 h, snapshots: every 1 d}
"""


def template() -> str:
    """Return the text of a small scenario that loads, with a comment on every block."""
    return _TEMPLATE
