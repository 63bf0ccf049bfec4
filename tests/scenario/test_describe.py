from tme_sim.scenario.describe import template
from tme_sim.scenario.load import read_scenario


def test_template_loads():
    scenario = read_scenario(template())
    assert len(scenario.active_rules()) == 4


def test_template_explains_every_block():
    for word in ("variables:", "fields:", "cargo:", "vesicles:", "rules:", "interventions:", "adjustable:"):
        assert word in template()
