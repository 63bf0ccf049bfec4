"""The command ``watch``: a scenario live in the browser, or in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tme_sim.cli.errors import CommandError
from tme_sim.cli.options import Config, Seed, Settings, Until, naming_as_typed, overrides
from tme_sim.cli.scenario import build

if TYPE_CHECKING:
    from tme_sim.scenario.scenario import Scenario

# What plays ends in a second; what compiles is left to end with the process.
_LEAVE_S = 1.8


def watch(
    config: Config = "liver_metastasis",
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of 127.0.0.1; 0 takes a free one.")
    ] = 8765,
    settings: Settings = None,
    until: Until = None,
    seed: Seed = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Show the tissue and its numbers here, without a browser.")
    ] = False,
    steps: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --terminal: steps from one picture to the next.")
    ] = 1,
) -> None:
    """Watch a scenario live, in the browser or in the terminal.

    The page is served to this machine alone and needs no internet. Every tab has a model of its own.
    """
    with naming_as_typed(until, seed):
        scenario = build(config, overrides(settings, until, seed)).config
    from tme_sim.numerics.jit import set_threads

    # The other cores are the browser's and the terminal's, and threads that wait for each other slow small models down.
    set_threads(1)
    if terminal:
        from tme_sim.live.terminal import play

        play(scenario, steps=steps)
    else:
        _serve(config, scenario, port, browser=browser)


def _serve(config: str, scenario: Scenario, port: int, *, browser: bool) -> None:
    from tme_sim.live.assets import AssetsError
    from tme_sim.live.server import PortTaken, serve
    from tme_sim.scenario.load import find_scenario

    _require_solara()
    from tme_sim.live.page import page_of

    def ready(address: str) -> None:
        typer.echo(f"{scenario.scenario}: {address} (Ctrl-C ends)", err=True)
        if browser:
            typer.launch(address)

    page = page_of(scenario, Path(find_scenario(config)).parent)
    try:
        serve(page, port, bare=True, ready=ready, leave_s=_LEAVE_S)
    except PortTaken as error:
        raise CommandError(f"--port: {error.strerror}; choose another, or 0 for a free one") from None
    except AssetsError as error:
        raise CommandError(str(error)) from None


def _require_solara() -> None:
    try:
        import solara  # noqa: F401
    except ModuleNotFoundError:
        raise CommandError(
            "the page needs Solara: pip install 'tme-sim[live]'; without it: tme-sim watch --terminal"
        ) from None
