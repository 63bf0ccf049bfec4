"""Shows how far a batch is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from tqdm import tqdm

if TYPE_CHECKING:
    from tme_sim.batch.local import Event

_LINE_EVERY_S = 10.0


class BatchProgress:
    """Runs done, failed and running, and the time left.

    Parameters
    ----------
    runs, done : int
        Runs of the batch, and how many were done before.
    """

    def __init__(
        self, title: str, runs: int, done: int, *, quiet: bool = False, stream: TextIO | None = None
    ):
        self.title, self.runs, self.before, self.quiet = title, runs, done, quiet
        self.stream = stream or sys.stderr
        self.counts = {"done": 0, "failed": 0}
        self._shares: dict[str, float] = {}
        self._started: float | None = None  # when the first run did: kernels are no measure of the time left
        self._said = time.monotonic()
        self._bar: tqdm | None = None

    def __enter__(self) -> BatchProgress:
        if not self.quiet and self.before:
            print(f"{self.before} of {self.runs} runs are done already", file=self.stream, flush=True)
        if not self.quiet and self.stream.isatty():
            self._bar = tqdm(
                total=self.runs, initial=self.before, file=self.stream, dynamic_ncols=True, mininterval=0.2,
                bar_format="{desc} |{bar}| {n_fmt}/{total_fmt} runs{postfix}",
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def take(self, event: Event) -> None:
        """Show an event."""
        name = event.run.run_id
        if self._started is None:
            self._started = time.monotonic()
        if event.kind in ("started", "progress"):
            self._shares[name] = event.share
        else:
            self._shares.pop(name, None)
        if event.kind in self.counts:
            self.counts[event.kind] += 1
        if event.kind in ("failed", "retried"):
            self.say(f"{event.kind}: {event.run.arm}, replicate {event.run.replicate}: {event.reason}")
        elif event.kind in ("done", "stopped") and event.reason:
            self.say(f"{event.run.arm}, replicate {event.run.replicate}: {event.reason}")
        self._show(last=event.kind in self.counts and not self._shares)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.write(text, file=self.stream)
        else:
            print(text, file=self.stream, flush=True)

    def _show(self, *, last: bool) -> None:
        if self.quiet:
            return
        words = f"{self.counts['failed']} failed, {len(self._shares)} running, {self._left()} left"
        if self._bar is not None:
            self._bar.set_description_str(self.title, refresh=False)
            self._bar.set_postfix_str(words, refresh=False)
            self._bar.update(self.before + sum(self.counts.values()) - self._bar.n)
            self._bar.refresh()
        elif last or time.monotonic() - self._said >= _LINE_EVERY_S:
            self._said = time.monotonic()
            done = self.before + self.counts["done"]
            print(f"{self.title}: {done} of {self.runs} runs done, {words}", file=self.stream, flush=True)

    def _left(self) -> str:
        done = sum(self.counts.values()) + sum(self._shares.values())
        if done <= 0.0 or self._started is None:
            return "?"
        rest = self.runs - self.before - done
        seconds = (time.monotonic() - self._started) / done * max(rest, 0.0)
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
