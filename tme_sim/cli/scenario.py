"""Loads a scenario for a command and reports all of its faults at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tme_sim.cli.errors import CommandError

if TYPE_CHECKING:
    from tme_sim.model.tumor import TumorMicroenvironment
    from tme_sim.scenario.scenario import Scenario


def load(config: str, overrides: Sequence[str]) -> Scenario:
    """Return the checked scenario.

    Raises
    ------
    CommandError
        With every fault of the file and of the overrides, one a line.
    """
    from tme_sim.scenario.load import ScenarioError, load_scenario

    try:
        return load_scenario(config, overrides)
    except ScenarioError as error:
        raise CommandError(str(error)) from error


def build(config: str, overrides: Sequence[str]) -> TumorMicroenvironment:
    """Return the model of a scenario at time zero.

    Raises
    ------
    CommandError
        When the scenario has faults, also those that only show when tissue meets grid.
    """
    from tme_sim.model.tumor import TumorMicroenvironment
    from tme_sim.scenario.load import ScenarioError

    scenario = load(config, overrides)
    try:
        return TumorMicroenvironment(scenario)
    except ScenarioError as error:
        raise CommandError(str(error)) from error
