"""Saved generators load with Keras alone, in a process without this package."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from dcgan.images import to_uint8
from dcgan.latents import draw_latents

pytestmark = pytest.mark.once  # it starts each backend itself

SCRIPT = """
import sys
import keras
import numpy as np

latents = np.load("latents.npy")
for name in sys.argv[1:]:
    generator = keras.saving.load_model(name, compile=False)
    made = keras.ops.convert_to_numpy(generator(latents, training=False))
    np.save(name + ".npy", made)
assert not any(module.startswith("dcgan") for module in sys.modules)
"""
BACKENDS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_generator_files_give_the_same_images_with_keras_alone(tiny, tmp_path, backend):
    if importlib.util.find_spec(BACKENDS[backend]) is None:
        pytest.skip(f"{backend} is not installed")
    gan = tiny()
    latents = draw_latents(3, gan.input_size, seed=4)
    np.save(tmp_path / "latents.npy", latents)
    gan.generator.save(tmp_path / "g.keras")
    gan.generator.save(tmp_path / "g.h5")
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": ""}
    command = [sys.executable, "-P", "-c", SCRIPT, "g.keras", "g.h5"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    images = gan.generate(latents=latents).astype(int)
    for name in ("g.keras.npy", "g.h5.npy"):
        found = to_uint8(np.load(tmp_path / name)).astype(int)
        assert np.abs(found - images).max() <= 1, name  # sums in another order may round once
