import pytest
import sklearn


@pytest.fixture
def routed():
    """What skada's estimators need, for one test."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield
