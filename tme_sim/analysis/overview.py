"""One page that shows a run: cells, oxygen, vesicles, resistance and their course in time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import AbstractPathEffect, withStroke
from scipy.ndimage import binary_closing, gaussian_filter

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
from tme_sim.analysis.section import Section, section_of
from tme_sim.analysis.timeline import draw_counts, draw_hypoxia, draw_resistance
from tme_sim.record.reader import Run, open_run

OXYGEN, HIF = "oxygen", "HIF"
BANDS_MMHG = (0.0, 2.5, 5.0, 10.0, 20.0, 40.0)
LINES_MMHG = {2.5: "solid", 10.0: "dotted"}
RESISTANT_BELOW = 0.5
_RATIO_COLOURS = LinearSegmentedColormap.from_list("log-kill ratio", RATIO)
_VESICLE_COLOURS = LinearSegmentedColormap.from_list("vesicles", ["#FFFFFF", "#555555"])
_BANDS = ("#C9CDD6", "#D5D9E0", "#E0E3E9", "#EAECF0", "#F4F5F7", "#FCFCFD")
_DECADES = 3
_Extend = Literal["neither", "max"]
# Sizes of the page, inches: maps are _MAP wide, with room for colour bars at their right and a legend below.
_WIDTH, _MAP, _LEFT, _RIGHT = 14.1, 5.2, 0.35, 7.4
_TOP, _BELOW, _STRIP, _FOOT = 1.0, 1.45, 2.2, 0.65
_COLUMNS, _LEGEND_ROW, _LEGEND_MARGIN = 3, 0.2, 0.6


def save_overview(
    run_path: Path | str, png_path: Path | str, minutes: float | None = None, dpi: int = 130
) -> Path:
    """Draw the overview of a run file at the nearest snapshot (None: the last) and save it.

    Raises
    ------
    RunFileError
        When the file is not a whole run.
    """
    with open_run(run_path) as run:
        figure = overview(run, minutes)
    figure.savefig(png_path, dpi=dpi)
    return Path(png_path)


def overview(run: Run, minutes: float | None = None) -> Figure:
    """Return the overview of a run at the nearest snapshot (None: the last)."""
    return overview_figure(section_of(run, minutes))


def overview_figure(section: Section) -> Figure:
    """Return four maps of one plane above two strips through time: resistance, or hypoxia where no drug is."""
    left, right, bottom, top = section.window_um
    tall = float(np.clip(_MAP * (top - bottom) / (right - left), 0.4 * _MAP, 1.3 * _MAP))
    rows = -(-(len(_kinds(section)) + 1 + len(LINES_MMHG)) // _COLUMNS)  # of the first legend, at most
    below = max(_BELOW, _LEGEND_MARGIN + _LEGEND_ROW * rows)
    height = _TOP + 2.0 * tall + below + _BELOW + _STRIP + _FOOT
    figure = Figure(figsize=(_WIDTH, height))
    FigureCanvasAgg(figure)

    def place(left: float, bottom: float, width: float, high: float) -> Axes:
        return figure.add_axes((left / _WIDTH, bottom / height, width / _WIDTH, high / height))

    upper, lower = height - _TOP - tall, height - _TOP - 2.0 * tall - below
    for draw, x, y in (
        (draw_cells, _LEFT, upper),
        (draw_oxygen, _RIGHT, upper),
        (draw_vesicles, _LEFT, lower),
        (draw_resistance_map if section.drug else draw_hypoxia_map, _RIGHT, lower),
    ):
        draw(place(x, y, _MAP, tall), section)
    draw_counts(place(_LEFT + 0.6, _FOOT, _MAP - 0.8, _STRIP), section)
    strip = draw_resistance if section.drug else draw_hypoxia
    strip(place(_RIGHT + 0.6, _FOOT, _MAP - 0.8, _STRIP), section)
    _write_heading(figure, section)
    return figure


def _write_heading(figure: Figure, section: Section) -> None:
    left, right, bottom, top = section.window_um
    shown = f"{(right - left) / 1000.0:.2g} by {(top - bottom) / 1000.0:.2g} mm shown"
    if section.planes > 1:
        shown = f"middle plane, {shown}"
    heading = f"{section.title}: day {section.minutes / 1440.0:.1f}"
    y = 1.0 - 0.35 / figure.get_figheight()
    figure.text(_LEFT / _WIDTH, y, heading, fontsize=18, fontweight="bold", va="center")
    figure.text(1.0 - _LEFT / _WIDTH, y, shown, fontsize=11, va="center", ha="right")


def draw_cells(ax: Axes, section: Section) -> None:
    """Draw cells by type, cycling and cause of death over bands of oxygen."""
    _frame(ax, section, "Cells over oxygen")
    lines = _oxygen_bands(ax, section)
    kinds = _kinds(section)
    codes = np.full(section.shape, np.nan)
    for code, (_, _, mask) in enumerate(kinds):
        codes[section.cells["iy"][mask], section.cells["ix"][mask]] = code
    if kinds:
        shown = ListedColormap([colour for _, colour, _ in kinds])
        _show(ax, section, codes, cmap=shown, vmin=-0.5, vmax=len(kinds) - 0.5)
    handles = [Patch(color=colour, label=f"{name} ({mask.sum():,})") for name, colour, mask in kinds]
    _legend(ax, [*handles, *lines], ncols=_COLUMNS)


def _kinds(section: Section) -> list[tuple[str, str, np.ndarray]]:
    """Return name, colour and mask of every kind of cell in the plane."""
    cells, alive, colours = section.cells, section.alive, type_colours(section.cell_types)
    cycling = np.zeros(len(alive), bool)
    cycling[section.tumour_rows()] = True
    cycling &= np.isin(cells["stage"], ("S", "G2M"))
    kinds = [(name, colours[name], alive & (cells["type"] == name) & ~cycling) for name in section.cell_types]
    kinds.append(("tumour in S, G2/M", CYCLING, cycling))
    kinds += [(f"dead: {cause}", colour, cells["death"] == cause) for cause, colour in DEATHS.items()]
    return [kind for kind in kinds if kind[2].any()]


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
        *_outline(ax, section, _tumour(section), "white", "edge of the tumour"),
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
        image = _show(ax, section, np.maximum(total, low), cmap=_VESICLE_COLOURS, norm=LogNorm(low, top))
        _colour_bar(ax, image, f"Free vesicles per site ({section.spacing_um:g} µm)³")
    else:
        _note(ax, "no free vesicles")
    if len(rows):
        shown = variable.capitalize() if variable.islower() else variable
        _dots(ax, section, rows, section.cells[variable], f"{shown} of {words} (0 to 1)")
    _legend(ax, _outline(ax, section, _tumour(section), VERMILLION, "edge of the tumour"))


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
    image = _show(ax, section, section.raster(rows, ratio), cmap=_RATIO_COLOURS, vmin=0.0, vmax=1.0)
    bar = _colour_bar(ax, image, f"Log-kill by {drug} relative to a naive cell", extend="max")
    bar.ax.axhline(RESISTANT_BELOW, color=BLACK, lw=1.5)
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
    _legend(ax, _outline(ax, section, _tumour(section), VERMILLION, "edge of the tumour"))


def _frame(ax: Axes, section: Section, title: str) -> None:
    left, right, bottom, top = section.window_um
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[], facecolor=PALE)
    ax.set_autoscale_on(False)
    ax.set_title(title, fontsize=14, loc="left")
    wide, tall = right - left, top - bottom
    length = round_length(0.25 * wide)
    x, y, height = left + 0.04 * wide, bottom + 0.035 * tall, 0.012 * tall
    backing = (x - 0.02 * wide, y - 0.02 * tall)
    style = {"facecolor": "white", "alpha": 0.88, "linewidth": 0, "zorder": 8}
    ax.add_patch(Rectangle(backing, length + 0.04 * wide, 0.085 * tall, **style))
    ax.add_patch(Rectangle((x, y), length, height, facecolor=BLACK, linewidth=0, zorder=9))
    ax.text(
        x + length / 2, y + 1.4 * height, f"{length:g} µm", ha="center", va="bottom", fontsize=10, zorder=9
    )


def round_length(about_um: float) -> float:
    """Return the longest of 1, 2, 5 times a power of ten that is not above a length."""
    power = 10.0 ** np.floor(np.log10(about_um))
    return float(max(step * power for step in (1.0, 2.0, 5.0) if step * power <= about_um * 1.0001))


def _show(ax: Axes, section: Section, values: np.ndarray, **style: Any) -> AxesImage:
    return ax.imshow(
        values, origin="lower", extent=section.extent_um, interpolation="nearest", zorder=2, **style
    )


def _colour_bar(
    ax: Axes, image: ScalarMappable, label: str, slot: int = 0, extend: _Extend = "neither"
) -> Colorbar:
    """Put a colour bar in a slot at the right of a map."""
    bar = Colorbar(ax.inset_axes((1.02 + 0.165 * slot, 0.0, 0.03, 1.0)), image, extend=extend)
    bar.set_label(label, fontsize=10)
    bar.ax.tick_params(labelsize=9)
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
                linewidths=1.1,
                zorder=3,
            )
            handles.append(Line2D([], [], color=BLACK, lw=1.1, ls=style, label=f"oxygen {level:g} mmHg"))
    return handles


def _site_points(section: Section) -> float:
    """Return the edge of a site on the page, points."""
    left, right, _, _ = section.window_um
    return 72.0 * _MAP * section.spacing_um / (right - left)


def _vessels(ax: Axes, section: Section) -> list[Line2D]:
    iy, ix = np.nonzero(section.perfusion > 0.0)
    if len(ix) == 0:
        return []
    x, y = _centres(section)
    size = float(np.clip(1.1 * _site_points(section), 3.0, 8.0))
    style = {
        "marker": "o",
        "color": VERMILLION,
        "markeredgecolor": "white",
        "markeredgewidth": 0.7,
        "ls": "none",
    }
    ax.plot(x[ix], y[iy], ms=size, zorder=5, **style)
    return [Line2D([], [], label=f"perfused vessel ({len(ix):,})", **style)]


def _sprouts(ax: Axes, section: Section) -> list[Line2D]:
    """Draw vessel cells without blood: stalks as open circles, tips as triangles."""
    x, y = _centres(section)
    size, handles = float(np.clip(1.1 * _site_points(section), 3.0, 8.0)), []
    for rows, word, style in zip(
        section.sprouts(),
        ("vessel without blood", "tip of a sprout"),
        ({"marker": "o", "color": "none"}, {"marker": "^", "color": YELLOW}),
        strict=True,
    ):
        style = {**style, "markeredgecolor": VERMILLION, "markeredgewidth": 1.2, "ls": "none"}
        if len(rows):
            ax.plot(x[section.cells["ix"][rows]], y[section.cells["iy"][rows]], ms=size, zorder=6, **style)
            handles.append(Line2D([], [], label=f"{word} ({len(rows):,})", **style))
    return handles


def _tumour(section: Section) -> np.ndarray:
    return np.isfinite(section.raster(section.tumour_rows(), 1.0))


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
        withStroke(linewidth=3.4, foreground=BLACK if colour == "white" else "white")
    ]
    lines = ax.contour(*_centres(section), smooth, levels=[0.5], colors=colour, linewidths=1.8, zorder=4)
    lines.set_path_effects(effects)
    return [Line2D([], [], color=colour, lw=1.8, label=label, path_effects=effects)]


def _dots(ax: Axes, section: Section, rows: np.ndarray, values: np.ndarray, label: str) -> None:
    x, y = _centres(section)
    dots = ax.scatter(
        x[section.cells["ix"][rows]], y[section.cells["iy"][rows]], c=values[rows],
        s=float(np.clip(1.2 * _site_points(section), 5.5, 9.0)) ** 2,
        cmap="viridis", vmin=0.0, vmax=1.0, edgecolors=BLACK, linewidths=0.6, zorder=5,
    )  # fmt: skip
    _colour_bar(ax, dots, label, slot=1)


def _legend(ax: Axes, handles: Sequence[Patch | Line2D], ncols: int = 2) -> None:
    if handles:
        ax.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(-0.015, -0.005), ncols=ncols, fontsize=9.5,
            frameon=False, handlelength=1.6, columnspacing=1.2,
        )  # fmt: skip


def _note(ax: Axes, text: str) -> None:
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=12, color="0.35")
