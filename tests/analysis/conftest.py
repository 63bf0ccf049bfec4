"""Made files that the tests of figures and reports share."""

import pytest

from tests.analysis.made_run import made_run


@pytest.fixture(scope="session")
def made_file(tmp_path_factory):
    """Return a made run with drug, resistance and three snapshots."""
    return made_run(tmp_path_factory.mktemp("made") / "made.h5", n=40, days=2, snapshots=1440.0)
