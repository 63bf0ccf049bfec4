from __future__ import annotations

import io

from tme_sim.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _shown(stream: io.StringIO, *, quiet: bool = False) -> str:
    with Progress("liver", 100, 6.0, quiet=quiet, stream=stream) as progress:
        for step in range(1, 101):
            progress.update(step, 1000 + step)
    return stream.getvalue()


def test_without_terminal_prints_plain_lines() -> None:
    lines = _shown(io.StringIO()).splitlines()
    assert 8 <= len(lines) <= 12
    assert lines[-1] == "liver: day 0.4 of 0.4, 1,100 cells, 0:00 left"
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_terminal_shows_time_cells_and_time_left() -> None:
    shown = _shown(Terminal())
    assert "day 0.4 of 0.4, 1,100 cells" in shown
    assert "left" in shown
    assert "100%" in shown


def test_quiet_shows_nothing() -> None:
    assert _shown(io.StringIO(), quiet=True) == ""


def test_single_step_is_shown() -> None:
    stream = io.StringIO()
    with Progress("one", 1, 6.0, stream=stream) as progress:
        progress.update(1, 5)
    assert "5 cells" in stream.getvalue()
