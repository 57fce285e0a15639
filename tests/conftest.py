"""Shared by all tests: quiet frameworks, tiny networks, tiny images."""

import contextlib
import gc
import io
import os
import subprocess
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as dcgan does, if it is imported first
os.environ.setdefault("OMP_NUM_THREADS", "1")  # each core has a worker: more threads only wait
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
if os.environ.get("KERAS_BACKEND") == "jax":  # it compiles for longer than it computes here
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    compiled = Path(__file__).parents[1] / ".pytest_cache" / "jax"  # once for all tests
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(compiled))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import numpy as np
import pytest

# Compiling a step takes longer than a test's few steps, except where compiled ones are kept
EAGERLY = os.environ.get("KERAS_BACKEND") != "jax"

TINY = {
    "img_size": (16, 12, 3),
    "depth": 2,
    "increment": 4,
    "input_size": 8,
    "batch_size": 4,
    "kernel_size": (4, 4),
}


def pytest_collection_modifyitems(config, items):
    """Run tests marked `once` on TensorFlow alone: they do not depend on the backend."""
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        return
    kept = [item for item in items if item.get_closest_marker("once") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


@pytest.fixture(autouse=True, scope="module")
def _compiled_programs_dropped():
    """Let go of what a file's tests compiled with JAX.

    Each compiled program maps some pieces of memory, of which Linux gives a process 65,530
    (vm.max_map_count). A worker that has used them up crashes, wherever it asks for the next.
    """
    yield
    if not EAGERLY:
        import jax

        gc.collect()
        jax.clear_caches()


@pytest.fixture
def no_plots(monkeypatch):
    """Draw no plots and write no animation, which take a third of a short training."""
    monkeypatch.setattr("dcgan.training.callbacks.loss_log.plot_losses", lambda records: b"PNG")
    monkeypatch.setattr("dcgan.pages.run.plot_svg", lambda *parts: "<svg></svg>")
    monkeypatch.setattr("dcgan.training.callbacks.previews.write_animation", lambda *parts: None)


@pytest.fixture
def animated(monkeypatch, no_plots):
    """Write animations all the same."""
    from dcgan.pages.development import write_animation

    monkeypatch.setattr("dcgan.training.callbacks.previews.write_animation", write_animation)


@pytest.fixture
def tiny(no_plots):
    """A function that makes a tiny DCGAN, with any argument changed.

    It takes each operation of a step by itself, or a compiled step, as `EAGERLY` says.
    """

    def make(eagerly=EAGERLY, **changes):
        from dcgan import DCGAN

        gan = DCGAN(**{**TINY, **changes})
        gan.run_eagerly = gan.generator.run_eagerly = eagerly
        return gan

    return make


@pytest.fixture
def eager(monkeypatch, no_plots):
    """Let every DCGAN step and generate as a tiny one does: a loaded one, or one of a verb."""
    from dcgan import DCGAN

    build = DCGAN._build

    def build_eager(self, *parts):
        build(self, *parts)
        self.run_eagerly = self.generator.run_eagerly = EAGERLY

    monkeypatch.setattr(DCGAN, "_build", build_eager)


@pytest.fixture
def converters_here(monkeypatch):
    """Let exports convert and verify in this process, which has loaded TensorFlow already."""
    from dcgan.export import formats, runtimes

    def run(words):
        said = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stdout(said):
            warnings.simplefilter("ignore")  # the converters' own
            runtimes.main(words)
        return subprocess.CompletedProcess(words, 0, said.getvalue(), "")

    monkeypatch.setattr(formats, "_in_own_process", run)


@pytest.fixture
def images():
    """Ten tiny drawn images, uint8 (10, 16, 12, 3)."""
    from dcgan.data.sample_set import draw_seascapes

    return draw_seascapes(10, TINY["img_size"], seed=1)


@pytest.fixture
def arrays_of():
    """A function that copies every variable of a model, by the name it has in files."""
    from dcgan.training.state import capture

    return lambda gan: capture(gan._learner())[1]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """No test writes into the project, or reads a user's cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DCGAN_CACHE", str(tmp_path / "cache"))
    np.random.seed(0)


@pytest.fixture
def often(monkeypatch):
    """Options to measure after every step; of few samples, and however long it takes."""
    from dcgan.training.callbacks import monitor

    monkeypatch.setattr(monitor, "TIME_SHARE", 1e9)
    monkeypatch.setattr(monitor, "SAMPLES", 32)
    return {"measure_steps": 1}
