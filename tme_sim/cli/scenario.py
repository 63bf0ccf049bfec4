"""Loads a scenario, or builds its model, for a command and reports all faults at once."""

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
    from tme_sim.measures.registry import measures_for
    from tme_sim.scenario.load import Known, ScenarioError, load_scenario
    from tme_sim.scenario.scenario import layout_of

    try:
        scenario = load_scenario(config, overrides)
        # Which measures there are follows from the names in the scenario: conditions need a second look.
        known = Known(measures=frozenset(measures_for(layout_of(scenario))))
        return load_scenario(config, overrides, known)
    except ScenarioError as error:
        raise CommandError(str(error)) from error


def build(config: str, overrides: Sequence[str]) -> TumorMicroenvironment:
    """Return the model of a scenario at time zero.

    Raises
    ------
    CommandError
        When the scenario has faults, also those that only show when tissue meets grid.
    """
    scenario = load(config, overrides)

    from tme_sim.measures.condition import ConditionError
    from tme_sim.model.assemble import PlanError
    from tme_sim.model.site_table import PlacementError
    from tme_sim.model.tumor import TumorMicroenvironment

    try:
        return TumorMicroenvironment(scenario)
    except (ConditionError, PlacementError, PlanError) as error:
        raise CommandError("\n".join(f"{config}: {line}" for line in str(error).splitlines())) from error
