"""Loads a scenario: file, libraries and overrides, checked as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from tme_sim.resources import data_dir
from tme_sim.rules.evidence import documents, known_ids, known_sources
from tme_sim.scenario.block import Reading
from tme_sim.scenario.checks import Finding, Known, check_data
from tme_sim.scenario.consistency import check_scenario
from tme_sim.scenario.donors import one_pool_per_donor
from tme_sim.scenario.faults import Fault, ScenarioError, dotted, nearest, shown
from tme_sim.scenario.left_out import misspelt_changes
from tme_sim.scenario.library_order import clocks_of, clocks_overridden
from tme_sim.scenario.merge import apply_overrides, lay_over, place_of, plain, without_nulls
from tme_sim.scenario.messages import MOST_FAULTS, findings_of
from tme_sim.scenario.named_changes import unmatched_changes, without_consequences
from tme_sim.scenario.scenario import Scenario
from tme_sim.scenario.source import Node, read_file, survey_file, survey_text
from tme_sim.scenario.vocabulary import Vocabulary


def load_scenario(
    path_or_name: str | Path, overrides: Sequence[str] = (), known: Known | None = None
) -> Scenario:
    """Load and check a scenario.

    Parameters
    ----------
    path_or_name : str or Path
        A YAML file, or the name of a scenario of the package.
    overrides : sequence of str
        ``key.path=value``, applied in order on top of the file.
    known : Known, optional
        Names that may be cited; by default those of the package.

    Raises
    ------
    ScenarioError
        With every fault.
    """
    path = find_scenario(path_or_name)
    return _checked(*survey_file(path), path.parent, overrides, known or names_of_package())


def read_scenario(
    text: str, overrides: Sequence[str] = (), known: Known | None = None, *, folder: Path | None = None
) -> Scenario:
    """Read and check a scenario from text; ``folder`` (default: here) holds the files that it names."""
    found = survey_text(text, "<text>")
    return _checked(*found, folder or Path(), overrides, known or names_of_package())


def names_of_package() -> Known:
    """Return the mechanisms, sources and documents of the package; measures are left to who knows them."""
    return Known(known_ids(), known_sources(), frozenset(document.key for document in documents()))


def find_scenario(path_or_name: str | Path) -> Path:
    """Return the file of a scenario, given as a path or as the name of one in the package."""
    return find_file(path_or_name, "configs", "scenario")


def find_file(path_or_name: str | Path, folder: Literal["configs", "experiments"], what: str) -> Path:
    """Return a file given as a path, or as the name of one in a folder of the package.

    Raises
    ------
    ScenarioError
        When there is none.
    """
    path, own = Path(path_or_name), data_dir(folder)
    if path.is_file():
        return path
    for candidate in (own / path, own / f"{path}.yaml"):
        if path.name == str(path) and candidate.is_file():
            return candidate
    there = "this is a folder" if path.is_dir() else "there is no such file"
    names = sorted(file.stem for file in own.glob("*.yaml"))
    reason = f"{there}, and no {what} of this name comes with the package"
    raise ScenarioError([Fault(str(path_or_name), "", reason, nearest(path.name, names))])


def _checked(
    top: Node, unreadable: list[Fault], folder: Path, overrides: Sequence[str], known: Known
) -> Scenario:
    """Check a scenario with its libraries and overrides; ``unreadable`` values of the file are faults beside others."""
    if not isinstance(top.value, dict):
        raise ScenarioError([Fault(str(top.mark), "", "expected keys and values, such as scenario: NAME")])
    first = [override for override in overrides if override.strip().startswith(("use=", "use.", "use "))]
    below, clocks = _on_libraries(apply_overrides(top, first), folder, unreadable, known)
    root = apply_overrides(below, [override for override in overrides if override not in first])
    root = one_pool_per_donor(without_nulls(root))
    data = plain(root)
    data.pop("use", None)  # merged, and not part of what the run is
    unmatched = list(unmatched_changes(root, clocks))
    findings = [*unmatched, *islice(check_data(data, known), MOST_FAULTS)]
    scenario = None
    try:
        scenario = Scenario.model_validate(data, context=Reading(Vocabulary.sketch(data), folder))
    except ValidationError as error:
        found = _without_echoes(findings_of(error, Scenario))
        findings.extend(without_consequences(found, unmatched))
    if scenario is not None:
        findings.extend(check_scenario(scenario, known.measures))
    if unreadable or findings or scenario is None:
        known_bad = {fault.where for fault in unreadable}
        others = [fault for fault in _faults(findings, root) if fault.where not in known_bad]
        raise ScenarioError([*unreadable, *others])
    return scenario


def _without_echoes(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out what pydantic says of a whole only because of a fault in one of its parts."""
    all_of_them = list(findings)
    inner = {found.path[:depth] for found in all_of_them for depth in range(len(found.path))}
    return [f for f in all_of_them if not ("after validation" in f.reason and f.path in inner)]


def _faults(findings: Iterable[Finding], root: Node) -> list[Fault]:
    placed = {(place_of(root, found.path, of_key=found.at_key), found) for found in findings}
    ordered = sorted(placed, key=lambda pair: (pair[0], dotted(pair[1].path), pair[1].reason))
    return [
        Fault(str(mark), dotted(found.path), _with_other_place(found, root), found.suggestion)
        for mark, found in ordered
    ]


def _with_other_place(found: Finding, root: Node) -> str:
    """Return the reason, and where the value stands that it speaks of, if that is written anywhere."""
    node: Node | None = root
    for part in found.beside:
        node = node.value.get(str(part)) if node is not None and isinstance(node.value, dict) else None
    return found.reason if node is None or node is root else f"{found.reason}; that is at {node.mark}"


def _on_libraries(
    top: Node, folder: Path, unreadable: list[Fault], known: Known
) -> tuple[Node, dict[str, str]]:
    """Merge the libraries that a file names below it; return that, and file -> name of those that are clocks.

    Raises ScenarioError, ``unreadable`` first, for a faulty one.

    Faults of their order and of changes that may be left out join the ``unreadable`` ones, to be told beside others.
    """
    use = top.value.get("use") if isinstance(top.value, dict) else None
    given = [] if use is None or use.value is None else [use]
    items = [item for node in given for item in (node.value if isinstance(node.value, list) else [node])]
    faults: list[Fault] = []
    libraries: list[Node] = []
    for item in items:
        try:
            libraries.append(_library(item, folder))
        except ScenarioError as error:
            faults.extend(error.faults)
    if faults:
        raise ScenarioError([*unreadable, *faults])
    used = list(zip(items, libraries, strict=True))
    unreadable += clocks_overridden(used)
    layers = [*libraries, top]
    unreadable += misspelt_changes(layers, [*_library_folders(folder), data_dir("configs")], known)
    bottom = Node({"rules": Node([], top.mark)}, top.mark)  # also the lowest is joined
    return reduce(lay_over, layers, bottom), clocks_of(used)


def _library_folders(folder: Path) -> list[Path]:
    return [folder / "libraries", data_dir("configs") / "libraries"]


def _library(item: Node, folder: Path) -> Node:
    folders = _library_folders(folder)
    if not isinstance(item.value, str) or Path(item.value).name != item.value:
        reason = f"got {shown(item.value)}; expected the name of a library"
        raise ScenarioError([Fault(str(item.mark), "use", reason)])
    for place in folders:
        if (path := place / f"{item.value}.yaml").is_file():
            library = read_file(path)
            if not isinstance(library.value, dict):
                raise ScenarioError([Fault(str(library.mark), "", "expected keys and values")])
            if "use" in library.value or "scenario" in library.value:
                reason = "a library names neither a scenario nor other libraries"
                raise ScenarioError([Fault(str(library.mark), "", reason)])
            return library
    names = sorted(file.stem for place in folders for file in place.glob("*.yaml"))
    reason = f"there is no library {shown(item.value)}"
    raise ScenarioError([Fault(str(item.mark), "use", reason, nearest(item.value, names))])


__all__ = ["Known", "ScenarioError", "find_scenario", "load_scenario", "read_scenario"]
