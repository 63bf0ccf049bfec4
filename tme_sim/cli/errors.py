"""What the commands exit with, and the one error that they report without a traceback."""

from __future__ import annotations

FAULTY, INTERNAL, INTERRUPTED = 2, 3, 130


class CommandError(Exception):
    """A command cannot do what was asked.

    Parameters
    ----------
    message : str
        Printed on stderr, one line per fault: where, what was there, what was expected, how to fix it.
    code : int
        Exit code; 2 for usage and configuration.
    """

    def __init__(self, message: str, code: int = FAULTY) -> None:
        super().__init__(message)
        self.code = code
