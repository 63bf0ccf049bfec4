"""Shows how far a run is: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TextIO

from tqdm import tqdm

_LINES = 10


class Progress:
    """Simulated time, cells and time left, on stderr.

    The first step compiles or loads the kernels; the clock for the time left starts after it.

    Parameters
    ----------
    title : str
        Name of the scenario.
    steps : int
        Steps to do.
    dt_min : float
        Length of a step, minutes.
    quiet : bool
        Show nothing.
    """

    def __init__(
        self, title: str, steps: int, dt_min: float, *, quiet: bool = False, stream: TextIO | None = None
    ) -> None:
        self.title, self.steps, self.dt_min, self.quiet = title, max(steps, 1), dt_min, quiet
        self.stream = stream or sys.stderr
        self.terminal = self.stream.isatty()
        self._bar: tqdm | None = None
        self._first = 0
        self._started = time.monotonic()
        self._next_line = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.write(text, file=self.stream)
        else:
            print(text, file=self.stream, flush=True)

    def update(self, step: int, cells: int) -> None:
        """Show that ``step`` steps are done and ``cells`` cells live."""
        if self.quiet:
            return
        if self.terminal:
            self._draw(step, cells)
            return
        if not self._next_line:
            self._begin(step)
        if step >= self._next_line or step >= self.steps:
            print(
                f"{self._described(step, cells)}, {self._left(step)} left",
                file=self.stream,
                flush=True,
            )
            self._next_line = step + max(1, self.steps // _LINES)

    def _begin(self, step: int) -> None:
        self._first, self._started = step, time.monotonic()
        self._next_line = step + max(1, self.steps // _LINES)

    def _draw(self, step: int, cells: int) -> None:
        if self._bar is None:
            self._begin(step)
            self._bar = tqdm(
                desc=self._described(step, cells),
                total=self.steps,
                initial=step,
                file=self.stream,
                smoothing=0.1,
                mininterval=0.2,
                dynamic_ncols=True,
                bar_format="{desc} |{bar}| {percentage:3.0f}%, {remaining} left",
            )
        self._bar.set_description_str(self._described(step, cells), refresh=False)
        self._bar.update(step - self._bar.n)

    def _described(self, step: int, cells: int) -> str:
        return f"{self.title}: {self._where(step, cells)}"

    def _where(self, step: int, cells: int) -> str:
        days, total = step * self.dt_min / 1440.0, self.steps * self.dt_min / 1440.0
        return f"day {days:.1f} of {total:.1f}, {cells:,} cells"

    def _left(self, step: int) -> str:
        done = step - self._first
        if done <= 0:
            return "?"
        seconds = (time.monotonic() - self._started) / done * max(self.steps - step, 0)
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
