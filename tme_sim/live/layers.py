"""What can be drawn of a tissue: layers of sites, and colourings of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from tme_sim.measures.measure import field_unit
from tme_sim.measures.resistance import EXTRA, assess
from tme_sim.model.tumor import TumorMicroenvironment

GAS, DRUG, FACTOR, POOL, PLACE = "gas", "drug", "factor", "pool", "place"
RATIO, SHARE, AMOUNT = "ratio", "share", "amount"
TYPES = "type"


@dataclass(frozen=True)
class Layer:
    """A number on every site of a plane, or, as a colouring, of every cell.

    Attributes
    ----------
    key, label, unit : str
        ``unit`` is empty where there is none.
    family : str
        Which colours it has.
    values : callable
        ``values(model, plane) -> float64 (ny, nx)``; of a colouring ``values(model, rows) -> float64 (n,)``, nan
        where a cell has no value.
    logarithmic : bool
        Drawn over three decades below its largest value.
    """

    key: str
    label: str
    unit: str
    family: str
    values: Callable[..., np.ndarray]
    logarithmic: bool = False


def layers_of(model: TumorMicroenvironment) -> dict[str, Layer]:
    """Return the layers of sites, by key: fields, free vesicles by pool and of all pools, distance to vessels."""
    return {layer.key: layer for layer in _layers(model)}


def _layers(model: TumorMicroenvironment) -> Iterator[Layer]:
    layout = model.tissue.layout
    drugs = set(model.drug_fields.values())
    for column, (name, spec) in enumerate(model.config.fields.items()):
        family = DRUG if name in drugs else GAS if field_unit(name) == "mmHg" else FACTOR
        values = partial(_field, column, spec.shown_per_internal)
        yield Layer(name, _words(name), spec.unit, family, values)
    unit = f"per site ({model.tissue.grid.spacing_um:g} µm)³"
    if len(layout.pools) > 1:
        yield Layer("all vesicles", "vesicles, all pools", unit, POOL, _all_pools, logarithmic=True)
    for column, name in enumerate(layout.pools):
        yield Layer(f"pool {name}", _words(name), unit, POOL, partial(_pool, column), logarithmic=True)
    if model.config.vessels is not None:  # else it would be endless everywhere
        yield Layer("vessel distance", "distance to a perfused vessel", "µm", PLACE, _distance)


def colourings_of(model: TumorMicroenvironment) -> dict[str, Layer]:
    """Return the colourings of cells, by key: type and state first, then resistance and everything that cells hold."""
    return {layer.key: layer for layer in _colourings(model)}


def _colourings(model: TumorMicroenvironment) -> Iterator[Layer]:
    layout = model.tissue.layout
    yield Layer(TYPES, "type and state", "", TYPES, _nothing)
    if EXTRA in model.measure_context.extras:
        for exposure in model.assay.exposures:
            label = f"resistance to {exposure.drug}"
            yield Layer(
                f"resistance {exposure.drug}",
                label,
                "log-kill over a naive cell's",
                RATIO,
                partial(_ratio, exposure),
            )
    groups = (
        ("variables", layout.variables, "{}", SHARE, "0 to 1"),
        ("drug", layout.drugs, "{} held", AMOUNT, "nM"),
        ("damage", layout.drugs, "damage by {}", AMOUNT, ""),
        ("cargo", layout.cargo, "{} held", AMOUNT, "units per cell"),
        ("docked", layout.pools, "docked {}", AMOUNT, "vesicles per cell"),
        ("traits", layout.traits, "trait {}", AMOUNT, ""),
    )
    for group, names, label, family, unit in groups:
        for column, name in enumerate(names):
            yield Layer(
                f"{group} {name}", label.format(_words(name)), unit, family, partial(_column, group, column)
            )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _field(column: int, factor: float, model: TumorMicroenvironment, plane: int) -> np.ndarray:
    return model.tissue.fields[plane, :, :, column] * factor


def _pool(column: int, model: TumorMicroenvironment, plane: int) -> np.ndarray:
    return model.tissue.pools[plane, :, :, column]


def _all_pools(model: TumorMicroenvironment, plane: int) -> np.ndarray:
    return model.tissue.pools[plane].sum(axis=-1)


def _distance(model: TumorMicroenvironment, plane: int) -> np.ndarray:
    """Return distances; endless ones, where no vessel is perfused, as the longest side of the tissue."""
    grid = model.tissue.grid
    return np.minimum(model.tissue.vessel_distance_um[plane], grid.spacing_um * max(grid.shape))


def _nothing(model: TumorMicroenvironment, rows: np.ndarray) -> np.ndarray:
    return np.full(len(rows), np.nan)


def _column(group: str, column: int, model: TumorMicroenvironment, rows: np.ndarray) -> np.ndarray:
    return model.tissue.cells[group][rows, column].astype(float)


def _ratio(exposure, model: TumorMicroenvironment, rows: np.ndarray) -> np.ndarray:
    """Return the log-kill of the living tumour cells over that of a naive cell in normoxia."""
    tissue = model.tissue
    out = np.full(len(rows), np.nan)
    tumour = np.isin(rows, model.measure_context.fresh().tumour_rows(tissue))
    if tumour.any():
        out[tumour] = assess(model.assay, exposure, tissue, rows[tumour]).ratio
    return out
