"""The player: it steps in its own thread, waits for the reader, and survives what fails."""

from __future__ import annotations

import threading
import time

from tme_sim.live.player import Player


class Counted:
    """A run that counts its steps and ends after ``last``."""

    def __init__(self, last: int = 10**9, fails_at: int = -1):
        self.steps, self.last, self.fails_at = 0, last, fails_at
        self.model = self
        self.clock = self

    @property
    def step_(self) -> int:
        return self.steps

    def step(self) -> bool:
        self.steps += 1
        if self.steps == self.fails_at:
            raise ValueError("a bad number")
        return self.steps < self.last


def played(run: Counted, **settings: float) -> tuple[Player, list[int]]:
    shown: list[int] = []
    player = Player(run, lambda: shown.append(run.steps))  # pyright: ignore[reportArgumentType]
    for name, value in settings.items():
        setattr(player, name, value)
    return player, shown


def wait(condition) -> None:
    until = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_draws_after_every_so_many_steps_and_at_the_end() -> None:
    player, shown = played(Counted(last=12), every=5)
    player.play()
    wait(lambda: shown and not player.playing)
    assert shown == [5, 10, 12]
    player.close()


def test_waits_with_pictures_for_a_slow_reader_but_not_with_steps() -> None:
    run = Counted()
    player, shown = played(run)
    player.show = lambda: shown.append(player.asked())
    player.play()
    wait(lambda: run.steps > 50)
    assert shown == [1, 2]
    player.drawn(2)
    wait(lambda: len(shown) > 2)
    player.close()


def test_speed_limits_steps() -> None:
    run = Counted()
    player, _ = played(run, speed=50.0)
    player.play()
    time.sleep(0.5)
    player.close()
    assert 10 <= run.steps <= 40


def test_failure_stops_the_play_and_is_told(capsys) -> None:
    run = Counted(fails_at=4)
    run.clock = type("Clock", (), {"step": 3})()
    player, shown = played(run)
    player.play()
    wait(lambda: player.fault)
    assert player.fault == "step 4: ValueError: a bad number"
    wait(lambda: shown[-1] == 4)
    assert not player.playing
    player.close()
    assert "ValueError" in capsys.readouterr().err


def test_close_ends_the_thread() -> None:
    player, _ = played(Counted())
    player.play()
    player.close()
    wait(lambda: player._thread not in threading.enumerate())
