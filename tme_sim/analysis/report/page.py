"""A report as data: chapters of pictures, tables, films and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure with its caption and the numbers it shows.

    Attributes
    ----------
    name : str
        Names its files.
    caption : str
        What it shows, with sample sizes.
    numbers : DataFrame, optional
        What is drawn; written as CSV beside the figure.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    numbers: pd.DataFrame | None = None


@dataclass(frozen=True)
class Table:
    """A table; the page shows its first ``shown`` rows without columns ``in_file``, the CSV file has all."""

    name: str
    title: str
    caption: str
    frame: pd.DataFrame
    shown: int = 30
    in_file: Sequence[str] = ()


@dataclass(frozen=True)
class Film:
    """A film; ``make(stem)`` writes it and returns its file."""

    name: str
    title: str
    caption: str
    make: Callable[[Path], Path]


@dataclass(frozen=True)
class Words:
    """A paragraph; a ``text`` that is long and fixed, such as a scenario, is folded away under its ``title``."""

    text: str
    title: str = ""


Item = Picture | Table | Film | Words


@dataclass(frozen=True)
class Chapter:
    """A chapter; its items are made one after the other, so that only one figure is in memory."""

    title: str
    lead: str
    items: Iterable[Item]


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes
    ----------
    facts : sequence of (label, value, note)
        The handful of numbers at the top.
    warnings : sequence of str
        What a reader must know before trusting a figure.
    """

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str, str]]
    warnings: Sequence[str]
    chapters: Iterable[Chapter]
