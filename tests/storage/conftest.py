"""A small model for the tests of storage: its document, arrays, and the shapes of its plan."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dcgan.errors import ArgumentError
from dcgan.storage.model_file import write_model_file

ROOT = Path(__file__).parents[2]
DOCUMENT = {
    "options": {"seed": 3},
    "plan": {"width": 3},
    "optimizers": {"generator": {"class": "Adam"}, "discriminator": {"class": "Adam"}},
    "training": {"step": 7, "losses": [0.5, 0.25], "note": "海"},
}
PREVIEW = np.arange(60, dtype="uint8").reshape(4, 5, 3)


def small_arrays(width: int = 3) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "generator/dense/kernel": random.normal(size=(2, width)).astype("float32"),
        "generator/dense/bias": np.zeros(width, "float32"),
        "training_generator/dense/kernel": random.normal(size=(2, width)).astype("float32"),
        "training_generator/dense/bias": np.zeros(width, "float32"),
        "discriminator/dense/kernel": random.normal(size=(width, 1)).astype("float32"),
        "optimizer/generator/0000": np.array(7, "int64"),
        "optimizer/generator/0001": np.ones((2, width), "float32"),
        "state/random/latents": np.array([1, 2], "uint32"),
        "state/flag": np.array(True),
    }


def expected(document: dict) -> dict[str, tuple[tuple[int, ...], str]]:
    width = document["plan"].get("width")
    if not isinstance(width, int) or not 0 < width < 1000:
        raise ArgumentError(f"width must be a whole number from 1 to 999. Received: {width!r}")
    networks = {"generator/dense/kernel": (2, width), "generator/dense/bias": (width,)}
    networks |= {f"training_{name}": shape for name, shape in networks.items()}
    networks["discriminator/dense/kernel"] = (width, 1)
    state = {"state/random/latents": ((2,), "uint32"), "state/flag": ((), "bool")}
    return {name: (shape, "float32") for name, shape in networks.items()} | state


def save(path, arrays=None, preview=PREVIEW, **changes):
    arrays = small_arrays() if arrays is None else arrays
    write_model_file(path, DOCUMENT | changes, arrays, preview)
    return path


def split(content: bytes) -> tuple[dict, bytes]:
    """The header of a safetensors file as a dictionary, and the arrays' bytes."""
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def run_child(program: str, *arguments, **options) -> subprocess.Popen:
    """A Python program that runs by itself, with its output in pipes."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, **({**pipes, "cwd": ROOT} | options))


@pytest.fixture(scope="session")
def small():
    """The small model's parts, and functions on it."""
    return SimpleNamespace(
        document=DOCUMENT,
        preview=PREVIEW,
        arrays=small_arrays,
        expected=expected,
        save=save,
        split=split,
    )


@pytest.fixture(scope="session")
def start_child():
    """A function that starts a Python program in the project's folder."""
    return run_child
