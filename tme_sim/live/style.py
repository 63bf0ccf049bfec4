"""How the page looks: the style sheet beside this module."""

from __future__ import annotations

from pathlib import Path

CSS = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
