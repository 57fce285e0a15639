"""A GPU that is there but idle is named, with the command that uses it on that system."""

import logging
from importlib import import_module
from importlib.metadata import PackageNotFoundError

import keras
import pytest

from dcgan.backend import idle_gpu

BACKEND = import_module(f"dcgan.backend.{keras.backend.backend()}_backend")


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A function that makes the machine one of a system, with a processor, frameworks and GPUs."""
    for name in idle_gpu.HIDDEN:
        monkeypatch.delenv(name, raising=False)

    def make(system="linux", processor="x86_64", installed=None, gpus=0, smi=False):
        def version(name):
            if name not in (installed or {}):
                raise PackageNotFoundError(name)
            return installed[name]

        for number in range(gpus):
            (tmp_path / f"0000:0{number}:00.0").mkdir()
        monkeypatch.setattr(idle_gpu, "NVIDIA_GPUS", tmp_path if gpus else tmp_path / "none")
        monkeypatch.setattr(idle_gpu.sys, "platform", system)
        monkeypatch.setattr(idle_gpu.platform, "machine", lambda: processor)
        monkeypatch.setattr(idle_gpu.shutil, "which", lambda name: name if smi else None)
        monkeypatch.setattr(idle_gpu, "version", version)
        monkeypatch.setattr(idle_gpu, "find_spec", lambda name: (installed or {}).get(name))
        monkeypatch.setattr(BACKEND, "accelerators", lambda: 0)

    return make


@pytest.mark.once
@pytest.mark.parametrize(
    ("made", "gpu"),
    [
        ({}, None),
        ({"gpus": 2}, "NVIDIA"),
        ({"smi": True}, "NVIDIA"),
        ({"system": "win32", "smi": True}, "NVIDIA"),
        ({"system": "darwin", "processor": "arm64"}, "Apple"),
        ({"system": "darwin"}, None),
    ],
)
def test_a_gpu_is_seen_where_the_system_shows_one(machine, made, gpu):
    machine(**made)
    assert idle_gpu.visible_gpu() == gpu


@pytest.mark.once
@pytest.mark.parametrize(
    ("made", "gpu", "backend", "command"),
    [
        ({}, "NVIDIA", "tensorflow", 'pip install "tensorflow[and-cuda]"'),
        ({}, "NVIDIA", "jax", 'pip install "jax[cuda12]"'),
        ({"installed": {"torch": "2.13.0"}}, "NVIDIA", "tensorflow", "export KERAS_BACKEND=torch"),
        ({"installed": {"torch": "2.13.0+cpu"}}, "NVIDIA", "torch", "--force-reinstall torch"),
        ({"installed": {"jax_cuda13_plugin": 1}}, "NVIDIA", "torch", "export KERAS_BACKEND=jax"),
        (
            {"installed": {"torch": "2.13.0", "jax_cuda13_plugin": 1}},
            *("NVIDIA", "tensorflow", "export KERAS_BACKEND=jax"),
        ),
        ({"system": "win32"}, "NVIDIA", "tensorflow", "wsl --install"),
        ({"system": "win32", "installed": {"torch": "2.13.0"}}, "NVIDIA", "jax", "wsl --install"),
        (
            {"system": "win32", "installed": {"torch": "2.13.0+cu126"}},
            *("NVIDIA", "tensorflow", '$env:KERAS_BACKEND = "torch"'),
        ),
        ({"system": "darwin"}, "Apple", "tensorflow", "pip install torch && export"),
        (
            {"system": "darwin", "installed": {"torch": "2.13.0"}},
            *("Apple", "jax", "export KERAS_BACKEND=torch"),
        ),
    ],
)
def test_the_command_is_that_of_the_system_and_of_what_is_installed(
    machine, made, gpu, backend, command
):
    machine(**made)
    assert command in idle_gpu.command_for(gpu, backend)


@pytest.mark.once
@pytest.mark.parametrize("smi", [True, False])
def test_a_training_begins_with_one_sentence_on_an_idle_gpu(machine, tiny, images, smi, caplog):
    machine(smi=smi)
    tiny(save_path="run").fit(images, epochs=1, verbose=2)
    found = [line for line in caplog.messages if "GPU" in line]
    assert len(found) == smi
    assert not smi or found == caplog.messages[:1] and "tensorflow[and-cuda]" in found[0]


@pytest.mark.once
@pytest.mark.parametrize("name", list(idle_gpu.HIDDEN))
def test_a_gpu_that_the_user_hides_is_not_named(machine, monkeypatch, name, caplog):
    machine(smi=True)
    monkeypatch.setenv(name, idle_gpu.HIDDEN[name][-1])
    idle_gpu.warn_of_idle_gpu()
    assert caplog.messages == []


def test_a_gpu_that_is_used_is_not_named(machine, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    machine(smi=True)
    monkeypatch.setattr(BACKEND, "accelerators", lambda: 1)
    idle_gpu.warn_of_idle_gpu()
    assert caplog.messages == []


def test_the_backend_counts_its_accelerators():
    found = BACKEND.accelerators()
    assert isinstance(found, int) and found >= 0
