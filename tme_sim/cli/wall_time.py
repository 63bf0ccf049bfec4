"""Reads wall times as options and experiments give them."""

from __future__ import annotations

from tme_sim.cli.errors import CommandError


def seconds_of(text: str, where: str) -> float:
    """Return a wall time such as ``5min``, seconds; infinite for ``never``.

    Raises
    ------
    CommandError
        When it cannot be read; ``where`` says what it was given for.
    """
    from tme_sim.record.schedule import ScheduleError, wall_time_s

    try:
        return wall_time_s(text)
    except ScheduleError as error:
        raise CommandError(f"{where} {error}") from None
