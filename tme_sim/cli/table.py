"""Plain tables on stdout, in the width that a terminal or a file has."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO


def show(header: Sequence[str], rows: Iterable[Sequence[str]], *, stream: TextIO | None = None) -> None:
    """Print a table; the first column is left-aligned, columns of numbers to the right.

    Parameters
    ----------
    header : sequence of str
        Column names; a leading ``>`` right-aligns the column.
    rows : iterable of sequences of str
        Cells, as text.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = stream or sys.stdout
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in header:
        right = name.startswith(">")
        table.add_column(name.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.write("\n")
    # A file or a pipe gets whole lines: nothing is folded to a terminal that is not there.
    Console(file=out, width=None if out.isatty() else 160, highlight=False).print(table)
