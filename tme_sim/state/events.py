"""Births, deaths, transitions and switches of clone since the start, as growing tables."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

BIRTH = np.dtype(
    [("minutes", "f8"), ("id", "i8"), ("parent", "i8"), ("founder", "i8"), ("type", "i2"), ("site", "i8")]
)
DEATH = np.dtype(
    [("minutes", "f8"), ("id", "i8"), ("type", "i2"), ("site", "i8"), ("cause", "i1"), ("drug", "i1")]
)
TRANSITION = np.dtype(
    [("minutes", "f8"), ("id", "i8"), ("from_type", "i2"), ("to_type", "i2"), ("site", "i8")]
)

SWITCH = np.dtype([("minutes", "f8"), ("id", "i8"), ("from_clone", "i2"), ("to_clone", "i2"), ("site", "i8")])


@dataclass
class Events:
    """Event tables, in order of time and, within a step, of id; `take` empties them for the recorder."""

    births: list[np.ndarray] = field(default_factory=list)
    deaths: list[np.ndarray] = field(default_factory=list)
    transitions: list[np.ndarray] = field(default_factory=list)
    switches: list[np.ndarray] = field(default_factory=list)

    def table(self, name: str) -> np.ndarray:
        """Return one table (``births``, ``deaths``, ``transitions`` or ``switches``) as a structured array."""
        dtype = {"births": BIRTH, "deaths": DEATH, "transitions": TRANSITION, "switches": SWITCH}[name]
        parts: list[np.ndarray] = getattr(self, name)
        return np.concatenate(parts) if parts else np.zeros(0, dtype)
