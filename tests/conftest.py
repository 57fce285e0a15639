"""What all tests share: quiet frameworks, tiny networks, tiny images."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as dcgan does, if it is imported first
if os.environ.get("KERAS_BACKEND") == "jax":  # it compiles for longer than it computes here
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import numpy as np
import pytest

TINY = {
    "img_size": (16, 12, 3),
    "depth": 2,
    "increment": 4,
    "input_size": 8,
    "batch_size": 4,
    "kernel_size": (4, 4),
}


@pytest.fixture
def tiny():
    """A function that makes a tiny DCGAN, with any argument changed.

    It steps eagerly unless told otherwise: compiling a step takes longer than a test's few steps.
    """

    def make(eagerly=True, **changes):
        from dcgan import DCGAN

        gan = DCGAN(**{**TINY, **changes})
        gan.run_eagerly = gan.generator.run_eagerly = eagerly
        return gan

    return make


@pytest.fixture
def images():
    """Ten tiny drawn images, uint8 (10, 16, 12, 3)."""
    from dcgan.data.sample_set import draw_seascapes

    return draw_seascapes(10, TINY["img_size"], seed=1)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """No test writes into the project, or reads a person's cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DCGAN_CACHE", str(tmp_path / "cache"))
    np.random.seed(0)


@pytest.fixture
def often(monkeypatch):
    """Measure health every step, in small."""
    from dcgan.training.callbacks import monitor as health

    monkeypatch.setattr(health, "MEASURE_STEPS", 1)
    monkeypatch.setattr(health, "TIME_SHARE", 1e9)
    monkeypatch.setattr(health, "SAMPLES", 32)
