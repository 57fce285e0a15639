"""Several devices: the training of one, divided; and what cannot be divided is refused."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from dcgan import ArgumentError
from dcgan.backend import devices
from dcgan.backend.devices import check_batches, check_devices, machine_in_words, use_devices

JAX = keras.backend.backend() == "jax"
TENSORFLOW = keras.backend.backend() == "tensorflow"
divides = pytest.mark.skipif(keras.backend.backend() == "torch", reason="it has one device")

# Trains on virtual devices of the processor, and keeps all numbers of each run.
SETUP = """
import shutil, sys
import keras
import numpy as np

JAX = keras.backend.backend() == "jax"
if not JAX:
    import tensorflow as tf

    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
from dcgan import DCGAN
from dcgan.backend.devices import use_devices
from dcgan.data.batches import Batches
from dcgan.training.state import capture

OPTIONS = dict(img_size=(8, 8, 3), depth=1, increment=4, input_size=8, batch_size=4, dropout=0.3)
OPTIONS["precision"] = "float32"
images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3)).astype(np.uint8)

def two_devices():
    if JAX:
        return keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"]).scope()
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()

class Shares:  # of passes of five batches each, as grain would give them
    def __init__(self, *share):
        self.batches, self.passes = Batches(images, 4, share=share), 0

    def __len__(self):
        return 5

    def __iter__(self):
        self.passes += 1
        return Pass(self)

class Pass:
    def __init__(self, dataset):
        self.dataset, self.next = dataset, 5 * (dataset.passes - 1)

    def __iter__(self):
        return self

    def __next__(self):
        if self.next == 5 * self.dataset.passes:
            raise StopIteration
        self.next += 1
        return self.dataset.batches[self.next - 1]

    def get_state(self):
        return {"passes": self.dataset.passes, "next": self.next}

    def set_state(self, state):
        self.dataset.passes, self.next = state["passes"], state["next"]

def train(path, epochs, name, images=images):
    gan = DCGAN(path, **OPTIONS)
    gan.fit(images, epochs=epochs, verbose=1 if sys.argv[1:] else 0)
    value = gan.generator.layers[1].kernel.value
    devices = len(value.devices() if JAX else getattr(value, "values", [0]))
    arrays = capture(gan._learner())[1]
    np.savez(name, devices=devices, step=gan.state.step, images=gan.generate(3), **arrays)

"""
TRAIN = """
train("one", 4, "one.npz")
if JAX:
    train("batches", 4, "batches.npz", Shares(0, 1))
with two_devices():
    train("parts", 2, "part.npz")
shutil.copytree("parts", "elsewhere")
train("elsewhere", 4, "on_one.npz")
with two_devices():
    train("parts", 4, "resumed.npz")
use_devices(2)
train("two", 4, "two.npz")
"""
# What each of two processes does; the last training has no end.
JOIN = """
use_devices(2)
train("whole", 4, f"whole{sys.argv[1]}.npz")
train("halves", 2, "unused.npz")
train("halves", 4, f"halves{sys.argv[1]}.npz")
share = int(sys.argv[1]), 2
train("batches", 4, f"batches{sys.argv[1]}.npz", Shares(*share))
train("parts", 2, "unused.npz", Shares(*share))
train("parts", 4, f"parts{sys.argv[1]}.npz", Shares(*share))
print("trained", flush=True)
train("endless", 10**6, "unused.npz")
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The arrays of each run by name."""
    folder = tmp_path_factory.mktemp("devices")
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-c", SETUP + TRAIN],
        cwd=folder,
        env={**os.environ, "XLA_FLAGS": flags, "DCGAN_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}


def distance(first, second):
    """The largest difference of two runs' weights, moving means and other state."""
    assert first.keys() == second.keys()
    names = first.keys() - {"devices", "images"}
    return max(np.abs(first[name] - second[name].astype(float)).max() for name in names)


@divides
def test_two_devices_train_what_one_device_trains(runs):
    one, two = runs["one"], runs["two"]
    assert (one["devices"], two["devices"], one["step"]) == (1, 2, 20)
    assert distance(one, two) < 1e-5  # sums in another order: about 1e-7
    assert np.abs(one["images"].astype(int) - two["images"]).max() <= 1


@divides
def test_a_run_on_two_devices_resumes_bit_equal(runs):
    assert runs["part"]["step"] == 10
    assert distance(runs["resumed"], runs["two"]) == 0


@divides
def test_a_run_on_two_devices_resumes_on_one(runs):
    assert (runs["on_one"]["devices"], runs["on_one"]["step"]) == (1, 20)
    assert distance(runs["on_one"], runs["two"]) < 1e-5


def started(folder, number, port):
    """One of two processes of JAX on the loopback address."""
    environment = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{port},127.0.0.1:{port + 1}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
        "KERAS_DISTRIBUTION_PROCESS_ID": str(number),
        "DCGAN_CACHE": str(folder / "cache"),
    }
    return subprocess.Popen(
        [sys.executable, "-c", SETUP + JOIN, str(number)],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def read_until(word, process):
    """What a process prints, up to a word; a job that does not get there fails the test."""
    lines = []
    limit = threading.Timer(600, process.kill)  # one that says nothing, or waits for ever
    limit.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if word in line:
                return "".join(lines)
    finally:
        limit.cancel()
    raise AssertionError("".join(lines)[-3000:])


@pytest.mark.skipif(not JAX, reason="only JAX trains in several processes")
def test_two_processes_train_what_one_trains_resume_bit_equal_and_miss_one_that_is_killed(
    runs, tmp_path
):
    port = free_port()
    first, second = pair = [started(tmp_path, number, port) for number in range(2)]
    try:
        for process in pair:
            read_until("trained", process)
        found = {path.stem: dict(np.load(path)) for path in tmp_path.glob("*[01].npz")}
        assert found["whole0"]["step"] == 20
        assert distance(found["whole0"], runs["one"]) < 1e-5
        for other in ("whole1", "halves0", "halves1"):
            assert distance(found["whole0"], found[other]) == 0
        assert distance(found["batches0"], runs["batches"]) < 1e-5
        for other in ("batches1", "parts0", "parts1"):  # shares, each from a dataset of its own
            assert distance(found["batches0"], found[other]) == 0
        lines = (tmp_path / "whole" / "log.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == [20]  # one process writes
        while not (tmp_path / "endless" / "log.jsonl").exists():
            assert first.poll() is None
            time.sleep(0.1)
        second.kill()
        assert "they resume from the newest checkpoint" in read_until("Another of the 2", first)
    finally:
        for process in pair:
            process.kill()
            process.communicate()


def test_a_batch_that_cannot_be_divided_is_refused_with_the_number_of_devices(monkeypatch):
    monkeypatch.setattr(devices, "device_count", lambda: 3)
    monkeypatch.setattr(devices._own, "check", lambda model: None, raising=False)
    with pytest.raises(ArgumentError, match="divisible by 3"):
        check_devices(None, 16)
    check_devices(None, 15)
    with pytest.raises(ArgumentError, match="drop_remainder=True"):
        check_batches(15, all_equal=False)
    check_batches(15, all_equal=True)


def test_more_devices_than_there_are_is_one_sentence():
    with pytest.raises(ArgumentError, match="devices must be at most 1.*99"):
        use_devices(99)


def test_one_device_is_what_there_is(tiny):
    use_devices(1)
    check_devices(tiny(), 7)


@pytest.mark.once
def test_several_machines_with_tensorflow_are_refused_with_the_way_that_works(tiny, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(ArgumentError, match="KERAS_BACKEND=jax"):
        check_devices(tiny(), 4)


@pytest.mark.once
def test_a_model_from_outside_the_strategy_is_refused(tiny, monkeypatch):
    gan = tiny()
    mirrored = SimpleNamespace(num_replicas_in_sync=2)
    monkeypatch.setattr("tensorflow.distribute.get_strategy", lambda: mirrored)
    with pytest.raises(ArgumentError, match="inside the scope of the strategy"):
        check_devices(gan, 4)


@pytest.mark.skipif(not TENSORFLOW, reason="this is about TensorFlow")
def test_optimizers_from_outside_the_strategy_are_refused(tiny, monkeypatch):
    made_outside = tiny().optimizer
    mirrored = SimpleNamespace(num_replicas_in_sync=2)
    monkeypatch.setattr("tensorflow.distribute.get_strategy", lambda: mirrored)
    weight = SimpleNamespace(value=SimpleNamespace(values=(0, 0)))
    with pytest.raises(ArgumentError, match="made, and compiled, inside the scope"):
        devices._own.check(SimpleNamespace(weights=[weight], optimizer=made_outside))


def test_the_machine_is_said_in_a_few_words():
    words = machine_in_words(2, "mixed_bfloat16")
    assert words.startswith("2 cores, bfloat16, ") and words.endswith(("GPU", "GPUs"))
