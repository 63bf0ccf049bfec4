"""The command ``tme-sim``: registers the commands, each of which imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tme_sim.cli import (
    batch,
    check,
    diff,
    export,
    info,
    init,
    plan,
    report,
    rules,
    run,
    schema,
    status,
    verify,
    watch,
)
from tme_sim.cli.errors import INTERRUPTED
from tme_sim.cli.guard import DEBUG, GuardedGroup

app = typer.Typer(
    name="tme-sim",
    cls=GuardedGroup,
    help="Agent-based simulator of the tumor microenvironment.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from tme_sim import __version__

        typer.echo(f"tme-sim {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")] = False,
) -> None:
    if debug:
        os.environ[DEBUG] = "1"


app.command("run")(run.run)
app.command("watch")(watch.watch)
app.command("batch")(batch.batch)
app.command("status")(status.status)
app.command("merge")(status.merge)
app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("rules")(rules.rules)
app.command("init")(init.init)
app.command("schema")(schema.schema)
app.command("info")(info.info)
app.command("diff")(diff.diff)
app.command("export")(export.export)
app.command("verify")(verify.verify)
app.command("report")(report.report)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except SystemExit as leaving:
        if leaving.code != INTERRUPTED:
            raise
        # All is saved; taking down an interpreter full of kernels would keep the user waiting for seconds.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)
