"""Timings of this package: its bare step, its `fit` and its `generate`; a worker of `speed`.

Each function takes the name (`key`) of a model that `build` made, and returns plain numbers.
"""

import contextlib
import itertools
import statistics
import tempfile
import threading
import time
from pathlib import Path

import keras
import numpy as np
from keras import ops

from benchmarks import flops, peak
from benchmarks.rounds import alternate, resident, seconds_of, serve
from dcgan import DCGAN
from dcgan.data.sample_set import draw_seascapes
from dcgan.images import MAX_CHUNK, grid, save_png
from dcgan.latents import draw_latents
from dcgan.networks.plan import count_weights
from dcgan.training.callbacks.monitor import TIME_SHARE
from dcgan.training.callbacks.previews import SAMPLE_COUNT

MAX_DRAWN = 64  # images drawn; more are repetitions
BATCHES = 8  # in the array that `fit` gets
MAX_EPOCH_STEPS = 8  # of an epoch of a timed `fit`
NEVER = 10**9  # steps or seconds; such periodic jobs are timed alone

MODELS: dict[str, DCGAN] = {}
BATCH: dict[str, tuple] = {}  # a fixed batch per model, on the device


def build(key: str, preset: str | None = None, **options) -> dict:
    """Make a model under a name and do two bare steps; returns its sizes and operations."""
    quiet = dict.fromkeys(("sample_steps", "measure_steps", "checkpoint_seconds"), NEVER)
    # the run folder is within the one that `_time_fit` makes
    options = {"save_path": "run", "augmentation": 0.0, **quiet, **options}
    gan = DCGAN.from_preset(preset, **options) if preset else DCGAN(**options)
    MODELS[key] = gan
    BATCH[key] = (ops.convert_to_tensor(_images(gan, gan.batch_size)),)
    gan.make_train_function()
    steps(key, 2)
    return {
        "flops": flops.step_flops(gan.plan, gan.batch_size, gan.uses_one_stage),
        "generator_flops": flops.count_work(gan.plan).generator,
        "batch_size": gan.batch_size,
        "weights": [count_weights(gan.plan, name) for name in ("generator", "discriminator")],
    }


def _images(gan: DCGAN, count: int) -> np.ndarray:
    drawn = draw_seascapes(min(count, MAX_DRAWN), gan.img_size)
    return np.resize(drawn, (count, *gan.img_size))


def steps(key: str, count: int) -> float:
    """Seconds per bare step: Keras's compiled train function on one fixed batch, nothing else."""
    gan = MODELS[key]
    calls = max(1, count // gan.steps_per_execution)
    run = {"jax": _run_on_jax, "torch": _run_on_torch}.get(keras.backend.backend(), _run)
    start = time.perf_counter()
    run(gan, BATCH[key], calls)
    ops.convert_to_numpy(gan.optimizer.generator.iterations)
    for mean in gan.metrics:  # a GPU may still be computing
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
    # as in Keras's own `fit`: the state passes from step to step and is put back at the end
    batches = itertools.repeat(batch)
    names = ("trainable", "non_trainable", "optimizer", "metrics")
    names = [f"{name}_variables" for name in names]
    state = gan._get_jax_state(**dict.fromkeys(names, True), purge_model_variables=True)
    for _ in range(calls):
        _, state = gan.train_function(state, batches)
    gan._jax_state = dict(zip(names, state, strict=True))
    gan._jax_state_synced = False
    gan.jax_state_sync()


class Stopwatch(keras.callbacks.Callback):
    """Times the epochs of a `fit` after its first, and the end of training after its last."""

    def __init__(self, count: int):
        super().__init__()
        self.count = count
        self.epoch_steps = max(2, min(MAX_EPOCH_STEPS, count))
        self.ended: list[float] = []

    def on_epoch_end(self, epoch, logs=None):
        """Note the time, and stop when enough steps were timed."""
        self.ended.append(time.perf_counter())
        if self.steps >= self.count:
            self.model.stop_training = True

    @property
    def steps(self) -> int:
        """Steps that were timed."""
        return self.epoch_steps * (len(self.ended) - 1)

    @property
    def seconds_per_step(self) -> float:
        """Seconds of each of them."""
        return (self.ended[-1] - self.ended[0]) / self.steps


def fit(key: str, count: int) -> float:
    """Seconds per step of `DCGAN.fit`, progress bar and all, but without the `periodic` jobs."""
    return _time_fit(key, count)[0]


def _time_fit(key: str, count: int) -> tuple[float, float]:
    """Seconds per step of a `fit` of at least so many steps, and seconds of its end."""
    gan, watch = MODELS[key], Stopwatch(count)
    images = _images(gan, BATCHES * gan.batch_size)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        gan.fit(
            images,
            epochs=NEVER,
            steps_per_epoch=watch.epoch_steps,
            callbacks=[watch],
            verbose=1,
            resume=False,
        )
    return watch.seconds_per_step, time.perf_counter() - watch.ended[-1]


def periodic(key: str, measured: str, rounds: int) -> dict:
    """Median seconds of each job that `fit` does now and then.

    A measurement is how much longer training ends where it measures its last step.

    Args:
        key: a model that `build` made as it does by default.
        measured: one with `measure_steps=1`, the same otherwise.
        rounds: how often each job is timed.
    """
    gan = MODELS[key]
    with tempfile.TemporaryDirectory() as folder:
        sheet, model = Path(folder, "preview.png"), Path(folder, "model.dcgan")
        jobs = {
            "preview": lambda: seconds_of(
                lambda: save_png(sheet, grid(gan.generate(SAMPLE_COUNT)))
            ),
            "checkpoint": lambda: seconds_of(lambda: gan.save(model)),
            "end": lambda: _time_fit(key, 2)[1],
            "measured end": lambda: _time_fit(measured, 2)[1],
        }
        times = alternate(jobs, rounds)
    seconds = {name: statistics.median(found) for name, found in times.items()}
    measurement = max(0.0, seconds.pop("measured end") - seconds.pop("end"))
    return {**seconds, "measurement": measurement, "measurement_share": TIME_SHARE}


def generate(key: str, count: int) -> dict:
    """Seconds of one call, and bytes by which the process grew beyond the images it returned."""
    highest = before = resident()
    done = threading.Event()

    def sample():
        nonlocal highest
        while not done.wait(0.01):
            highest = max(highest, resident())

    sampler = threading.Thread(target=sample)
    sampler.start()
    start = time.perf_counter()
    images = MODELS[key].generate(count)
    seconds = time.perf_counter() - start
    done.set()
    sampler.join()
    return {"seconds": seconds, "growth": max(highest, resident()) - before - images.nbytes}


def forward(key: str, count: int) -> float:
    """Seconds of the generator's compiled forward pass alone, on `count` latents in chunks."""
    gan = MODELS[key]
    latents = draw_latents(MAX_CHUNK, gan.input_size)
    calls = max(1, count // MAX_CHUNK)
    start = time.perf_counter()
    for _ in range(calls):
        gan.generator.predict_on_batch(latents)
    return (time.perf_counter() - start) * count / (calls * MAX_CHUNK)


def save(key: str, path: str) -> None:
    """Write the model's generator to a file."""
    MODELS[key].save(path, generator_only=True)


def convolution_peak(precision: str, scale: float) -> float:
    """Operations per second; `precision` as of a model: "mixed_bfloat16" computes in bfloat16."""
    return peak.convolution_peak(precision.removeprefix("mixed_"), scale)


def matmul_peak(precision: str, scale: float) -> float:
    """Operations per second; arguments as for `convolution_peak`."""
    return peak.matmul_peak(precision.removeprefix("mixed_"), scale)


if __name__ == "__main__":
    calls = [build, steps, fit, periodic, generate, forward, save]
    serve([*calls, convolution_peak, matmul_peak])
