"""Maps of one plane of a tissue: cells over oxygen, oxygen, vesicles and stroma, resistance or hypoxia."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, ListedColormap, LogNorm
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import AbstractPathEffect, withStroke
from scipy.ndimage import binary_closing, gaussian_filter

from tme_sim.analysis.figures.scale_bar import draw_scale_bar
from tme_sim.analysis.palette import (
    BLACK,
    BLUE,
    CYCLING,
    DEATHS,
    PALE,
    RATIO,
    VERMILLION,
    YELLOW,
    type_colours,
)
from tme_sim.analysis.section import Section

OXYGEN, HIF = "oxygen", "HIF"
BANDS_MMHG = (0.0, 2.5, 5.0, 10.0, 20.0, 40.0)
LINES_MMHG = {2.5: "solid", 10.0: "dotted"}
RESISTANT_BELOW = 0.5
LEGEND_COLUMNS = 2
RATIO_COLOURS = LinearSegmentedColormap.from_list("log-kill ratio", RATIO)
VESICLE_COLOURS = LinearSegmentedColormap.from_list("vesicles", ["#FFFFFF", "#555555"])
_BANDS = ("#C9CDD6", "#D5D9E0", "#E0E3E9", "#EAECF0", "#F4F5F7", "#FCFCFD")
_DECADES = 3
_Extend = Literal["neither", "max"]


def draw_cells(ax: Axes, section: Section) -> None:
    """Draw cells by type, cycling and cause of death over bands of oxygen."""
    _frame(ax, section, "Cells over oxygen")
    lines = _oxygen_bands(ax, section)
    found = kinds(section)
    codes = np.full(section.shape, np.nan)
    for code, (_, _, mask) in enumerate(found):
        codes[section.cells["iy"][mask], section.cells["ix"][mask]] = code
    if found:
        shown = ListedColormap([colour for _, colour, _ in found])
        _show(ax, section, codes, cmap=shown, vmin=-0.5, vmax=len(found) - 0.5)
    handles = [Patch(color=colour, label=f"{name} ({mask.sum():,})") for name, colour, mask in found]
    _legend(ax, [*handles, *lines])


def kinds(section: Section) -> list[tuple[str, str, np.ndarray]]:
    """Return name, colour and mask of every kind of cell in the plane."""
    cells, alive, colours = section.cells, section.alive, type_colours(section.cell_types)
    cycling = np.zeros(len(alive), bool)
    cycling[section.tumour_rows()] = True
    cycling &= np.isin(cells["stage"], ("S", "G2M"))
    in_g1 = section.tumour if cycling.any() else ()
    found = [
        (
            f"{name} in G1" if name in in_g1 else name,
            colours[name],
            alive & (cells["type"] == name) & ~cycling,
        )
        for name in section.cell_types
    ]
    found.append(("tumour in S, G2/M", CYCLING, cycling))
    found += [(f"dead: {cause}", colour, cells["death"] == cause) for cause, colour in DEATHS.items()]
    return [kind for kind in found if kind[2].any()]


def draw_oxygen(ax: Axes, section: Section) -> None:
    """Draw oxygen with perfused vessels and the outline of the tumour."""
    _frame(ax, section, "Oxygen and vessels")
    if OXYGEN not in section.fields:
        _note(ax, "no oxygen field in this scenario")
        return
    oxygen = section.fields[OXYGEN]
    top = max(float(np.max(oxygen)), 1e-9)
    image = _show(ax, section, oxygen, cmap="cividis", vmin=0.0, vmax=top)
    _colour_bar(ax, image, "Oxygen (mmHg)")
    handles = [
        *_vessels(ax, section),
        *_sprouts(ax, section),
        *_outline(ax, section, section.tumour_mask(), "white", "edge of the tumour"),
    ]
    _legend(ax, handles)


def draw_vesicles(ax: Axes, section: Section) -> None:
    """Draw free vesicles of all pools on a logarithmic scale, and the stroma that they educate by its state."""
    rows, variable, words = _stroma(section)
    _frame(ax, section, f"Free vesicles and {words}" if len(rows) else "Free vesicles")
    total = np.sum(list(section.pools.values()), axis=0) if section.pools else np.zeros(section.shape)
    if total.max() > 0.0:
        top = float(total.max())
        low = top * 10.0**-_DECADES
        image = _show(ax, section, np.maximum(total, low), cmap=VESICLE_COLOURS, norm=LogNorm(low, top))
        _colour_bar(ax, image, f"Free vesicles per site ({section.spacing_um:g} µm)³")
    else:
        _note(ax, "no free vesicles")
    if len(rows):
        shown = variable.capitalize() if variable.islower() else variable
        _dots(ax, section, rows, section.cells[variable], f"{shown} of {words} (0 to 1)")
    _legend(ax, _outline(ax, section, section.tumour_mask(), VERMILLION, "edge of the tumour"))


def _stroma(section: Section) -> tuple[np.ndarray, str, str]:
    """Return the first kind of stroma with a state that is drawn: its rows, the variable, and its name."""
    for kinds, variable, words in (
        (("hsc", "stellate"), "activation", "stellate cells"),
        (("fibroblast",), "CAF", "fibroblasts"),
    ):
        names = [name for name in section.cell_types if any(kind in name.lower() for kind in kinds)]
        rows = np.flatnonzero(section.alive & np.isin(section.cells["type"], names))
        if len(rows) and variable in section.cells:
            return rows, variable, words
    return np.zeros(0, np.int64), "", ""


def draw_resistance_map(ax: Axes, section: Section) -> None:
    """Draw the log-kill of every tumour cell against a naive one, and the outline of the rim."""
    drug = section.drug
    _frame(ax, section, f"Resistance to {drug}")
    rows = section.tumour_rows()
    if drug is None or len(rows) == 0:
        _note(ax, "no tumour cells")
        return
    ratio = section.cells[f"resistance_{drug}"][rows]
    if not np.isfinite(ratio).any():
        _note(ax, "resistance was not measured at this moment")
        return
    image = _show(ax, section, section.raster(rows, ratio), cmap=RATIO_COLOURS, vmin=0.0, vmax=1.0)
    bar = _colour_bar(ax, image, f"Log-kill by {drug} relative to a naive cell", extend="max")
    bar.ax.axhline(RESISTANT_BELOW, color=BLACK, lw=0.9)
    share = np.mean(ratio[np.isfinite(ratio)] < RESISTANT_BELOW) * 100.0
    handles: list[Patch | Line2D] = [
        Patch(color=VERMILLION, label=f"resistant: below {RESISTANT_BELOW:g} ({share:.0f} % of cells)"),
        Patch(color=BLUE, label="as sensitive as a naive cell"),
    ]
    if "rim" in section.cells:
        rim = np.nan_to_num(section.raster(rows, section.cells["rim"][rows])) > 0.5
        handles += _outline(ax, section, rim, BLACK, "rim: far from vessels")
    _legend(ax, handles)


def draw_hypoxia_map(ax: Axes, section: Section) -> None:
    """Draw how far every tumour cell has answered to hypoxia, by its HIF."""
    _frame(ax, section, "Tumour cells that answer to hypoxia")
    rows = section.tumour_rows()
    if len(rows) == 0 or HIF not in section.cells:
        _note(ax, f"no {HIF} in this scenario" if len(rows) else "no tumour cells")
        return
    values = section.raster(rows, section.cells[HIF][rows])
    _colour_bar(ax, _show(ax, section, values, cmap="viridis", vmin=0.0, vmax=1.0), f"{HIF} (0 to 1)")
    _legend(ax, _outline(ax, section, section.tumour_mask(), VERMILLION, "edge of the tumour"))


def _frame(ax: Axes, section: Section, title: str) -> None:
    left, right, bottom, top = section.window_um
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[], facecolor=PALE)
    ax.set_autoscale_on(False)
    ax.spines[:].set_visible(True)
    ax.set_title(title)
    draw_scale_bar(ax, section.window_um)


def _show(ax: Axes, section: Section, values: np.ndarray, **style: Any) -> AxesImage:
    return ax.imshow(
        values, origin="lower", extent=section.extent_um, interpolation="nearest", zorder=2, **style
    )


def _colour_bar(
    ax: Axes, image: ScalarMappable, label: str, slot: int = 0, extend: _Extend = "neither"
) -> Colorbar:
    """Put a colour bar in a slot at the right of a map."""
    bar = Colorbar(ax.inset_axes((1.02 + 0.25 * slot, 0.0, 0.03, 1.0)), image, extend=extend)
    bar.set_label(label, fontsize="small")
    bar.ax.tick_params(labelsize="small")
    return bar


def _centres(section: Section) -> tuple[np.ndarray, np.ndarray]:
    ny, nx = section.shape
    return (np.arange(nx) + 0.5) * section.spacing_um, (np.arange(ny) + 0.5) * section.spacing_um


def _oxygen_bands(ax: Axes, section: Section) -> list[Patch | Line2D]:
    """Draw oxygen as pale bands behind the cells and two lines before them."""
    if OXYGEN not in section.fields or min(section.shape) < 3:
        return []
    oxygen = section.fields[OXYGEN].astype(float)
    bands = ListedColormap(_BANDS)
    _show(ax, section, oxygen, cmap=bands, norm=BoundaryNorm(BANDS_MMHG, len(_BANDS), extend="max"))
    smooth = gaussian_filter(oxygen, 1.0)
    handles: list[Patch | Line2D] = [Patch(facecolor=_BANDS[0], label="darker: less oxygen")]
    for level, style in LINES_MMHG.items():
        if smooth.min() < level < smooth.max():
            ax.contour(
                *_centres(section),
                smooth,
                levels=[level],
                colors=BLACK,
                linestyles=style,
                linewidths=0.6,
                zorder=3,
            )
            handles.append(Line2D([], [], color=BLACK, lw=0.6, ls=style, label=f"oxygen {level:g} mmHg"))
    return handles


def _marker(ax: Axes, section: Section, sites: float, low: float, high: float) -> float:
    """Return the size of a marker of so many sites, points, kept between two sizes."""
    left, right, _, _ = section.window_um
    wide_in = ax.get_position().width * _figure_width_in(ax)
    return float(np.clip(sites * 72.0 * wide_in * section.spacing_um / (right - left), low, high))


def _figure_width_in(ax: Axes) -> float:
    figure = ax.get_figure(root=True)
    return figure.get_figwidth() if figure is not None else 1.0


def _vessels(ax: Axes, section: Section) -> list[Line2D]:
    iy, ix = np.nonzero(section.perfusion > 0.0)
    if len(ix) == 0:
        return []
    x, y = _centres(section)
    size = _marker(ax, section, 1.1, 1.8, 4.5)
    style = {
        "marker": "o",
        "color": VERMILLION,
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
        "ls": "none",
    }
    ax.plot(x[ix], y[iy], ms=size, zorder=5, **style)
    return [Line2D([], [], label=f"perfused vessel ({len(ix):,})", **style)]


def _sprouts(ax: Axes, section: Section) -> list[Line2D]:
    """Draw vessel cells without blood: stalks as open circles, tips as triangles."""
    x, y = _centres(section)
    size, handles = _marker(ax, section, 1.1, 1.8, 4.5), []
    for rows, word, style in zip(
        section.sprouts(),
        ("vessel without blood", "tip of a sprout"),
        ({"marker": "o", "color": "none"}, {"marker": "^", "color": YELLOW}),
        strict=True,
    ):
        style = {**style, "markeredgecolor": VERMILLION, "markeredgewidth": 0.7, "ls": "none"}
        if len(rows):
            ax.plot(x[section.cells["ix"][rows]], y[section.cells["iy"][rows]], ms=size, zorder=6, **style)
            handles.append(Line2D([], [], label=f"{word} ({len(rows):,})", **style))
    return handles


def _outline(ax: Axes, section: Section, mask: np.ndarray, colour: str, label: str) -> list[Line2D]:
    """Draw a smooth line around the sites of a mask, small holes closed."""
    if not mask.any() or min(section.shape) < 3:
        return []
    margin = 4
    closed = binary_closing(np.pad(mask, margin), iterations=2)[margin:-margin, margin:-margin]
    smooth = gaussian_filter((closed | mask).astype(float), 1.5)
    if not smooth.min() < 0.5 < smooth.max():
        return []
    effects: list[AbstractPathEffect] = [
        withStroke(linewidth=1.9, foreground=BLACK if colour == "white" else "white")
    ]
    lines = ax.contour(*_centres(section), smooth, levels=[0.5], colors=colour, linewidths=1.0, zorder=4)
    lines.set_path_effects(effects)
    return [Line2D([], [], color=colour, lw=1.0, label=label, path_effects=effects)]


def _dots(ax: Axes, section: Section, rows: np.ndarray, values: np.ndarray, label: str) -> None:
    x, y = _centres(section)
    dots = ax.scatter(
        x[section.cells["ix"][rows]], y[section.cells["iy"][rows]], c=values[rows],
        s=_marker(ax, section, 1.2, 2.6, 5.0) ** 2,
        cmap="viridis", vmin=0.0, vmax=1.0, edgecolors=BLACK, linewidths=0.35, zorder=5,
    )  # fmt: skip
    _colour_bar(ax, dots, label, slot=1)


def _legend(ax: Axes, handles: Sequence[Patch | Line2D], ncols: int = LEGEND_COLUMNS) -> None:
    if handles:
        ax.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(-0.015, -0.005), ncols=ncols, fontsize="small",
            frameon=False, handlelength=1.6, columnspacing=1.2,
        )  # fmt: skip


def _note(ax: Axes, text: str) -> None:
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize="medium", color="0.35")
