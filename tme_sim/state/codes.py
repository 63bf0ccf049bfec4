"""Small integers that arrays store in place of words."""

from __future__ import annotations

# Stage of the cell cycle (column ``stage``).
G1, S, G2M, NO_CYCLE = 0, 1, 2, 3
STAGES = ("G1", "S", "G2M", "none")

# Cause of death (column ``death``); 0 while the cell lives.
ALIVE, APOPTOSIS, NECROSIS, DRUG, REMOVED, KILLED = 0, 1, 2, 3, 4, 5
DEATHS = ("alive", "apoptosis", "necrosis", "drug", "removed", "killed")

# Random streams: one per use, so that a draw added to one process never shifts another's.
STREAM_TISSUE, STREAM_VESSELS, STREAM_UPTAKE, STREAM_FATE, STREAM_CYCLE = 1, 2, 3, 4, 5
STREAM_DIVISION, STREAM_MIGRATION, STREAM_TRANSITION, STREAM_VARIATION, STREAM_USER = 6, 7, 8, 9, 15
STREAM_ORDERS = 14  # orders in which an attribution lets routes join
STREAM_SPROUTING, STREAM_RECRUITMENT = 10, 11
STREAM_INTERVENTION = 12

# Class of a cell's resistance to a drug (`model.washout`).
SENSITIVE, PRE_EXISTING, TRANSIENT, STABLE, LOST, PROTECTED = 0, 1, 2, 3, 4, 5
CLASSES = (
    "sensitive",
    "pre-existing",
    "induced transient",
    "induced stable",
    "lost in washout",
    "protected before",
)
CLASSES_IN_ORDER = tuple(
    CLASSES[code] for code in (SENSITIVE, PRE_EXISTING, PROTECTED, TRANSIENT, STABLE, LOST)
)

EMPTY = -1
# Column ``clone``: 0 for cells whose type has no clones, else 1 + the index into ``layout.clones``.
NO_CLONE = 0
