from __future__ import annotations

import resource
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from tme_sim.cli.app import app
from tme_sim.cli.errors import FAULTY, INTERNAL, INTERRUPTED, CommandError
from tme_sim.cli.guard import GuardedGroup

HEAVY = ("numba", "numpy", "mesa", "h5py", "pydantic", "pint", "matplotlib", "pandas", "rich.console")


def _help(*options: str) -> subprocess.CompletedProcess[str]:
    code = "from tme_sim.cli.app import main; main()"
    return subprocess.run(
        [sys.executable, *options, "-c", code, "--help"], capture_output=True, text=True, check=False
    )


def _guarded(error: BaseException) -> typer.Typer:
    guarded = typer.Typer(cls=GuardedGroup, pretty_exceptions_enable=False)

    @guarded.callback()
    def _root() -> None: ...

    @guarded.command()
    def fail() -> None:
        raise error

    return guarded


def test_help_names_every_command() -> None:
    shown = _help().stdout
    for name in ("run", "check", "plan", "rules", "init", "schema", "info", "verify"):
        assert f"\n  {name} " in shown


def test_help_lines_are_not_cut() -> None:
    assert "..." not in _help().stdout.split("Commands:")[1]


def test_help_imports_nothing_heavy() -> None:
    imported = _help("-X", "importtime").stderr
    loaded = {line.rpartition("|")[2].strip() for line in imported.splitlines()}
    assert not loaded & set(HEAVY)


def test_help_takes_less_than_three_tenths_of_a_second() -> None:
    # Processor time, so that a busy machine does not decide.
    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    times = []
    for _ in range(5):
        before = spent()
        _help()
        times.append(spent() - before)
    assert min(times) < 0.3


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (CommandError("a.yaml:1:2: size: -1; expected > 0"), FAULTY, "a.yaml:1:2: size: -1; expected > 0"),
        (KeyboardInterrupt(), INTERRUPTED, "interrupted"),
        (
            ZeroDivisionError("division by zero"),
            INTERNAL,
            "internal error: ZeroDivisionError: division by zero",
        ),
    ],
    ids=["configuration", "interrupt", "internal"],
)
def test_failure_ends_with_its_exit_code(error: BaseException, code: int, text: str) -> None:
    result = CliRunner().invoke(_guarded(error), ["fail"])
    assert result.exit_code == code
    assert text in result.stderr
    assert result.stdout == ""


def test_internal_error_leaves_its_traceback_in_a_file() -> None:
    result = CliRunner().invoke(_guarded(ZeroDivisionError("once")), ["fail"])
    path = result.stderr.strip().rpartition(" ")[2]
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a path as printed
        assert "ZeroDivisionError: once" in file.read()


@pytest.mark.parametrize("arguments", [["nonsense"], ["run"], ["run", "--nonsense"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == FAULTY


def test_version_is_printed() -> None:
    from tme_sim import __version__

    assert CliRunner().invoke(app, ["--version"]).stdout == f"tme-sim {__version__}\n"
