"""A plane of the tissue as two rasters of indexed colours, with what a reader needs to read them."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from tme_sim.analysis.palette import RATIO
from tme_sim.live import layers
from tme_sim.live.kinds import Kinds
from tme_sim.live.layers import TYPES, Layer, colourings_of, layers_of
from tme_sim.model.exchange import unknown_name
from tme_sim.model.tumor import TumorMicroenvironment

DECADES = 3
# What takes t to measure is measured again after this many times t, so that it costs a tenth of the speed.
_REST = 10.0
# Pale where there is little: cells in strong colours stand out. Little oxygen is dark, as in the overview.
RAMPS = {
    layers.GAS: ("#4A5773", "#A3B0C6", "#FAFBFD"),
    layers.DRUG: ("#FFFFFF", "#CDB4E2", "#5A2D82"),
    layers.FACTOR: ("#FFFFFF", "#F3CFA3", "#8A4B08"),
    layers.POOL: ("#FFFFFF", "#9FD1C7", "#07594C"),
    layers.PLACE: ("#FFFFFF", "#C9C9C9", "#5A5A5A"),
    layers.RATIO: RATIO,
    layers.SHARE: ("#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725"),
    layers.AMOUNT: ("#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725"),
}
_NO_VALUE = "#D6D6D6"


@dataclass(frozen=True)
class View:
    """What is looked at: a layer, a colouring of cells (empty: no cells are drawn), a plane."""

    layer: str
    colouring: str = TYPES
    plane: int = 0


@dataclass(frozen=True)
class Bar:
    """A colour bar: from ``low`` to ``high``, logarithmic or not."""

    label: str
    unit: str
    colours: tuple[str, ...]
    low: float
    high: float
    logarithmic: bool = False


@dataclass(frozen=True)
class Picture:
    """One plane at one moment.

    Attributes
    ----------
    layer, cells : uint8 (ny, nx)
        Indices into the colours; 0 of ``cells`` is transparent. Row 0 is y = 0.
    layer_colours, cell_colours : uint8 (n, 3)
    vessels : uint32 (m,)
        Flat index, in the plane, of every site of a perfused vessel.
    kinds : tuple of (label, colour, count)
        Kinds of cells in the plane; when cells are coloured by a value, those that have none.
    """

    view: View
    step: int
    minutes: float
    spacing_um: float
    layer: np.ndarray
    cells: np.ndarray
    layer_colours: np.ndarray
    cell_colours: np.ndarray
    vessels: np.ndarray
    layer_bar: Bar
    cell_bar: Bar | None
    kinds: tuple[tuple[str, str, int], ...]

    @property
    def vessels_text(self) -> str:
        """The vessels as little-endian uint32, base64."""
        return base64.b64encode(self.vessels.astype("<u4").tobytes()).decode()


@dataclass(frozen=True)
class _Kept:
    """Values of cells by id, good until a moment of `time.monotonic`."""

    ids: np.ndarray
    values: np.ndarray
    until: float


class Painter:
    """Takes pictures of one model; hold the model's lock meanwhile.

    The end of a scale moves only when values leave it or fill less than a third of it, so that colours keep their
    meaning from one picture to the next.
    """

    def __init__(self, model: TumorMicroenvironment):
        self.model = model
        self.layers, self.colourings = layers_of(model), colourings_of(model)
        self._kinds = Kinds(model.tissue.layout)
        self._tops: dict[str, float] = {}
        self._kept: dict[str, _Kept] = {}

    def first_view(self) -> View:
        """Return what to look at first: oxygen, or whatever comes first."""
        layer = "oxygen" if "oxygen" in self.layers else next(iter(self.layers))
        return View(layer, TYPES, self.model.tissue.grid.shape[0] // 2)

    def faults(self, view: View) -> list[str]:
        """Return what a view names that this tissue does not have, with what it has."""
        asked = [("layer", view.layer, self.layers)]
        if view.colouring:
            asked.append(("colouring", view.colouring, self.colourings))
        return [unknown_name(what, name, list(known)) for what, name, known in asked if name not in known]

    def take(self, view: View) -> Picture:
        """Return the picture of the present state."""
        tissue = self.model.tissue
        _, ny, nx = tissue.grid.shape
        layer = self.layers[view.layer]
        values = np.asarray(layer.values(self.model, view.plane))
        bar = self._bar(layer, values)
        picture = Picture(
            view=view,
            step=tissue.clock.step,
            minutes=tissue.clock.minutes,
            spacing_um=tissue.grid.spacing_um,
            layer=_scaled(values, bar, 0, 255),
            cells=np.zeros((ny, nx), np.uint8),
            layer_colours=_ramp(bar.colours, 256),
            cell_colours=np.zeros((1, 3), np.uint8),
            vessels=np.flatnonzero(tissue.vessel[view.plane] > 0.0),
            layer_bar=bar,
            cell_bar=None,
            kinds=(),
        )
        return self._with_cells(picture) if view.colouring else picture

    def _with_cells(self, picture: Picture) -> Picture:
        tissue, view = self.model.tissue, picture.view
        occupant = tissue.cells.occupant.reshape(tissue.grid.shape)[view.plane]
        there = occupant >= 0
        rows = occupant[there]
        image = picture.cells
        if view.colouring == TYPES:
            codes = self._kinds.codes(tissue.cells, rows)
            image[there] = codes
            counts = np.bincount(codes, minlength=len(self._kinds.kinds) + 1)[1:].tolist()
            shown = tuple(
                (kind.label, kind.colour, n) for kind, n in zip(self._kinds.kinds, counts, strict=True) if n
            )
            colours = ["#000000", *(kind.colour for kind in self._kinds.kinds)]
            return replace(picture, cell_colours=_table(colours), kinds=shown)
        layer = self.colourings[view.colouring]
        values = self._values(layer, rows)
        values = np.where(tissue.cells["death"][rows] == 0, values, np.nan)
        bar = self._bar(layer, values)
        image[there] = np.where(np.isfinite(values), _scaled(np.nan_to_num(values), bar, 2, 255), 1)
        table = np.vstack([_table(["#000000", _NO_VALUE]), _ramp(bar.colours, 254)])
        without = int(np.count_nonzero(~np.isfinite(values)))
        kinds = (("cells without a value", _NO_VALUE, without),) if without else ()
        return replace(picture, cell_colours=table, cell_bar=bar, kinds=kinds)

    def _values(self, layer: Layer, rows: np.ndarray) -> np.ndarray:
        """Return a colouring's values; one that takes long is measured now and then, and kept by cell in between."""
        ids = self.model.tissue.cells["id"]
        kept = self._kept.get(layer.key)
        now = time.monotonic()
        if kept is None or layer.family != layers.RATIO or now >= kept.until:
            everywhere = (
                self.model.tissue.cells.rows_in_site_order() if layer.family == layers.RATIO else rows
            )
            values = np.asarray(layer.values(self.model, everywhere), float)
            if layer.family != layers.RATIO:
                return values
            order = np.argsort(ids[everywhere], kind="stable")
            until = now + _REST * (time.monotonic() - now)
            kept = self._kept[layer.key] = _Kept(ids[everywhere][order], values[order], until)
        at = np.minimum(np.searchsorted(kept.ids, ids[rows]), len(kept.ids) - 1)
        return np.where(kept.ids[at] == ids[rows], kept.values[at], np.nan)

    def _bar(self, layer: Layer, values: np.ndarray) -> Bar:
        colours = RAMPS[layer.family]
        if layer.family in (layers.RATIO, layers.SHARE):
            return Bar(layer.label, layer.unit, colours, 0.0, 1.0)
        largest = float(np.nanmax(values, initial=0.0))
        top = self._tops.get(layer.key, 0.0)
        if top == 0.0 or not top / 3.0 <= largest <= top:
            top = self._tops[layer.key] = _round_up(largest)
        low = top * 10.0**-DECADES if layer.logarithmic else 0.0
        return Bar(layer.label, layer.unit, colours, low, top, layer.logarithmic)


def _round_up(value: float) -> float:
    """Return the next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten; 1 for nothing."""
    if not value > 0.0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(
        next(s * power for s in (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15) if s * power >= value * (1 - 1e-9))
    )


def _scaled(values: np.ndarray, bar: Bar, first: int, last: int) -> np.ndarray:
    """Return values as steps of a colour bar, uint8."""
    share = (
        np.log10(np.maximum(values, bar.low) / bar.low) / DECADES if bar.logarithmic else values / bar.high
    )
    return (first + np.clip(share, 0.0, 1.0) * (last - first) + 0.5).astype(np.uint8)


@cache
def _ramp(colours: tuple[str, ...], n: int) -> np.ndarray:
    steps = LinearSegmentedColormap.from_list("ramp", list(colours), n)(np.arange(n))
    return (steps[:, :3] * 255 + 0.5).astype(np.uint8)


def _table(colours: list[str]) -> np.ndarray:
    return (np.array([to_rgb(colour) for colour in colours]) * 255 + 0.5).astype(np.uint8)
