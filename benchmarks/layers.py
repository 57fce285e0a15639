"""Time of our layers for TensorFlow against Keras's, forward and back, in one table.

    python -m benchmarks layers

Processor time of one thread, the best of the rounds: it hardly depends on what else runs.
"""

import argparse
import time
from collections.abc import Callable

import keras
import numpy as np

from benchmarks.rounds import alternate
from benchmarks.settings import Row
from benchmarks.speed import table

# (kind, arguments, shape of the input): layers of dcgan-64 and of the default network at 150x150
LAYERS = (
    ("Conv2D", (64, 4, 2, "same"), (64, 64, 64, 3)),
    ("Conv2D", (128, 4, 2, "same"), (64, 32, 32, 64)),
    ("Conv2D", (256, 4, 2, "same"), (64, 16, 16, 128)),
    ("Conv2D", (512, 4, 2, "same"), (64, 8, 8, 256)),
    ("Conv2DTranspose", (256, 4, 2, "same"), (64, 4, 4, 512)),
    ("Conv2DTranspose", (3, 4, 2, "same"), (64, 32, 32, 64)),
    ("Conv2D", (64, 4, 2, "same"), (16, 75, 75, 32)),
    ("Conv2D", (96, 4, 2, "same"), (16, 38, 38, 64)),
    ("Conv2D", (128, 4, 2, "same"), (16, 19, 19, 96)),
    ("Conv2D", (3, 3, 1, "same"), (16, 150, 150, 32)),
    ("Conv2D", (3, 3, 1, "same"), (16, 64, 64, 32)),
    ("Conv2D", (1, 3, 1, "same"), (64, 28, 28, 32)),
    ("Conv2D", (1, 3, 1, "same"), (16, 28, 28, 32)),
    ("BatchNormalization", (), (64, 16, 16, 128)),
    ("BatchNormalization", (), (16, 38, 38, 64)),
    ("Cropping2D", (((0, 1), (0, 1)),), (16, 76, 76, 32)),
)


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser("python -m benchmarks layers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    rounds = parser.parse_args(argv).rounds
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from dcgan.backend import tensorflow_layers

    rows = []
    for dtype in ("mixed_bfloat16", "float32"):
        for kind, arguments, shape in LAYERS:
            jobs = {
                place.__name__: _job(tf, getattr(place, kind)(*arguments, dtype=dtype), shape)
                for place in (keras.layers, tensorflow_layers)
            }
            theirs, ours = map(min, alternate(jobs, rounds).values())
            what = f"{kind} {arguments}, {shape}, {dtype}"
            source = f"{1000 * theirs:.1f} and {1000 * ours:.1f} ms"
            rows.append(Row(what, f"{theirs / ours:.2f} times", "", source))
    print(table(rows))
    return 0


def _job(tf, layer: keras.Layer, shape: tuple[int, ...]) -> Callable[[], float]:
    """What runs a layer and its gradients once, and returns the processor's seconds."""
    random = np.random.default_rng(0)
    layer.build(shape)
    call = {"training": True} if isinstance(layer, keras.layers.BatchNormalization) else {}
    inputs = tf.constant(random.standard_normal(shape, np.float32), layer.compute_dtype)
    size = layer(inputs, **call).shape
    factors = tf.constant(random.standard_normal(size, np.float32), layer.compute_dtype)

    @tf.function
    def run():
        at = [inputs, *(variable.value for variable in layer.trainable_variables)]
        with tf.GradientTape() as tape:
            tape.watch(at)
            outputs = layer(inputs, **call)
        return tape.gradient(outputs, at, output_gradients=factors)

    def job() -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    run()
    return job
