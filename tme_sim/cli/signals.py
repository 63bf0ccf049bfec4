"""Ctrl-C and SIGTERM while a run can still be saved: the first asks it to stop, the second ends it at once."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType


class StopRequest:
    """Within a ``with`` block: true once Ctrl-C was pressed or SIGTERM came; a second one interrupts.

    Parameters
    ----------
    gently : bool
        False: the first one interrupts already, as there is nothing to save.
    """

    def __init__(self, *, gently: bool = True) -> None:
        self.gently, self._asked = gently, False

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self._asked

    def __enter__(self) -> StopRequest:
        self._before = {number: signal.signal(number, self._take) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._asked or not self.gently:
            raise KeyboardInterrupt
        self._asked = True


_SIGNALS = (signal.SIGINT, signal.SIGTERM)
