"""Settings of all tests."""

from hypothesis import settings

from tme_sim.numerics import jit

# No timed tests: a loaded machine must not turn a property red.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Threads for little work too: tests that compare them have few cells.
jit.BLOCKS_WORTH_A_THREAD = 1
