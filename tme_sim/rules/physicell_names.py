"""The one table of names that PhysiCell's rules and ours have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Ours, then PhysiCell's: the first is written on export, all are read on import.
_SIGNALS = (
    ("{field}", ("{field}",)),
    ("{variable}", ("custom:{variable}", "custom: {variable}")),
    ("drug {drug}", ("intracellular {drug}",)),
    ("contact {cell}", ("contact with {cell}", "contact with cell type {cell}")),
    ("contact dead", ("contact with dead cell", "contact with dead cells")),
    ("time", ("time", "current time", "global time")),
)
_BEHAVIOURS = (
    ("secretion {field}", ("{field} secretion", "{field} secretion rate")),
    ("uptake {field}", ("{field} uptake", "{field} uptake rate")),
    ("cycle entry", ("cycle entry", "exit from cycle phase 0")),
    ("apoptosis", ("apoptosis",)),
    ("necrosis", ("necrosis",)),
    ("migration", ("migration speed",)),
    ("chemotaxis to {field}", ("chemotactic response to {field}", "chemotactic sensitivity to {field}")),
    (
        "transition to {cell}",
        ("transform to {cell}", "transition to {cell}", "transform to cell type {cell}"),
    ),
    ("{variable}", ("custom:{variable}", "custom: {variable}")),
)
# PhysiCell's names that mean nothing on a lattice of one cell per site, and why.
_NO_SIGNAL = (
    (
        "{field} gradient|grad\\(?{field}\\)?|gradient of {field}",
        "chemotaxis reads gradients here, rules do not",
    ),
    ("intracellular {field}", "uptake of this field is not held in cells; only drugs are"),
    ("pressure|volume", "one cell fills one site; there is no pressure or volume"),
    (
        "contact with (live|apoptotic|necrotic) cells?",
        "contacts are counted by living type, or dead of any cause",
    ),
    ("contact with (basement membrane|BM)", "there is no basement membrane"),
    (
        "damage|damage delivered|attacking|total attack time",
        "attacks are not modelled; damage belongs to a drug",
    ),
    ("dead|is dead|apoptotic|necrotic", "a rule marked dead acts on dead cells"),
)
_NO_BEHAVIOUR = (
    (
        "{field} secretion (target|saturation density)",
        "secretion is an amount per time here, without a target",
    ),
    ("{field} export|{field} net export", "use secretion; its unit is molecules per time"),
    ("exit from cycle phase \\d+", "later stages of the cycle have fixed lengths"),
    ("migration (bias|persistence time)", "cells move site by site, weighed by chemotaxis"),
    (
        "cell-(cell|membrane|BM) (adhesion|repulsion).*|relative maximum adhesion.*|adhesive affinity.*",
        "there is no adhesion or repulsion between sites",
    ),
    ("cell (attachment|detachment) rate|maximum number of cell attachments", "cells do not attach"),
    ("phagocytose .*|phagocytosis of .*", "remains are cleared at a rate of their own"),
    ("attack .*|damage rate|immunogenicity to .*", "attacks are not modelled"),
    ("fuse to .*", "cells do not fuse"),
    ("is.movable|movable", "see migration"),
)


@dataclass(frozen=True)
class Dictionary:
    """Names of one scenario, in both directions.

    Attributes
    ----------
    ours : dict
        PhysiCell's name -> ours.
    theirs : dict
        Our name -> the name written on export.
    without : tuple of (pattern, str)
        Names PhysiCell knows and we do not, with the reason.
    """

    ours: dict[str, str]
    theirs: dict[str, str]
    without: tuple[tuple[re.Pattern, str], ...]

    def no_counterpart(self, name: str) -> str | None:
        """Return why a name of PhysiCell means nothing here; None if it is unknown."""
        return next((reason for pattern, reason in self.without if pattern.fullmatch(name)), None)


def signal_dictionary(
    cell_types: Sequence[str], signals: Sequence[str], behaviours: Sequence[str]
) -> Dictionary:
    """Return the names of signals; a bare word that is also a behaviour is a variable, else a field."""
    return _dictionary(_SIGNALS, _NO_SIGNAL, cell_types, signals, behaviours, signals)


def behaviour_dictionary(
    cell_types: Sequence[str], signals: Sequence[str], behaviours: Sequence[str]
) -> Dictionary:
    """Return the names of behaviours."""
    return _dictionary(_BEHAVIOURS, _NO_BEHAVIOUR, cell_types, signals, behaviours, behaviours)


def _dictionary(table, without, cell_types, signals, behaviours, known) -> Dictionary:
    words = {
        "variable": [name for name in signals if name in behaviours],
        "drug": [name[5:] for name in signals if name.startswith("drug ")],
        "cell": list(cell_types),
    }
    reserved = {"contact dead", "free neighbours", "distance to vessel", "energy", "age", "time"}
    prefixes = ("drug ", "damage ", "exposure ", "contact ", "held ", "arriving ", "docked ")
    words["field"] = [
        name for name in signals if name not in (*behaviours, *reserved) and not name.startswith(prefixes)
    ]
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for our_form, their_forms in table:
        for word in _words_of(our_form, words):
            our_name = our_form.format(**word)
            if our_name in known:
                names = [form.format(**word) for form in their_forms]
                theirs[our_name] = names[0]
                for name in names:
                    ours.setdefault(name, our_name)
    fields = "(" + "|".join(map(re.escape, words["field"])) + ")"
    patterns = tuple((re.compile(text.replace("{field}", fields)), reason) for text, reason in without)
    return Dictionary(ours, theirs, patterns)


def _words_of(form: str, words: dict[str, list[str]]) -> Iterator[dict[str, str]]:
    """Yield every filling of the one place in a form."""
    place = re.search(r"\{(\w+)\}", form)
    if place is None:
        yield {}
    else:
        yield from ({place[1]: word} for word in words[place[1]])
