"""Agent-based simulator of the tumor microenvironment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tme_sim.model.tumor import TumorMicroenvironment
    from tme_sim.record.batch_reader import open_batch
    from tme_sim.record.reader import open_run
    from tme_sim.scenario.load import load_scenario

__version__ = "0.1.0"
__all__ = ["TumorMicroenvironment", "__version__", "load_scenario", "open_batch", "open_run"]

_HOMES = {
    "TumorMicroenvironment": "tme_sim.model.tumor",
    "load_scenario": "tme_sim.scenario.load",
    "open_batch": "tme_sim.record.batch_reader",
    "open_run": "tme_sim.record.reader",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that ``tme-sim --help`` stays fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tme_sim' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
