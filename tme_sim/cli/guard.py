"""Turns whatever a command raises into one message on stderr and an exit code."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from tme_sim.cli.errors import FAULTY, INTERNAL, INTERRUPTED, CommandError

DEBUG = "TME_SIM_DEBUG"


class GuardedGroup(TyperGroup):
    """The group of all commands; no command leaks a traceback unless ``--debug`` asks for it."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; raise `typer.Exit` with the code that its failure deserves."""
        try:
            return super().invoke(ctx)
        except CommandError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(error.code) from None
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader of our output has gone (`tme-sim schema | head`): not a failure of ours.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if _is_usage(error) or os.environ.get(DEBUG):
                raise
            if _is_of_evidence(error):
                typer.echo(str(error), err=True)
                raise typer.Exit(FAULTY) from None
            typer.echo(_internal(error), err=True)
            raise typer.Exit(INTERNAL) from None


def _is_usage(error: Exception) -> bool:
    """Return whether typer will show the error itself, as it does for wrong options."""
    return hasattr(error, "exit_code") and hasattr(error, "show")


def _is_of_evidence(error: Exception) -> bool:
    """Return whether a table of the seeds folder is faulty: any command reads them that loads a scenario."""
    from tme_sim.rules.evidence import EvidenceError

    return isinstance(error, EvidenceError)


def _internal(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ["no message"]
    handle, name = tempfile.mkstemp(prefix="tme-sim-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{' '.join(sys.argv)}\n\n")
        file.write("".join(traceback.format_exception(error)))
    return f"internal error: {type(error).__name__}: {lines[0]}; traceback in {Path(name)}"
