"""Plays a watched run in a thread of its own: play, pause, step, speed."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable

from tme_sim.live.watched import WatchedRun

# Long enough for a thread that waits for the lock to get it: Python's locks know no turns.
_TURN_S = 1e-4
# A page that has not drawn a picture for so long gets the next one in any case.
_PATIENCE_S = 2.0


class Player:
    """Steps a run and asks for a picture after every ``every`` steps, while the reader keeps up.

    Parameters
    ----------
    run : WatchedRun
    show : callable
        Draws; called in the player's thread after steps, without the lock.

    Attributes
    ----------
    every : int
        Steps from one picture to the next.
    speed : float
        Most steps per second; infinite for as fast as it goes.
    fault : str
        What stopped it, for people; empty while all is well.
    """

    def __init__(self, run: WatchedRun, show: Callable[[], None]):
        self.run, self.show = run, show
        self.every, self.speed, self.fault = 1, float("inf"), ""
        self._asked, self._drawn, self._asked_at = 0, 0, 0.0
        self._wake = threading.Condition()
        self._playing, self._closed = False, False
        self._thread = threading.Thread(target=self._loop, name="tme-sim-player", daemon=True)
        self._thread.start()

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._playing

    def play(self) -> None:
        """Go on until paused or the run ends."""
        with self._wake:
            self._playing = True
            self._wake.notify_all()

    def pause(self) -> None:
        """Stop after the step under way."""
        self._playing = False

    def step(self) -> None:
        """Make as many steps as lie between two pictures, and draw."""
        self._guarded(lambda: [self.run.step() for _ in range(self.every)])
        self.show()

    def close(self) -> None:
        """End the thread after the step under way."""
        with self._wake:
            self._closed, self._playing = True, False
            self._wake.notify_all()

    def asked(self) -> int:
        """Note that a picture is sent; return its number."""
        self._asked, self._asked_at = self._asked + 1, time.monotonic()
        return self._asked

    def drawn(self, number: int) -> None:
        """Note that the reader's browser has drawn a picture."""
        self._drawn = max(self._drawn, number)

    def _keeps_up(self) -> bool:
        late = time.monotonic() - self._asked_at > _PATIENCE_S
        return self._asked - self._drawn < 2 or late

    def _loop(self) -> None:
        while self._wait():
            self._guarded(self._play)

    def _wait(self) -> bool:
        with self._wake:
            while not self._playing and not self._closed:
                self._wake.wait()
            return not self._closed

    def _play(self) -> None:
        due, since = time.monotonic(), 0
        while self._playing:
            goes_on, since = self.run.step(), since + 1
            if not goes_on:
                break
            if since >= self.every and self._keeps_up():
                self.show()
                since = 0
            due = max(due + 1.0 / self.speed, time.monotonic() - 0.2)
            time.sleep(max(_TURN_S, min(due - time.monotonic(), 1.0)))
        self._playing = False
        if not self._closed:
            self.show()

    def _guarded(self, act: Callable[[], object]) -> None:
        """Do something that steps the model; what fails stops the play and is told."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - the page must live on to show it
            traceback.print_exc()
            self._playing = False
            self.fault = f"step {self.run.model.clock.step + 1}: {type(error).__name__}: {error}"
            self.show()
