"""The code on the pages of the documentation."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page, language):
    """Return the fenced blocks of one language on a page."""
    found = _FENCE.findall((DOCS / page).read_text(encoding="utf-8"))
    return [text for kind, text in found if kind == language]


def tables(page):
    """Return the tables of a page: heading of the first column, and the words in backticks of that column."""
    found, heading = [], None
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        first = line.split("|")[1].strip() if line.startswith("|") else None
        if first is None:
            heading = None
        elif heading is None:
            heading = first
            found.append((heading, []))
        elif not set(first) <= set("-: "):
            found[-1][1].extend(re.findall(r"`([^`]+)`", first))
    return found
