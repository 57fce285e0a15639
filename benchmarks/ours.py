"""How fast is this package? Its bare step, its `fit` and its `generate`, timed when `run.py` asks.

Each function takes the name (`key`) of a model that `build` made, and returns plain numbers.
"""

import contextlib
import itertools
import os
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import flops
import keras
import numpy as np
import peak
from keras import ops
from rounds import serve

from dcgan import DCGAN
from dcgan.data.sample_set import draw_seascapes
from dcgan.images import MOST
from dcgan.latents import draw_latents
from dcgan.networks.plan import count_weights
from dcgan.training.callbacks.checkpointing import CHECKPOINT_SECONDS, Checkpoints
from dcgan.training.callbacks.monitor import MEASURE_STEPS, TIME_SHARE, HealthWatch
from dcgan.training.callbacks.previews import SAMPLE_STEPS, SampleGrids

DRAWN = 64  # images drawn; more are repetitions
BATCHES = 8  # in the array that `fit` gets
SETTLING_STEPS = 2  # at the start of a `fit`, before its clock

MODELS: dict[str, DCGAN] = {}
BATCH: dict[str, tuple] = {}  # a fixed batch per model, on the device
PERIODIC: dict[str, list[float]] = {"grid": [], "measurement": [], "checkpoint": []}


def build(key: str, preset: str | None = None, **options) -> dict:
    """Make a model under a name, do two bare steps; its operations per step and per image."""
    options["save_path"] = "run"  # within the folder that `fit` makes
    options.setdefault("augmentation", 0.0)
    gan = DCGAN.from_preset(preset, **options) if preset else DCGAN(**options)
    MODELS[key] = gan
    BATCH[key] = (ops.convert_to_tensor(_images(gan, gan.batch_size)),)
    gan.make_train_function()
    steps(key, 2)
    return {
        "flops": flops.step_flops(gan.plan, gan.batch_size, gan.one_stage),
        "generator_flops": flops.count_work(gan.plan).generator,
        "batch_size": gan.batch_size,
        "weights": [count_weights(gan.plan, name) for name in ("generator", "discriminator")],
    }


def _images(gan: DCGAN, count: int) -> np.ndarray:
    drawn = draw_seascapes(min(count, DRAWN), gan.img_size)
    return np.resize(drawn, (count, *gan.img_size))


def steps(key: str, count: int) -> float:
    """Seconds per bare step: Keras's compiled train function on one fixed batch, nothing else."""
    gan = MODELS[key]
    calls = max(1, count // gan.steps_per_execution)
    run = {"jax": _run_on_jax, "torch": _run_on_torch}.get(keras.backend.backend(), _run)
    start = time.perf_counter()
    run(gan, BATCH[key], calls)
    ops.convert_to_numpy(gan.optimizer.generator.iterations)
    for mean in gan.means:  # a GPU may still be at it
        ops.convert_to_numpy(mean.result())
    return (time.perf_counter() - start) / (calls * gan.steps_per_execution)


def _run(gan: DCGAN, batch: tuple, calls: int) -> None:
    batches = itertools.repeat(batch)
    for _ in range(calls):
        gan.train_function(batches)


def _run_on_torch(gan: DCGAN, batch: tuple, calls: int) -> None:
    for _ in range(calls):
        gan.train_function([batch])


def _run_on_jax(gan: DCGAN, batch: tuple, calls: int) -> None:
    # as Keras's own `fit` does it: the state is handed from step to step, and put back at the end
    batches = itertools.repeat(batch)
    names = ("trainable", "non_trainable", "optimizer", "metrics")
    names = [f"{name}_variables" for name in names]
    state = gan._get_jax_state(**dict.fromkeys(names, True), purge_model_variables=True)
    for _ in range(calls):
        _, state = gan.train_function(state, batches)
    gan._jax_state = dict(zip(names, state, strict=True))
    gan._jax_state_synced = False
    gan.jax_state_sync()


@dataclass
class Stopwatch:
    """Counts a `fit`'s seconds once it has settled, without the jobs done now and then."""

    gan: DCGAN
    wanted: int
    first: int | None = None  # the last step that is not counted
    start: int = 0
    began: float = 0.0
    aside: float = 0.0
    seconds: float = 0.0
    steps: int = 0

    def look(self, batch: int, logs: dict) -> None:
        """After each step: start, or stop training when it was enough."""
        now, step = time.perf_counter(), self.gan.record["step"]
        if self.first is None:
            self.first = step + SETTLING_STEPS
        if step <= self.first:
            self.began, self.start, self.aside = now, step, _aside()
            return
        self.steps = step - self.start
        self.seconds = now - self.began - (_aside() - self.aside)
        if self.steps >= self.wanted:
            self.gan.stop_training = True


def fit(key: str, count: int) -> float:
    """Seconds per step of `DCGAN.fit`, progress bar and all, but without the `periodic` jobs."""
    gan = MODELS[key]
    watch = Stopwatch(gan, count)
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=watch.look)
    images = _images(gan, BATCHES * gan.batch_size)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        gan.fit(images, epochs=10**6, callbacks=[callback], verbose=1, resume=False)
    return watch.seconds / watch.steps


def periodic() -> dict:
    """Seconds of each job that `fit` does now and then, and how it is spread over the steps."""
    medians = {name: statistics.median(s) if s else 0.0 for name, s in PERIODIC.items()}
    every = {"grid_steps": SAMPLE_STEPS, "measurement_steps": MEASURE_STEPS}
    every |= {"checkpoint_seconds": CHECKPOINT_SECONDS, "measurement_share": TIME_SHARE}
    return medians | every


def _aside() -> float:
    return sum(map(sum, PERIODIC.values()))


def time_periodic_jobs() -> None:
    """Wrap them, so that their time is known."""
    for kind, method, name in (
        (SampleGrids, "_write", "grid"),
        (HealthWatch, "measure", "measurement"),
        (Checkpoints, "save", "checkpoint"),
    ):
        setattr(kind, method, _timed(getattr(kind, method), PERIODIC[name]))


def _timed(function, seconds: list[float]):
    def timed(*arguments):
        start = time.perf_counter()
        result = function(*arguments)
        seconds.append(time.perf_counter() - start)
        return result

    return timed


def generate(key: str, count: int) -> dict:
    """Seconds of one call, and bytes by which the process grew beyond the images themselves."""
    most = before = resident()
    done = threading.Event()

    def sample():
        nonlocal most
        while not done.wait(0.01):
            most = max(most, resident())

    sampler = threading.Thread(target=sample)
    sampler.start()
    start = time.perf_counter()
    images = MODELS[key].generate(count)
    seconds = time.perf_counter() - start
    done.set()
    sampler.join()
    return {"seconds": seconds, "growth": max(most, resident()) - before - images.nbytes}


def forward(key: str, count: int) -> float:
    """Seconds of the generator's compiled forward pass alone, on `count` latents in chunks."""
    gan = MODELS[key]
    latents = draw_latents(MOST, gan.input_size)
    calls = max(1, count // MOST)
    start = time.perf_counter()
    for _ in range(calls):
        gan.generator.predict_on_batch(latents)
    return (time.perf_counter() - start) * count / (calls * MOST)


def resident() -> int:
    """Bytes of memory that this process has now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def save(key: str, path: str) -> None:
    """Write the model's generator to a file."""
    MODELS[key].save(path, generator_only=True)


def convolution_peak(precision: str, scale: float) -> float:
    """Operations per second; `precision` as the model's: "mixed_bfloat16" computes in bfloat16."""
    return peak.convolution_peak(precision.removeprefix("mixed_"), scale)


def matmul_peak(precision: str, scale: float) -> float:
    """Operations per second; arguments as for `convolution_peak`."""
    return peak.matmul_peak(precision.removeprefix("mixed_"), scale)


if __name__ == "__main__":
    time_periodic_jobs()
    calls = [build, steps, fit, periodic, generate, forward, save]
    serve([*calls, convolution_peak, matmul_peak])
