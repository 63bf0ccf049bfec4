import pytest

from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment

SMALL = ["grid.size=[0.6 mm, 0.6 mm]", "tissue.tumour.nodules.0.radius=160 um"]
RESISTANT = "resistant_fraction_rim_SN38"


def resistant_in_rim(*overrides: str) -> float:
    model = TumorMicroenvironment("s0_relay", [*SMALL, *overrides])
    while model.clock.days < 4.0:
        model.step()
    return measures_for(model.tissue.layout)[RESISTANT].of(model.tissue, model.measure_context)


@pytest.mark.slow
def test_blocking_either_leg_lowers_rim_resistance():
    """S0-13: the oxygenated cells cause the resistance of the others, through vesicles and then IL-6."""
    relay = resistant_in_rim()
    assert resistant_in_rim("interventions.block_exosomes.active=true") < 0.5 * relay
    assert resistant_in_rim("interventions.anti_il6.active=true") < 0.5 * relay
