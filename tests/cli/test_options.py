from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tme_sim.cli.app import app
from tme_sim.cli.errors import CommandError
from tme_sim.cli.options import overrides


def test_settings_lose_their_blanks() -> None:
    assert overrides(["vessels.spacing=150 um", "a = b=c"]) == ("vessels.spacing=150 um", "a=b=c")


def test_until_and_seed_are_settings() -> None:
    assert overrides(None, "10d", 7) == ("time.duration=10d", "seed=7")


def test_setting_without_value_is_refused() -> None:
    with pytest.raises(CommandError, match=r"--set vessels\.spacing: expected key=value"):
        overrides(["vessels.spacing"])


def test_key_set_twice_is_refused() -> None:
    with pytest.raises(CommandError, match="seed: given twice"):
        overrides(["seed=1"], seed=2)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(CommandError) as caught:
        overrides(["a", "b"])
    assert str(caught.value).count("\n") == 1


@pytest.mark.parametrize("command", ["run", "plan", "watch"])
def test_errors_name_the_option_that_was_typed(command: str, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "a.h5")] if command == "run" else []
    typed = CliRunner().invoke(app, [command, "s0_relay", "--until", "zzz", "--seed", "-3", *out])
    assert sorted(line.partition(" got ")[0] for line in typed.stderr.splitlines()) == ["--seed:", "--until:"]
    plain = CliRunner().invoke(app, [command, "s0_relay", "--set", "time.duration=zzz", *out])
    assert plain.stderr.startswith("--set time.duration: ")
