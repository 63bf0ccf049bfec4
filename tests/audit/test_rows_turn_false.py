"""Tests that stand for a mechanism turn false when all that cites it is cut from every scenario."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.cut import BREAKS, STILL_PASSES, TURNS_FALSE
from tme_sim.audit.of_scenario import documented_scenarios, together, uses_of
from tme_sim.audit.tested_rows import listed_rows

ROOT = Path(__file__).parents[2]
# What is no rule, pool, integrin, cargo, field or intervention of a scenario cannot be cut from one.
STAYS = {
    "S0-02": "that oxygen falls with distance is the work of the solver; the rules have rows of their own",
    "S0-14": "says that two kinds of cell do nothing",
    "S3-49": "a size, from which the diffusion follows",
}
# Numbers of a cell type: without them its scenario does not load.
LOADS_NO_MORE = {"S3-36", "S3-R22"}


def named_by_scenarios():
    """Return (id, node) of the rows whose id a rule, block or intervention of a scenario cites."""
    uses = together([uses_of(scenario) for scenario in documented_scenarios()])
    blocks = [ids for name, ids in uses.processes.items() if " " in name]  # the program's own have one word
    cited = {i for ids in (*blocks, *uses.knobs.values(), *(r.evidence for r in uses.rules)) for i in ids}
    return [(row.id, row.test) for row in listed_rows() if row.test and row.id in cited]


@pytest.mark.slow
@pytest.mark.parametrize(("identifier", "node"), named_by_scenarios(), ids=lambda text: text.split("::")[-1])
def test_named_test_turns_false_when_its_mechanism_is_cut(identifier, node):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.audit.cut"]
    done = subprocess.run(
        [*command, "--cut", identifier, node], cwd=ROOT, capture_output=True, text=True, check=False
    )
    expected = STILL_PASSES if identifier in STAYS else BREAKS if identifier in LOADS_NO_MORE else TURNS_FALSE
    assert done.returncode == expected, done.stdout[-2000:]
