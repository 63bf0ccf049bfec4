"""Writes a report as a folder: one page that needs nothing else, and every figure and table as files."""

from __future__ import annotations

import base64
import io
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

import tme_sim
from tme_sim.analysis.report.page import Chapter, Film, Item, Picture, Report, Table
from tme_sim.analysis.report.tables import shown_rows
from tme_sim.analysis.style import save, settle

PAGE, MARK = "index.html", "tme-sim-report"
# Larger drawings go into the page as pixels: a browser is slow with that many lines.
_MOST_SVG_BYTES = 900_000
_LONG_KEY, _BREAK = re.compile(r"[^\s<>&;]{13,}"), re.compile(r"([._/,])(?=.)")
_TYPES = {".mp4": "video/mp4", ".gif": "image/gif"}


class PlaceTaken(FileExistsError):
    """A folder holds something already; says what."""


def write_report(
    report: Report, out: Path, *, force: bool = False, tell: Callable[[str], None] = lambda _: None
) -> Path:
    """Write a report to the folder ``out``: whole or not at all; return its page.

    Parameters
    ----------
    force : bool
        Replace an earlier report there.
    tell : callable
        Is told the title of every chapter before it is made.

    Raises
    ------
    PlaceTaken
        When the folder holds files that are no report, or a report and ``force`` is false.
    OSError
        When it cannot be written; nothing is left behind.
    """
    check_place(out, force=force)
    making = out.with_name(f".{out.name}.{secrets.token_hex(8)}.part")
    making.mkdir()
    try:
        chapters = [_write_chapter(chapter, making, tell) for chapter in report.chapters]
        page = _template().render(
            report=report, chapters=chapters, version=tme_sim.__version__, mark=MARK, slug=_slug
        )
        (making / PAGE).write_text(page, encoding="utf-8")
        _put_in_place(making, out)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return out / PAGE


def check_place(out: Path, *, force: bool) -> None:
    """Refuse a folder that a report would destroy.

    Raises
    ------
    PlaceTaken
        As in `write_report`.
    """
    if not out.exists() and not out.is_symlink():
        return
    if out.is_symlink() or not out.is_dir():
        raise PlaceTaken(f"{out}: is not a folder; expected a new or an empty one")
    held = sorted(path.name for path in out.iterdir())
    if not held:
        return
    if not is_report(out):
        raise PlaceTaken(f"{out}: holds {held[0]} and no report; expected a new or an empty folder")
    if not force:
        raise PlaceTaken(f"{out}: holds a report; choose another name or replace it with --force")


def is_report(folder: Path) -> bool:
    """Return whether a folder holds a report and nothing else."""
    page = folder / PAGE
    if not page.is_file() or {path.name for path in folder.iterdir()} - {PAGE, "figures", "tables"}:
        return False
    with page.open(encoding="utf-8", errors="replace") as file:
        return MARK in file.read(1000)


def _put_in_place(making: Path, out: Path) -> None:
    """Rename the folder to its name; an earlier report is moved away first and removed last."""
    if not out.exists():
        making.rename(out)
        return
    earlier = making.with_suffix(".earlier")
    out.rename(earlier)
    try:
        making.rename(out)
    except OSError:
        earlier.rename(out)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def _template() -> Any:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["breakable"] = breakable
    return environment.get_template("page.html.j2")


def breakable(text: str) -> Markup:
    """Return a text in which long keys may be broken after dots, underscores, slashes and commas."""
    return Markup(_LONG_KEY.sub(lambda word: _BREAK.sub(r"\1<wbr>", word[0]), str(escape(text))))


def _write_chapter(chapter: Chapter, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    tell(chapter.title)
    items = [_write_item(item, folder) for item in chapter.items]
    return {"title": chapter.title, "lead": chapter.lead, "items": items}


def _write_item(item: Item, folder: Path) -> dict[str, Any]:
    """Write the files of an item; return what the page shows of it."""
    if isinstance(item, Picture):
        return _write_picture(item, folder)
    if isinstance(item, Table):
        path = _write_table(item.frame, folder, item.name)
        return {**_words(item), "kind": "table", **shown_rows(item), "files": [path]}
    if isinstance(item, Film):
        (folder / "figures").mkdir(exist_ok=True)
        path = item.make(folder / "figures" / item.name)
        data = _data_address(path.read_bytes(), _TYPES[path.suffix])
        return {**_words(item), "kind": path.suffix[1:], "data": data, "files": [f"figures/{path.name}"]}
    return {"kind": "words", **asdict(item)}


def _write_picture(item: Picture, folder: Path) -> dict[str, Any]:
    (folder / "figures").mkdir(exist_ok=True)
    settle(item.figure)
    drawn = {kind: io.BytesIO() for kind in ("svg", "png")}
    files = []
    for kind, buffer in drawn.items():
        save(item.figure, buffer, kind)
        path = folder / "figures" / f"{item.name}.{kind}"
        path.write_bytes(buffer.getvalue())
        files.append(f"figures/{path.name}")
    if item.numbers is not None:
        files.append(_write_table(item.numbers, folder, item.name))
    svg, png = (drawn[kind].getvalue() for kind in ("svg", "png"))
    data = (
        _data_address(svg, "image/svg+xml")
        if len(svg) <= _MOST_SVG_BYTES
        else _data_address(png, "image/png")
    )
    wide_mm = item.figure.get_figwidth() * 25.4
    return {**_words(item), "kind": "picture", "data": data, "wide_mm": wide_mm, "files": files}


def _words(item: Picture | Table | Film) -> dict[str, Any]:
    return {"name": item.name, "title": item.title, "caption": item.caption}


def _write_table(frame: pd.DataFrame, folder: Path, name: str) -> str:
    (folder / "tables").mkdir(exist_ok=True)
    frame.to_csv(folder / "tables" / f"{name}.csv", index=False, float_format="%.8g", lineterminator="\n")
    return f"tables/{name}.csv"


def _data_address(raw: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(raw).decode()}"


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower()).strip("-")
