import pytest
from mesa_models import TinyTissue


@pytest.fixture
def model():
    return TinyTissue()
