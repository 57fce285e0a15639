"""What the tests of training share."""

import pytest


@pytest.fixture(autouse=True)
def eagerly(eager):
    """A few steps and images are quicker than compiling them."""
