"""Several devices: the training of one, divided; and what cannot be divided is refused."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import keras
import pytest

from dcgan import ArgumentError
from dcgan.backend.devices import check_devices, machine_in_words, use_devices

on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX divides a batch")

# Trains on some virtual devices and prints the sum of each weight, and some generated pixels.
TRAIN = """
import json, sys
import numpy as np
from dcgan import DCGAN
from dcgan.backend.devices import use_devices

use_devices(int(sys.argv[1]))
small = dict(img_size=(8, 8, 3), depth=1, increment=4, input_size=8, batch_size=4)
gan = DCGAN(f"run{sys.argv[1]}", **small)
images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3)).astype(np.uint8)
gan.fit(images, epochs=4, verbose=0)
weights = [np.abs(weight).sum() for weight in gan.generator.get_weights()]
devices = len(gan.generator.layers[1].kernel.value.devices())
values = dict(devices=devices, step=gan.state.step, weights=[float(w) for w in weights])
print(json.dumps(values | dict(pixels=gan.generate(3).ravel().tolist())))
"""


def trained_on(devices):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(devices)],
        env={**os.environ, "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@on_jax
def test_two_devices_train_what_one_device_trains():
    one, two = trained_on(1), trained_on(2)
    assert (one["devices"], two["devices"]) == (1, 2)
    assert one["step"] == two["step"] == 20
    assert two["weights"] == pytest.approx(one["weights"], rel=1e-5)
    difference = [abs(a - b) for a, b in zip(one["pixels"], two["pixels"], strict=True)]
    assert max(difference) <= 1


@on_jax
def test_a_batch_that_cannot_be_divided_is_refused_with_the_number_of_devices(monkeypatch):
    parallel = keras.distribution.DataParallel(devices=["cpu:0"] * 3)
    monkeypatch.setattr("keras.distribution.distribution", lambda: parallel)
    with pytest.raises(ArgumentError, match="divisible by 3"):
        check_devices(16)
    check_devices(15)


def test_more_devices_than_there_are_is_one_sentence():
    with pytest.raises(ArgumentError, match="devices"):
        use_devices(99)


def test_one_device_is_what_there_is():
    use_devices(1)
    check_devices(7)


@pytest.mark.once
def test_tensorflows_own_ways_to_several_devices_name_the_way_that_works(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(ArgumentError, match="KERAS_BACKEND=jax"):
        check_devices(4)
    mirrored = SimpleNamespace(num_replicas_in_sync=2)
    monkeypatch.setattr("tensorflow.distribute.get_strategy", lambda: mirrored)
    with pytest.raises(ArgumentError, match="tf.distribute strategy"):
        check_devices(4)


def test_the_machine_is_said_in_a_few_words():
    words = machine_in_words(2, "mixed_bfloat16")
    assert words.startswith("2 cores, bfloat16, ") and words.endswith(("GPU", "GPUs"))
