"""Settings of all tests."""

from hypothesis import settings

# No timed tests: a loaded machine must not turn a property red.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
