"""A film of a tissue: MP4 where ffmpeg is there, else GIF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

from tme_sim.analysis.figures.montage import Row, Window, still_figure
from tme_sim.analysis.style import in_shared_style, settle

_FRAMES_PER_S, _DPI = 3, 150


def write_film(
    stem: Path, heads: Sequence[str], rows: Sequence[Row], spacing_um: float, window_um: Window
) -> Path:
    """Write one frame per moment, the rows side by side; return the file."""
    with in_shared_style():
        figure, images, title = still_figure(heads[0], rows, spacing_um, window_um)

        settle(figure)

        def show(at: int) -> list:
            for image, row in zip(images, rows, strict=True):
                image.set_data(row.planes[at])
            title.set_text(heads[at])
            return [*images, title]

        film = FuncAnimation(figure, show, frames=len(heads), blit=False)
        if FFMpegWriter.isAvailable():
            path = stem.with_suffix(".mp4")
            # Even sizes and this pixel format play in every browser.
            options = ["-pix_fmt", "yuv420p", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white"]
            film.save(path, FFMpegWriter(_FRAMES_PER_S, codec="libx264", extra_args=options), dpi=_DPI)
        else:
            path = stem.with_suffix(".gif")
            film.save(path, PillowWriter(_FRAMES_PER_S), dpi=_DPI)
    return path
