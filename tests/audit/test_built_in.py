"""Ids that the program itself implements: the test that each row names turns false when what is behind it is cut.

What a scenario cites is cut from scenarios (test_rows_turn_false); the ids of `seeds/built_in.yaml` stand behind
processes, readouts and numbers. Here each of them is cut and the named test is called again. Three kinds of cut:

* most stop a process, or replace a readout, in the program;
* S3-11 and S3-15 replace the function under test in the test's own module;
* S0-13, S0-14, S3-36, S3-50, S3-R22, S3-R27 and S3-R28 change what goes in, a number of the scenario or of the body
  or a pause, and leave the program whole: the test then feels that number, and says nothing of the code that reads it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml

from tests.audit.cut import without
from tests.audit.test_rows_turn_false import LOADS_NO_MORE, STAYS, named_by_scenarios
from tme_sim.audit.tested_rows import listed_rows
from tme_sim.measures import response, shape, vasculature, vesicles
from tme_sim.model import first_tissue
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.timetable import Timetable
from tme_sim.processes.acts_on_cells import Target
from tme_sim.processes.angiogenesis import Angiogenesis
from tme_sim.processes.drugs import Drugs
from tme_sim.processes.fields import Fields
from tme_sim.processes.heredity import Heredity
from tme_sim.processes.vesicles import Vesicles
from tme_sim.resources import data_dir
from tme_sim.scenario import load
from tme_sim.scenario.load import load_scenario
from tme_sim.scenario.source import Node
from tme_sim.scenario.vesicle import PoolSpec

ROOT = Path(__file__).parents[2]
Patch = pytest.MonkeyPatch


def nothing(*_given: object) -> None:
    """Do nothing, in place of a step."""


def zero(*_given: object) -> float:
    """Read nothing, in place of a measure."""
    return 0.0


def one_of(name: str, value: Callable | float, *owners: object) -> Callable[[ModuleType, Patch], None]:
    """Return a cut that replaces an attribute of a class or module."""

    def cut(module: ModuleType, patch: Patch) -> None:
        for owner in owners:
            patch.setattr(owner, name, value)

    return cut


def still(*processes: type) -> Callable[[ModuleType, Patch], None]:
    """Return a cut after which processes take no step."""
    return one_of("step", nothing, *processes)


def of_module(**values: Callable[[ModuleType], object]) -> Callable[[ModuleType, Patch], None]:
    """Return a cut of numbers and knobs that stand in the test's own module."""

    def cut(module: ModuleType, patch: Patch) -> None:
        for name, value in values.items():
            patch.setattr(module, name, value(module))

    return cut


def citing(*identifiers: str) -> Callable[[ModuleType, Patch], None]:
    """Return a cut of all that cites some mechanisms from every scenario."""

    def cut(module: ModuleType, patch: Patch) -> None:
        plain = load.plain

        def less(node: object) -> object:
            data = plain(node)
            if isinstance(node, Node) and isinstance(data, dict):
                for identifier in identifiers:
                    without(data, identifier)
            return data

        patch.setattr(load, "plain", less)

    return cut


def nobody(module: ModuleType, patch: Patch) -> None:
    """Place no cell."""
    patch.setattr(first_tissue, "_place", nothing)


@dataclass(frozen=True)
class Cut:
    """What is cut, how, and with what the named test is called where it takes something."""

    what: str
    how: Callable[[ModuleType, Patch], None]
    given: Callable[[ModuleType], dict[str, object]] = lambda module: {}


def without_gain(module: ModuleType) -> dict[str, object]:
    """Return one seed of the relay whose cargo does nothing, and of the same with the exosomes blocked."""

    def arm(name: str, *more: str) -> dict[str, np.ndarray]:
        values = module.run_arm(name, 1, (*module.SMALL, *more))
        return {key: np.array([value]) for key, value in values.items()}

    leg = "exosomes blocked"
    silent = arm("relay", "cargo.pERK.gain=0", "cargo.pAKT.gain=0")
    return {"small": {leg: arm(leg), "relay": silent}, "leg": leg}


def average(module: ModuleType) -> Callable:
    """Return a cohort that counts every patient as the first."""
    return lambda responses, gains=(): response.cohort([responses[0]] * len(responses), gains)


def flagship(*overrides: str) -> Callable[[ModuleType], dict[str, object]]:
    return lambda module: {"kind": "macrophage", "flagship": load_scenario("s0_relay", overrides)}


def made(*overrides: str) -> Callable[[ModuleType], dict[str, object]]:
    return lambda module: {"scenario": load_scenario("hcc_sorafenib", overrides)}


def small_scene(module: ModuleType) -> dict[str, object]:
    return {"small": TumorMicroenvironment("s0_relay", module.SMALL)}


def vessels(module: ModuleType) -> dict[str, object]:
    return {"tissue": module.row_of_vessels()}


CUTS = {
    "S0-01": Cut("placement", nobody, lambda m: {"kind": "hsc", **small_scene(m)}),
    "S0-02": Cut("the solve of fields", still(Fields), small_scene),
    "S0-14": Cut(
        "the silence of macrophages", lambda *_: None, flagship("cells.macrophage.base.secretion il6=1 molecules/s")
    ),
    "S0-13": Cut("the gain of the relay's cargo", lambda *_: None, without_gain),
    "S1-01": Cut("placement", nobody),
    "S1-07": Cut("the exchange of vesicles", still(Vesicles)),
    "S1-09": Cut("the readout", one_of("cells_at_vessel", zero, vasculature), vessels),
    "S1-10": Cut("the readout", one_of("leaving", zero, vesicles)),
    "S2-11": Cut("sprouting", still(Angiogenesis)),
    "S2-12": Cut("the readout", one_of("contacts", zero, vasculature), vessels),
    "S3-10": Cut("drug in cells", still(Drugs)),
    "S3-11": Cut("the spread of the cohort", of_module(cohort=average)),
    "S3-13": Cut(
        "progression", one_of("PROGRESSION", np.inf, response),
        lambda m: {"sizes": [1, 1, 1.21, 1.4, 1.5, 1.6, 1.7, 1.8], "best": m.PROGRESSIVE_DISEASE,
                   "controlled": False, "progression": 1.0},
    ),
    "S3-14": Cut("regrowth", one_of("_regrowth", lambda *_: np.nan, response)),
    "S3-15": Cut("the start of treatment", of_module(gain=lambda m: lambda t, r, start: response.gain(t, r, -1.0))),
    "S3-27": Cut("switching at division", still(Heredity)),
    "S3-28": Cut("drug in cells", still(Drugs)),
    "S3-36": Cut("the low CYP3A4 of cancer cells", lambda *_: None, made("cells.tumour.base.CYP3A4=0.8")),
    "S3-49": Cut("the size of vesicles", one_of("diffusion_um2_per_min", 1.0, PoolSpec)),
    "S3-50": Cut("wash-out at vessels", of_module(SMALL=lambda m: (*m.SMALL, "vesicles.vesicle.vessel=0 /h"))),
    "S3-R21": Cut("targeting", one_of("modify", nothing, Target)),
    "S3-R22": Cut("the Ras of naive cancer cells", lambda *_: None, made("cells.tumour.base.RAS=0")),
    "S3-R27": Cut("recycling", of_module(RECYCLED=lambda m: replace(m.RECYCLED, recycled_share=0.0))),
    "S3-R28": Cut("the pause", of_module(Timetable=lambda m: lambda **k: Timetable(**{**k, "pause_min": 0.0}))),
    "S4-06": Cut("the readout", one_of("share_at_vessel", zero, vasculature), vessels),
}  # fmt: skip


# Further cuts of an id: each must make the named test false, too.
MORE_CUTS = [
    ("S2-11", Cut("the readout", one_of("vessel_density", zero, shape))),
    ("S2-11", Cut("what endothelium makes of vesicles", citing("S2-09", "S2-10"))),
    ("S3-10", Cut("ERK as a target", citing("S3-05"))),
    ("S3-10", Cut("VEGFR as a target", citing("S3-06"))),
    ("S3-46", Cut("what educated fibroblasts give", citing("S3-77", "S3-78", "S3-80"))),
]


NODES = {row.id: row.test for row in listed_rows() if row.test}


def fresh(node: str, patch: Patch) -> ModuleType:
    """Return the module of a test, read anew: nothing that it has worked out before is known."""
    path = ROOT / node.partition("::")[0]
    patch.syspath_prepend(path.parent)
    spec = importlib.util.spec_from_file_location(f"cut_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("identifier", "cut"),
    [*CUTS.items(), *(pytest.param(*more, marks=pytest.mark.slow) for more in MORE_CUTS)],
    ids=[*CUTS, *(f"{identifier}-{cut.what}" for identifier, cut in MORE_CUTS)],
)
def test_named_test_turns_false_when_its_process_is_cut(identifier, cut, monkeypatch):
    node = NODES[identifier]
    module = fresh(node, monkeypatch)
    cut.how(module, monkeypatch)
    named = getattr(module, node.partition("::")[2])
    with pytest.raises(AssertionError):
        named(**cut.given(module))


def test_every_id_with_a_named_test_is_cut_somewhere():
    """In the program here, or from scenarios; what cannot be cut from a scenario is cut here."""
    from_scenarios = {identifier for identifier, _ in named_by_scenarios()} - {*STAYS, *LOADS_NO_MORE}
    assert {*NODES} - from_scenarios == {*CUTS}


def test_every_built_in_id_is_cut_here():
    data = yaml.safe_load((data_dir("seeds") / "built_in.yaml").read_text(encoding="utf-8"))
    built_in = {i for kind in ("processes", "readouts") for ids in data[kind].values() for i in ids}
    assert built_in <= {*CUTS}
