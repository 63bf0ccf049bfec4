"""Decides which run is meant: a scenario from its start, or a checkpoint gone on from or branched off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tme_sim.cli.errors import CommandError
from tme_sim.cli.scenario import build

if TYPE_CHECKING:
    from tme_sim.model.tumor import TumorMicroenvironment
    from tme_sim.record.recorder import Recorder
    from tme_sim.record.session import Session

_SUFFIX = ".checkpoint"


@dataclass(frozen=True)
class Start:
    """A model to be run, and what was recorded of it so far; None at its start."""

    model: TumorMicroenvironment
    recorder: Recorder | None = None
    notes: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        """Id of the run."""
        from tme_sim.record.session import identity

        return identity(self.model)

    def session(self, out: Path, every_s: float) -> Session:
        """Return the run, ready to advance."""
        from tme_sim.record.session import Session

        if self.recorder is None:
            return Session.begin(self.model, out, every_s=every_s)
        return Session(self.model, self.recorder, out, every_s, notes=list(self.notes))


def run_file_of(saved: Path) -> Path:
    """Return the run file that a checkpoint, or the run file itself, names."""
    name = saved.name.removesuffix(".1") if saved.name.endswith(f"{_SUFFIX}.1") else saved.name
    return saved.with_name(name.removesuffix(_SUFFIX))


def from_scenario(config: str, overrides: Sequence[str]) -> Start:
    """Return the run of a scenario.

    Raises
    ------
    CommandError
        With every fault of the scenario.
    """
    return Start(build(config, overrides))


def from_checkpoint(saved: Path, overrides: Sequence[str], *, branch: bool) -> Start:
    """Return a saved run, with settings changed.

    Raises
    ------
    CommandError
        When there is no usable checkpoint, a setting is wrong or does not fit the state, or changes more than the
        duration of a run that is no branch.
    """
    from tme_sim.record.checkpoint import checkpoint_path, newest

    found, passed_over = newest(checkpoint_path(run_file_of(saved)))
    if found is None:
        missing = (
            f"{saved}: there is no checkpoint of it; a run leaves one when it is interrupted, "
            "or at its end with --keep-state"
        )
        raise CommandError("\n".join(passed_over or [missing]))
    if overrides:
        _change(found.model, overrides, branch=branch)
        found.recorder.context = found.model.measure_context
        found.recorder.attach(found.model)
    notes = (*passed_over, f"goes on at {found.header.minutes / 1440.0:.2f} d")
    return Start(found.model, found.recorder, notes)


def _change(model: TumorMicroenvironment, overrides: Sequence[str], *, branch: bool) -> None:
    from tme_sim.scenario.load import ScenarioError, read_scenario

    others = [text for text in overrides if not text.startswith("time.duration=")]
    if others and not branch:
        raise CommandError(f"--resume goes on with the same run; {others[0]} makes another: use --branch")
    try:
        model.go_on(read_scenario(model.resolved_yaml, overrides))
    except ScenarioError as error:
        raise CommandError(str(error)) from error
    except ValueError as error:
        raise CommandError(f"{'--branch' if branch else '--resume'}: {error}") from error
