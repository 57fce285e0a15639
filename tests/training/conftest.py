"""What the tests of training share."""

import pytest


@pytest.fixture(autouse=True)
def eagerly(eager, monkeypatch):
    """A few steps and images are quicker than compiling them; plots are for the tests of verbs."""
    monkeypatch.setattr("dcgan.training.callbacks.loss_log.plot_losses", lambda records: b"PNG")
