"""Trainings on several virtual devices and processes against that of one device.

`python -m benchmarks devices --train` prints how far the numbers of a training of 20 steps are from
those of one device, and of runs that were resumed: on as many devices, and on one. One of two
processes is killed; the other must say so, and both, started again, must end as if nothing was.

Devices add up in another order, so that last digits differ, and a gradient jumps where an
activation within rounding of 0 falls on the other side of a leaky ReLU. What that does to one
device is shown besides: its distance from itself when the first weights differ in the last digit.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.rounds import ROOT

# Backend, devices, processes
FORMS = (("tensorflow", 2, 1), ("jax", 2, 1), ("jax", 4, 1), ("jax", 2, 2))
MAX_SECONDS = 1800  # of one training: on a loaded machine collectives may starve

TRAIN = """
import sys
import keras
import numpy as np

path, out, *numbers = sys.argv[1:]
devices, epochs, seed, nudged = map(int, numbers)
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    virtual = [tf.config.LogicalDeviceConfiguration()] * devices
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], virtual)
from dcgan import DCGAN
from dcgan.backend.devices import process_id, use_devices
from dcgan.training.state import capture

use_devices(devices)
images = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)
options = dict(img_size=(32, 32, 3), depth=3, increment=8, batch_size=8, dropout=0.3)
gan = DCGAN(path, precision="float32", seed=seed, **options)
random = np.random.default_rng(1)
for weight in gan.trainable_variables if nudged else ():
    value = keras.ops.convert_to_numpy(weight)
    weight.assign(np.nextafter(value, random.choice([-1, 1], value.shape), dtype=value.dtype))
gan.fit(images, epochs=epochs, verbose=0)
if process_id() == 0:
    np.savez(out, generated=gan.generate(8).astype(float), **capture(gan._learner())[1])
"""


class Trainings:
    """Trainings of one form, each in a folder below `root`."""

    def __init__(self, root: Path, backend: str, devices: int, processes: int, seed: int):
        self.root, self.backend, self.devices, self.processes = root, backend, devices, processes
        self.seed = seed

    def start(self, name: str, epochs: int, nudged: bool = False) -> list[subprocess.Popen]:
        """Start the processes of a training."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            addresses = [f"127.0.0.1:{free.getsockname()[1]}"] * self.processes
        here = self.devices // self.processes
        flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={here}"
        environment = os.environ | {"KERAS_BACKEND": self.backend, "XLA_FLAGS": flags}
        environment |= {"PYTHONPATH": str(ROOT), "DCGAN_CACHE": str(self.root / "cache")}
        words = [str(self.root / name), str(self.root / f"{name}.npz")]
        words += [self.devices, epochs, self.seed, int(nudged)]
        started = []
        for number in range(self.processes):
            if self.processes > 1:
                environment |= {
                    "KERAS_DISTRIBUTION_JOB_ADDRESSES": ",".join(addresses),
                    "KERAS_DISTRIBUTION_NUM_PROCESSES": str(self.processes),
                    "KERAS_DISTRIBUTION_PROCESS_ID": str(number),
                }
            errors = open(self.root / f"{name}-{number}.txt", "w")
            command = [sys.executable, "-c", TRAIN, *map(str, words)]
            started.append(subprocess.Popen(command, env=environment, stderr=errors, cwd=ROOT))
        return started

    def train(self, name: str, epochs: int = 4, nudged: bool = False) -> dict[str, np.ndarray]:
        """Train or resume; returns all numbers of the model."""
        for process in self.start(name, epochs, nudged):
            if process.wait(MAX_SECONDS):
                raise SystemExit((self.root / f"{name}-0.txt").read_text()[-3000:])
        return dict(np.load(self.root / f"{name}.npz"))

    def kill_one(self, name: str) -> str:
        """Train, go on without end and kill the last process; returns what the first then says."""
        self.train(name, epochs=2)  # with a checkpoint from which all resume
        log = self.root / name / "log.jsonl"
        before = log.read_bytes()
        first, *_, last = self.start(name, 10**6)
        while log.read_bytes() == before and first.poll() is None:
            time.sleep(0.2)
        last.kill()
        first.wait(MAX_SECONDS)
        said = (self.root / f"{name}-0.txt").read_text()
        return next((line for line in said.splitlines() if "Another of the" in line), said[-2000:])


def distance(first: dict, second: dict) -> float:
    """The largest difference of two models' numbers, but for those of the images."""
    names = first.keys() - {"generated"}
    return max(float(np.abs(first[name] - second[name].astype(float)).max()) for name in names)


def main(seed: int = 0) -> None:
    """Train in all forms, and print a line for each."""
    for backend, devices, processes in FORMS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            one, several = (
                Trainings(root, backend, 1, 1, seed),
                Trainings(root, backend, devices, processes, seed),
            )
            alone, nudged = one.train("alone"), one.train("nudged", nudged=True)
            whole = several.train("whole")
            several.train("parts", epochs=2)
            shutil.copytree(root / "parts", root / "elsewhere")
            resumed, on_one = several.train("parts"), one.train("elsewhere")
            images = np.abs(alone["generated"] - whole["generated"]).max()
            print(
                f"{backend}, {devices} devices in {processes} process(es):\n"
                f"  from one device: {distance(alone, whole):.1e}, images {images:.0f} of 255; "
                f"one device from itself: {distance(alone, nudged):.1e}\n"
                f"  resumed: {distance(resumed, whole):.1e}; on one: {distance(on_one, whole):.1e}",
                flush=True,
            )
            if processes > 1:
                print(f"killed one: {several.kill_one('killed')}")
                again = distance(several.train("killed"), whole)
                print(
                    f"started again: {again:.1e} from the training that nobody killed", flush=True
                )
