"""The flagship scenario, and the benches on which tested rows are run."""

import pytest

from tme_sim.audit.of_scenario import bench_of, benches_of, documented_scenarios
from tme_sim.scenario.load import load_scenario


@pytest.fixture(scope="session")
def flagship():
    return load_scenario("s0_relay")


@pytest.fixture(scope="session")
def bench(flagship):
    return bench_of(flagship)


@pytest.fixture(scope="session")
def documented():
    return documented_scenarios()


@pytest.fixture(scope="session")
def benches(documented):
    return benches_of(documented)
