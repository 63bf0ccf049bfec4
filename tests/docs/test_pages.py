"""Links, snippets, tables and commands of the documentation."""

import re
import shlex
from functools import reduce

import pytest
import typer
import yaml
from pages import DOCS, ROOT, blocks, tables
from pydantic import BaseModel

from tme_sim.cli.app import app
from tme_sim.scenario import (
    dosing,
    drug,
    heredity,
    intervention,
    kinetics,
    life,
    matter,
    observation,
    space,
    vesicle,
)
from tme_sim.scenario.load import load_scenario, read_scenario
from tme_sim.scenario.merge import lay_over, plain
from tme_sim.scenario.scenario import Scenario
from tme_sim.scenario.source import read_file, read_text

PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
_LINK = re.compile(r"\]\(([^)\s]+)\)")
# Written on other branches; the page links to them already.
_PENDING: set[str] = set()
BLOCKS = {
    "key": Scenario,
    "`grid` key": space.GridSpec,
    "`time` key": space.TimeSpec,
    "`fields` key": matter.FieldSpec,
    "`digested_by` key": matter.Digestion,
    "`vessel` key": matter.VesselExchange,
    "`variables` key": life.VariableSpec,
    "`cargo` key": vesicle.CargoSpec,
    "`cells` key": life.CellSpec,
    "`cycle` key": life.Cycle,
    "`metabolism` key": life.Metabolism,
    "`heredity` key": heredity.HereditySpec,
    "`traits` key": heredity.TraitSpec,
    "`spread` key": heredity.Spread,
    "`clones` key": heredity.CloneSpec,
    "`switching` key": heredity.Switch,
    "`vesicles` key": vesicle.PoolSpec,
    "`integrins` key": vesicle.IntegrinSpec,
    "`vessels` key": space.VesselSpec,
    "`sprouting` key": space.SproutingSpec,
    "`drugs` key": drug.DrugSpec,
    "`schedule` key": dosing.Dose,
    "`cycle` of a dose": dosing.Cycle,
    "`declines` key": dosing.Decline,
    "`kinetics` key": kinetics.Kinetics,
    "`plasma_curve` key": kinetics.PlasmaCurve,
    "`patient` key": kinetics.Patient,
    "`interventions` key": intervention.Intervention,
    "`resistance` key": observation.ResistanceSpec,
    "`record` key": observation.RecordSpec,
}


def _anchors(path):
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, "../README.md"])
def test_links_lead_to_pages_and_headings(page):
    for target in _LINK.findall((DOCS / page).read_text(encoding="utf-8")):
        if "://" in target or target.split("#")[0] in _PENDING:
            continue
        name, _, anchor = target.partition("#")
        path = ((DOCS / page).parent / name).resolve() if name else DOCS / page
        assert path.is_file(), f"{page}: {target}"
        assert not anchor or anchor in _anchors(path), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES)
def test_files_that_pages_name_exist(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    for name in re.findall(r"`((?:tme_sim|tests|configs|seeds|benchmarks)/[\w/.]+)`", text):
        assert (ROOT / name).exists(), f"{page}: {name}"


def test_index_links_every_page():
    targets = _LINK.findall((DOCS / "index.md").read_text(encoding="utf-8"))
    linked = {target.split("#")[0] for target in targets}
    assert set(PAGES) - {"index.md"} <= linked


@pytest.mark.parametrize("page", PAGES)
def test_shell_examples_name_real_commands_and_options(page):
    group = typer.main.get_command(app)
    for line in "".join(blocks(page, "shell")).splitlines():
        words = shlex.split(line)
        assert words[0] == "tme-sim", line
        command = group.commands[words[1]]
        context = command.make_context(words[1], words[2:], resilient_parsing=False)
        if "config" in context.params:
            load_scenario(context.params["config"], context.params.get("settings") or [])


def test_yaml_snippets_fit_into_a_scenario():
    base = read_file(ROOT / "configs" / "s0_relay.yaml")
    folder = ROOT / "configs" / "libraries"
    libraries = [read_file(folder / f"{name}.yaml") for name in ("liver_cells", "sn38", "il6", "s0_relay")]
    below = reduce(lay_over, [*libraries, base])
    snippets = [text for page in ("scenarios.md", "rules.md") for text in blocks(page, "yaml")]
    assert len(snippets) >= 7
    for text in snippets:
        text = text if not text.startswith("- ") else "rules:\n" + text
        data = plain(lay_over(below, read_text(text, "<page>")))
        data.pop("use")
        data["rules"] = [rule for rule in data["rules"] if rule]
        scenario = read_scenario(yaml.safe_dump(data, sort_keys=False))
        assert scenario.cells


@pytest.mark.parametrize("heading", BLOCKS)
def test_tables_of_the_scenario_page_name_every_key_of_the_schema(heading):
    block: type[BaseModel] = BLOCKS[heading]
    written = {key for found, keys in tables("scenarios.md") if found == heading for key in keys}
    known = {field.alias or name for name, field in block.model_fields.items()}
    assert written == known - {"source", "why", "evidence"}


def test_table_of_tissue_names_every_key():
    written = next(keys for heading, keys in tables("scenarios.md") if heading == "`tissue` key")
    assert set(written) == set(space.Placement.model_fields) | set(space.TissueSpec.model_fields)


def test_table_of_interventions_names_every_kind():
    kinds = next(keys for heading, keys in tables("scenarios.md") if heading == "kind")
    assert set(kinds) == set(intervention.KINDS)


@pytest.mark.parametrize("name", ["first_steps", "krogh"])
def test_small_scenarios_are_short_and_load(name):
    assert len((ROOT / "configs" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()) <= 60
    assert load_scenario(name).scenario == name
