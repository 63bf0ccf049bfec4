"""Turns mechanism ids and sources into what a reader can look up."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from tme_sim.rules.evidence import bibliography, documents, mechanisms, parameters
from tme_sim.scenario.provenance import numbers_of
from tme_sim.scenario.scenario import Scenario

KNOWN = {
    "NF": "searched for, not found",
    "G": "general knowledge, not verified",
    "D": "derived by arithmetic",
    "FM": "from a public model",
    "F": "from a paper",
}


def citations(ids: Iterable[str]) -> pd.DataFrame:
    """Return one row per mechanism: id, paraphrased statement, form (stated, inferred, assumed), document.

    Ids that this version does not know are listed without a statement.
    """
    known = {row.id: row for row in mechanisms()}
    papers = {document.key: document for document in documents()}
    rows = []
    for name in sorted(ids):
        row = known.get(name)
        paper = papers.get(row.document) if row is not None else None
        place = " ".join(filter(None, [paper.doi and f"doi:{paper.doi}", paper.pmcid])) if paper else ""
        rows.append(
            {
                "id": name,
                "statement": row.effect if row else "not known to this version",
                "form": row.basis if row else "",
                "document": f"{paper.citation}, {row.locator}" if paper and row else "",
                "identifiers": place,
            }
        )
    return pd.DataFrame(rows, columns=pd.Index(["id", "statement", "form", "document", "identifiers"]))


def numbers(scenario: Scenario) -> pd.DataFrame:
    """Return every number with a source: key, value, range, source, known, citation, why.

    ``known`` says how: in the words of `KNOWN`, assumed ones first, those that rest on a paper last.
    """
    found = {row.id: row for row in parameters()}
    papers = {source.key: source.citation for source in bibliography()}
    rows = []
    for cited in numbers_of(scenario):
        if cited.source is None:
            continue
        row = found.get(cited.source.removeprefix("parameters:"))
        keys = row.source if row is not None else (cited.source,)
        known = KNOWN[row.status] if row is not None else "assumed" if cited.source == "assumed" else "cited"
        low_high = cited.number.range
        rows.append(
            {
                "key": cited.key,
                "value": str(cited.number),
                "range": " to ".join(str(part) for part in low_high) if low_high else "",
                "source": cited.source,
                "known": known,
                "citation": "; ".join(papers[key] for key in keys if key in papers),
                "why": cited.why or (row.note if row is not None else ""),
            }
        )
    table = pd.DataFrame(
        rows, columns=pd.Index(["key", "value", "range", "source", "known", "citation", "why"])
    )
    order = {name: i for i, name in enumerate(["assumed", *KNOWN.values(), "cited"])}
    return table.sort_values("known", key=lambda known: known.map(order), kind="stable", ignore_index=True)
