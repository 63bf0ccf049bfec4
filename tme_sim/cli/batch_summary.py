"""What a batch ends with: its state, means by arm and point, convergence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from tme_sim.batch.folder import Folder
    from tme_sim.batch.merge import Merged


def show_summary(folder: Folder, merged: Merged) -> None:
    """Print the means of the reported measures on stdout."""
    from tme_sim.batch.summary import table_of

    console = Console()
    frame = table_of(folder)
    table = Table(title=f"At the end of the runs, means over n runs ({folder.read_manifest()['experiment']})")
    for name in frame:
        table.add_column(
            str(name), justify="left" if frame[name].dtype == object else "right", overflow="fold"
        )
    for row in frame.itertuples(index=False):
        table.add_row(*(_shown(value) for value in row))
    console.print(table)
    show_convergence(folder, console)
    for text in merged.passed_over:
        console.print(f"passed over: {text}", highlight=False)
    console.print(f"{merged.runs} of {len(folder.entries())} runs in {merged.path}", highlight=False)


def show_convergence(folder: Folder, console: Console) -> None:
    """Print for each refined key whether the last refinement still changes the reported measures."""
    from tme_sim.batch.summary import convergence

    manifest = folder.read_manifest()
    for found in convergence(folder, manifest["converge"]):
        verdict = "stopped changing" if abs(found.change) <= manifest["tolerance"] else "still changes"
        console.print(
            f"{found.measure}: {found.key} {found.coarse} -> {found.fine}: {found.change:+.1%} "
            f"(standard error {found.noise:.1%}): {verdict}",
            highlight=False,
        )


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
