"""A GPU of this machine that the framework in use does not reach, and the command that uses it."""

import logging
import os
import platform
import shutil
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import keras

logger = logging.getLogger("dcgan")

NVIDIA_GPUS = Path("/proc/driver/nvidia/gpus")  # of Linux: a folder for each
HIDDEN = {  # by the user's wish
    "CUDA_VISIBLE_DEVICES": ("", "-1"),
    "JAX_PLATFORMS": ("cpu",),
    "KERAS_TORCH_DEVICE": ("cpu",),
}
INSTALL = {  # what brings a framework its GPU on Linux
    "tensorflow": 'pip install "tensorflow[and-cuda]"',
    "jax": 'pip install "jax[cuda12]"',
    "torch": "pip install --force-reinstall torch",
}


def warn_of_idle_gpu() -> None:
    """Say in one sentence that a GPU is idle, and how to use it, where that is so."""
    hidden = any(os.environ.get(name) in values for name, values in HIDDEN.items())
    backend = keras.backend.backend()
    if hidden or import_module(f"dcgan.backend.{backend}_backend").accelerators():
        return
    if gpu := visible_gpu():
        logger.warning(
            "This machine has an %s GPU that %s does not use, so the processor trains. To use it: "
            "%s",
            *(gpu, backend, command_for(gpu, backend)),
        )


def visible_gpu() -> str | None:
    """The maker of a GPU that the system shows, "NVIDIA" or "Apple"; None where it shows none."""
    if sys.platform == "darwin":
        return "Apple" if platform.machine() == "arm64" else None
    known_to_linux = NVIDIA_GPUS.is_dir() and any(NVIDIA_GPUS.iterdir())
    return "NVIDIA" if known_to_linux or shutil.which("nvidia-smi") else None


def command_for(gpu: str, backend: str) -> str:
    """What to type, on this system and with what is installed, to train on a GPU."""
    windows = sys.platform == "win32"
    for name in ("jax", "torch"):  # on a GPU JAX is ten times as fast: benchmarks/README.md
        if name != backend and _reaches(gpu, name):
            return f'$env:KERAS_BACKEND = "{name}"' if windows else f"export KERAS_BACKEND={name}"
    if windows:  # TensorFlow and JAX reach no GPU there
        return "wsl --install, and install dcgan in the Linux that it brings"
    if gpu == "Apple":
        return "pip install torch && export KERAS_BACKEND=torch"
    return INSTALL[backend]


def _reaches(gpu: str, framework: str) -> bool:
    """Whether an installed framework, which is not imported for this, was built for a GPU."""
    if framework == "jax":
        plugins = ("jax_cuda12_plugin", "jax_cuda13_plugin")
        return gpu == "NVIDIA" and any(map(find_spec, plugins))
    try:
        build = version(framework)
    except PackageNotFoundError:
        return False
    if sys.platform == "win32":  # there PyPI's has no CUDA, and PyTorch's own says +cu126
        return "+cu" in build
    return gpu == "Apple" or not build.endswith("+cpu")
