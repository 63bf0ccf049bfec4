"""A made run of the size of a real one, so that the figure can be judged without a model."""

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from tests.record.made_tissue import MadeModel
from tme_sim.record.recorder import Recorder
from tme_sim.record.schedule import Every
from tme_sim.record.writer import write_run
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.codes import APOPTOSIS, DRUG, G1, G2M, NECROSIS, NO_CYCLE, S
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue

LAYOUT = Layout(
    ("tumour", "hsc", "macrophage", "fibroblast", "endothelial"), ("HIF", "activation"), ("oxygen", "SN38"),
    ("tumour_normoxic_exosome",), (), ("SN38",),
)  # fmt: skip


def nodule(n=100, nz=1, drugs=True, seed=3) -> Tissue:
    """Return a nodule of 400 um radius in 2 mm of tissue, its core far from vessels."""
    rng = np.random.default_rng(seed)
    layout = (
        LAYOUT if drugs else Layout(LAYOUT.cell_types, LAYOUT.variables, ("oxygen",), LAYOUT.pools, (), ())
    )
    grid = Grid((nz, n, n), 20.0, 0.2)
    z, y, x = np.meshgrid(np.arange(nz), np.arange(n), np.arange(n), indexing="ij")
    radius = np.hypot(x - n / 2, y - n / 2) * 20.0
    vessel = (rng.random(grid.shape) < np.where(radius < 350, 0.008, 0.03)).astype(float)
    distance = distance_transform_edt(vessel == 0) * 20.0
    oxygen = gaussian_filter(40.0 * np.exp(-distance / 55.0), (0, 1, 1))
    roll = rng.random(grid.shape)
    kind = np.select(
        [vessel > 0, (radius < 400) & (roll < 0.9), roll < 0.08, roll < 0.11, roll < 0.13],
        [4, 0, 1, 2, 3],
        -1,
    )
    sites = np.flatnonzero(kind.reshape(-1) >= 0)
    types, at = kind.reshape(-1)[sites], oxygen.reshape(-1)[sites]
    tumour = types == 0
    cells = Cells(layout, grid.n_sites)
    exosomes = gaussian_filter(np.where(kind == 0, oxygen, 0.0), (0, 4, 4)) ** 2
    near = exosomes.reshape(-1)[sites]
    cells.append(
        sites, type=types, parent=-1, founder=sites,
        stage=np.where(tumour & (rng.random(len(sites)) < at / 60), rng.choice([S, G2M], len(sites)), G1),
        variables=np.stack([1 / (1 + at / 5), near / (near + 20.0)], axis=1),
    )  # fmt: skip
    cells["stage"][~tumour] = NO_CYCLE
    dead = tumour & (at < 3) & (rng.random(len(sites)) < 0.5)
    cells["death"][dead] = rng.choice([NECROSIS, NECROSIS, APOPTOSIS, DRUG], dead.sum())
    n_fields = len(layout.fields)
    fields = np.stack([oxygen, 0.1 * oxygen][:n_fields], axis=-1)
    return Tissue(
        layout, grid, Clock(6.0), seed, cells, fields, exosomes[..., None], vessel, distance,
        np.zeros(n_fields), Ledger.empty(1, n_fields, len(layout.drugs), 5), Events(),
    )  # fmt: skip


def write_resistance(recording):
    """Put made values in place of the resistance measures, which need a model's rules."""
    days = recording.minutes / 1440.0
    names = [measure.name for measure in recording.measures]
    for niche, late, top in (("", 0, 0.6), ("rim_", 4, 0.6), ("perfused_", 9, 0.24)):
        share = top / (1 + np.exp(-(days - 5 - late) / 1.5))
        recording.series[:, names.index(f"resistant_fraction_{niche}SN38")] = share
    for snapshot in recording.snapshots:
        cells = snapshot.cells
        oxygen = snapshot.fields[..., 0].reshape(-1)[cells["site"]]
        cells["resistance_SN38"] = 1.1 - 0.9 / (1.0 + oxygen / 8.0) + 0.1 * np.sin(cells["id"])
        cells["rim"] = (cells["vessel_distance"] > 80.0).astype(float)


def made_run(path, drugs=True, nz=1, n=100, days=14, snapshots=None):
    """Write the run to ``path``, with some deaths and doses through time."""
    tissue = nodule(n=n, nz=nz, drugs=drugs)
    recorder = Recorder(Every(120.0), Every(snapshots or 1440.0 * days))
    recorder.start(MadeModel(tissue, title="Liver metastasis, made data"))
    rng = np.random.default_rng(1)
    for step in range(1, days * 240 + 1):
        tissue.clock.step = step
        if drugs:
            tissue.plasma[1] = 8.0 * (int(tissue.clock.days) in (5, 12))
            if tissue.plasma[1] > 0 and step % 8 == 0:
                alive = np.flatnonzero(tissue.cells.of_type("tumour"))
                tissue.cells["death"][rng.choice(alive, 3)] = DRUG
        recorder.observe(tissue)
    recording = recorder.finish()
    if drugs:
        write_resistance(recording)
    return write_run(recording, path, force=True)
