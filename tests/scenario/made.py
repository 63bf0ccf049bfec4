"""A small scenario as text, and what the loader says about changed copies of it."""

from pathlib import Path

from tme_sim.scenario.load import Known, ScenarioError, read_scenario

DATA = Path(__file__).parent / "data"

SMALL = """\
scenario: small
grid: {size: [200 um, 100 um]}
time: {duration: 1 d}
hypotheses: {gate: open}
variables:
  HIF: {time: 2 h}
  STAT3: {time: 2 h}
cargo:
  pERK: {half_life: 1 h}
fields:
  oxygen: {unit: mmHg, diffusion: 2000 um^2/s, half_saturation: 1 mmHg, vessel: {value: 40 mmHg}}
  il6: {unit: ng/mL, molar_mass: 20 kDa, diffusion: 30 um^2/s, half_life: 2 h}
  SN38: {unit: nM, diffusion: 100 um^2/s, vessel: {exchange: 5 /min}}
cells:
  tumour: {base: {HIF: 0.5, cycle entry: 0.1 /h}, cycle: {}}
  hsc: {}
vesicles:
  exosome: {donor: tumour, diameter: 100 nm, half_life: 2 h, cargo: {pERK: 1}, taken_up_by: {hsc: 0.1 /h}}
vessels: {layout: regular, spacing: 80 um, cell: hsc}
tissue:
  tumour: {nodules: [{radius: 40 um}]}
drugs:
  SN38: {field: SN38, half_max: 8 nM, schedule: [{dose: 8 nM, from: 1 h, for: 1 h}]}
interventions:
  block: {kind: block_release, target: exosome, factor: 0, active: false}
rules:
  - {cell: tumour, signal: oxygen, effect: decreases, behaviour: HIF, to: 0, half_max: 8 mmHg, hill: 4}
  - {name: first, cell: tumour, signal: il6, effect: increases, behaviour: STAT3, to: 1, half_max: 1 ng/mL, hypothesis: gate.open}
  - {cell: tumour, signal: il6, effect: increases, behaviour: STAT3, to: 1, half_max: 1 ng/mL, while: [HIF above 0.5], hypothesis: gate.closed}
stop: [extinct]
adjustable: [vessels.spacing]
"""  # noqa: E501 - a rule is one line


def changed(*pairs: tuple[str, str]) -> str:
    """Return the small scenario with texts replaced; each must occur."""
    text = SMALL
    for old, new in pairs:
        if old not in text:
            raise ValueError(old)
        text = text.replace(old, new, 1)
    return text


def faults(text: str, *overrides: str, known: Known | None = None) -> list[str]:
    """Return the faults of a scenario, one line each; empty when it loads."""
    try:
        read_scenario(text, overrides, known, folder=DATA)
    except ScenarioError as error:
        return [str(fault) for fault in error.faults]
    return []
