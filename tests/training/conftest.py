"""What the tests of training share."""

import pytest


@pytest.fixture(autouse=True)
def no_plots(monkeypatch):
    """Plots take a fifth of a short training; the tests of verbs draw them."""
    monkeypatch.setattr("dcgan.training.callbacks.loss_log.plot_losses", lambda records: b"PNG")
