"""What a batch ends with: its state, means by arm and point, classes of resistance, convergence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from tme_sim.batch.folder import Folder
    from tme_sim.batch.merge import Merged


def show_summary(folder: Folder, merged: Merged) -> None:
    """Print the means of the reported measures on stdout."""
    from tme_sim.batch.summary import swept_keys, table_of

    console = Console(soft_wrap=True, highlight=False)
    means, swept = table_of(folder), swept_keys(folder)
    console.print(f"At the end of the runs, means over n runs ({folder.read_manifest()['experiment']})")
    show_rows(console, Table(), *narrower(*cells_of(means)))
    if swept and swept[0] not in means:
        console.print(
            f"{len(swept)} swept keys are taken together; each point is in the file", highlight=False
        )
    show_classes(folder, console)
    show_convergence(folder, console)
    for text in merged.passed_over:
        console.print(f"passed over: {text}", highlight=False)
    console.print(f"{merged.runs} of {len(folder.entries())} runs in {merged.path}", highlight=False)


def cells_of(frame: Any) -> tuple[list[str], list[list[str]]]:
    """Return column names and rows of a table, as text."""
    return [str(name) for name in frame], [
        [_shown(value, name) for name, value in zip(frame, row, strict=True)]
        for row in frame.itertuples(index=False)
    ]


def narrower(header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return a table, or the same with rows and columns exchanged where that takes less width.

    Parameters
    ----------
    header : list of str
        Column names.
    rows : list of lists of str
        Cells.
    """
    lines = [header, *rows]
    turned = [list(column) for column in zip(*lines, strict=True)]
    best = min(lines, turned, key=_width)
    return (header, rows) if best is lines else (turned[0], turned[1:])


def show_rows(console: Console, table: Table, header: list[str], rows: list[list[str]]) -> None:
    """Print a table whose first column is text and whose other columns are numbers."""
    for i, name in enumerate(header):
        table.add_column(name, justify="right" if i else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _width(lines: list[list[str]]) -> int:
    """Return the characters that a table takes: its widest cell per column, and the frame."""
    return sum(max(map(len, column)) + 3 for column in zip(*lines, strict=True))


def show_classes(folder: Folder, console: Console) -> None:
    """Print for each drug the mean share of living tumour cells of each class of resistance, by arm."""
    from tme_sim.batch.summary import classes_of

    classes, faults = classes_of(folder)
    for text in faults:
        console.print(f"left out of the classes of resistance: {text}", highlight=False)
    if classes.empty:
        return
    from tme_sim.analysis.classes import shares_by_arm  # scipy takes a while, which most batches do without

    for drug in dict.fromkeys(classes["drug"]):
        header, rows = cells_of(shares_by_arm(classes, drug))
        header[-1] = "first dose, day"
        rows = [["-" if cell == "nan" else cell for cell in row] for row in rows]
        console.print(f"Classes of resistance to {drug} after a washout, mean shares of living tumour cells")
        show_rows(console, Table(), *narrower(header, rows))


def show_convergence(folder: Folder, console: Console) -> None:
    """Print for each refined key whether the last refinement still changes the reported measures."""
    from tme_sim.analysis.convergence import levels_of, refinements
    from tme_sim.record.batch_reader import open_batch
    from tme_sim.record.manifest import REPLICATES

    manifest = folder.read_manifest()
    if not manifest["converge"]:
        return
    with open_batch(folder.results) as batch:
        table = batch.table()
        levels = levels_of(table, manifest["converge"])
        found = refinements(table, levels, list(batch.reported), manifest["tolerance"])
    for row in found.drop_duplicates(["arm", "key", "measure"], keep="last").to_dict("records"):
        coarse, fine = manifest["converge"][row["key"]][-2:]
        of_what = "interval of the mean" if row["key"] == REPLICATES else "interval"
        interval = f" (95 % {of_what} {row['low']:+.1%} to {row['high']:+.1%})" if row["n"] > 1 else ""
        console.print(
            f"{row['arm']}: {row['measure']}: {row['key']} {coarse} -> {fine}: "
            f"{row['change']:+.1%}{interval}: {row['answer']}",
            highlight=False,
        )


def _shown(value: Any, name: str) -> str:
    from tme_sim.record.manifest import number_of

    if isinstance(value, str) and name != "arm" and (found := number_of(value)) is not None:
        return f"{found[0]:.6g} {found[1]}".strip()  # drawn values have as many digits as a float
    return f"{value:.4g}" if isinstance(value, float) else str(value)
