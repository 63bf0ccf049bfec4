"""A small made tissue and a stand-in for the model, so that record, measures and plots need no model."""

from dataclasses import dataclass, field

import numpy as np

from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.codes import APOPTOSIS, DRUG, G1, G2M, NO_CYCLE, S
from tme_sim.state.events import BIRTH, DEATH, TRANSITION, Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue

LAYOUT = Layout(
    cell_types=("tumour", "hsc", "macrophage"),
    variables=("HIF", "STAT3", "activation"),
    fields=("oxygen", "il6", "SN38"),
    pools=("normoxic_exosome", "hsc_vesicle"),
    cargo=("pERK",),
    drugs=("SN38",),
)


def made_tissue(
    n: int = 24, nz: int = 1, spacing_um: float = 20.0, dt_min: float = 6.0, seed: int = 7
) -> Tissue:
    """Return a round nodule of tumour cells among stellate cells and macrophages, with one vessel."""
    rng = np.random.default_rng(seed)
    grid = Grid((nz, n, n), spacing_um, 0.2)
    z, y, x = np.meshgrid(np.arange(nz), np.arange(n), np.arange(n), indexing="ij")
    radius = np.hypot(x - n / 2, y - n / 2)
    cells = Cells(LAYOUT, grid.n_sites)
    kind = np.full(grid.n_sites, -1)
    kind[(radius < n / 4).reshape(-1)] = 0
    outside = np.flatnonzero(kind < 0)
    kind[rng.choice(outside, len(outside) // 8, replace=False)] = 1
    kind[rng.choice(np.flatnonzero(kind < 0), len(outside) // 16, replace=False)] = 2
    sites = np.flatnonzero(kind >= 0)
    types = kind[sites]
    k = len(sites)
    cells.append(
        sites,
        type=types,
        parent=-1,
        founder=np.arange(1, k + 1),
        stage=np.where(types == 0, rng.choice([G1, S, G2M], k), NO_CYCLE),
        variables=rng.random((k, 3)),
        cargo=rng.random((k, 1)),
        docked=10 * rng.random((k, 2)),
        drug=rng.random((k, 1)),
        damage=rng.random((k, 1)),
    )
    dead = np.flatnonzero(types == 0)[:3]
    cells["death"][dead] = (APOPTOSIS, DRUG, DRUG)
    oxygen = 1.0 + 40.0 * np.clip((radius - n / 8) / (n / 2), 0, 1)
    fields = np.stack([oxygen, np.full(grid.shape, 0.05), 0.01 * oxygen], axis=-1)
    pools = np.stack([50 * np.exp(-radius / 5), 20 * rng.random(grid.shape)], axis=-1)
    vessel = np.zeros(grid.shape)
    vessel[:, 2, 3] = 1.0
    distance = spacing_um * np.hypot(x - 3.0, y - 2.0)
    tissue = Tissue(
        LAYOUT, grid, Clock(dt_min), seed, cells, fields, pools, vessel, distance,
        np.array([40.0, 0.0, 8.0]), Ledger.empty(2, 3, 1, 3), Events(),
    )  # fmt: skip
    close_books(tissue)
    tissue.events.births.append(np.array([(6.0, k, 1, 1, 0, sites[-1]), (12.0, k + 1, 1, 1, 0, 5)], BIRTH))
    tissue.events.deaths.append(
        np.array([(6.0, 1, 0, 4, APOPTOSIS, -1), (6.0, 2, 0, 5, DRUG, 0), (12.0, 3, 0, 6, DRUG, 0)], DEATH)
    )
    tissue.events.transitions.append(np.array([(6.0, 9, 1, 2, 40)], TRANSITION))
    return tissue


def close_books(tissue: Tissue) -> None:
    """Enter into the books exactly what is in the tissue, plus some that decayed and was taken up."""
    cells, ledger = tissue.cells, tissue.ledger
    ledger.pools[:, 3] = (100.0, 200.0)
    ledger.flux[0, 0, 1] = 30.0
    ledger.flux[0, 0, 0] = 5.0
    ledger.pools[:, 2] = ledger.flux.sum(axis=(1, 2))
    present = tissue.pools.sum(axis=(0, 1, 2)) + cells["docked"].sum(axis=0)
    ledger.pools[:, 0] = present + ledger.pools[:, 2] + ledger.pools[:, 3]
    ledger.drugs[0, 1] = 3.0
    ledger.drugs[0, 0] = tissue.field("SN38").sum() + cells["drug"].sum() + 3.0


@dataclass
class MadeModel:
    """What the recorder asks of a model."""

    tissue: Tissue
    title: str = "made nodule"
    seed: int = 7
    resolved_yaml: str = "scenario: made\ntitle: µm – naïve\n"
    resolved_json: str = '{"scenario": "made"}'
    numerics_version: str = "1"
    classes: dict = field(default_factory=dict)
    route_rows: list[dict[str, str]] = field(
        default_factory=lambda: [{"drug": "SN38", "route": "il6", "evidence": "S0-08 S0-12"}]
    )
    rule_rows: list[dict[str, str]] = field(
        default_factory=lambda: [
            {"text": "In tumour cells, il6 increases STAT3", "evidence": "S0-08", "basis": "stated"},
            {
                "text": "In hsc, arriving pERK increases activation",
                "evidence": "S0-03 S0-06",
                "basis": "assumed",
            },
        ]
    )


def advance(tissue: Tissue) -> None:
    """Do one step's worth of change."""
    tissue.clock.step += 1
    tissue.cells["variables"][:, 0] *= 0.99
    tissue.field("oxygen")[...] *= 0.999
