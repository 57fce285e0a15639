"""Time of a training step on PyTorch as Keras takes it, against the recorded one, in one table.

    KERAS_BACKEND=torch python -m benchmarks recording

Processor time of one thread, the median of the rounds. The tiny network is almost all Python: what
remains of its step is what a GPU would wait for.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import keras
import numpy as np

from benchmarks.rounds import alternate
from benchmarks.settings import Row
from benchmarks.speed import table
from dcgan import DCGAN
from dcgan.networks import build

NETWORKS = {
    "tiny, 16x16x3, increment 4, batch 2": {"img_size": 16, "increment": 4, "batch_size": 2},
    "default network, 28x28x1": {"img_size": (28, 28, 1), "depth": 3},
    "default network, 64x64x3": {"img_size": 64},
}
STEPS = 5  # in a turn
FORMS = ("Keras's layers, each step through Keras", "our layers", "our layers, recorded")


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser("python -m benchmarks recording", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    rounds = parser.parse_args(argv).rounds
    if keras.backend.backend() != "torch":
        parser.error("KERAS_BACKEND must be torch: other backends compile their step")
    import torch

    torch.set_num_threads(1)
    rows = []
    for name, options in NETWORKS.items():
        times = alternate({form: _job(form, options) for form in FORMS}, rounds)
        theirs, ours, recorded = (1000 * statistics.median(times[form]) for form in FORMS)
        source = f"{theirs:.1f}, {ours:.1f} and {recorded:.1f} ms"
        rows.append(Row(name, f"{theirs / recorded:.2f} times", "", source))
    print(table(rows))
    return 0


def _job(form: str, options: dict) -> Callable[[], float]:
    """What takes a few steps in one of the forms, and returns the processor's seconds for one."""
    faster = build.FASTER_LAYERS
    build.FASTER_LAYERS = {} if form == FORMS[0] else faster
    try:
        gan = DCGAN(**options, precision="float32", growing=False, augmentation=1.0)
    finally:
        build.FASTER_LAYERS = faster
    gan.run_eagerly = form != FORMS[-1]
    gan.make_train_function()
    images = np.random.default_rng(0).integers(0, 256, (gan.batch_size, *gan.img_size), np.uint8)

    def job() -> float:
        start = time.process_time()
        for _ in range(STEPS):
            gan.train_function([images])
        return (time.process_time() - start) / STEPS

    job()  # records, too
    return job
