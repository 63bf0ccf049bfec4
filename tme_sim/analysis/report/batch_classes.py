"""What the arms of a batch say of the classes of resistance."""

from __future__ import annotations

from collections.abc import Iterator

from tme_sim.analysis.classes import shares_by_arm
from tme_sim.analysis.report.opened_batch import OpenedBatch
from tme_sim.analysis.report.page import Chapter, Item, Table, Words
from tme_sim.record.seal import RunFileError


def classes(opened: OpenedBatch) -> list[Chapter]:
    """Return the chapter on classes of resistance; none without a washout."""
    lead = "Whether cells resist by what they inherit, did so before the drug, or since then, and whether that lasts."
    try:
        found = opened.batch.classes
    except RunFileError as error:
        return [Chapter("Classes of resistance", lead, [Words(f"Not known here. {error}.")])]
    return [] if found.empty else [Chapter("Classes of resistance", lead, _by_arm(opened))]


def _by_arm(opened: OpenedBatch) -> Iterator[Item]:
    found = opened.batch.classes
    points = " All points of the sweep together." if opened.batch.keys else ""
    for drug in dict.fromkeys(found["drug"]):
        table = shares_by_arm(found, drug, intervals=True)
        yield Table(
            f"classes_by_arm_{drug}",
            f"Classes of resistance by arm, {drug}",
            "Mean shares of the living tumour cells at the end, each run counting once; n: runs with such a cell."
            f"{points} Pre-existing: by heritable traits alone. Protected before: by state and surroundings, already "
            "before the first dose. Induced: since then, by the drug or by a niche found later, stable or transient "
            "after a time without drug; lost in washout: induced, and no descendant lives. First dose: when "
            f"{drug} came first, mean over the runs in which it came; a dash where it never did, so that no class is "
            "an answer to it. 95 % intervals (Student's t, cut at 0 and 1) are in the file.",
            table,
            shown=60,
            in_file=[name for name in table if name.endswith(("_low", "_high"))],
        )
