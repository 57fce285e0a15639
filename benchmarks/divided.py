"""What `python -m benchmarks devices` measures with JAX, each in a process of its own.

python -m benchmarks.divided bytes dcgan-64   # that two devices exchange in a step
python -m benchmarks.divided cost             # of a distribution over one device
"""

import json
import math
import re
import statistics
import sys
import time

SIZES = {"f32": 4, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "s64": 8, "u64": 8, "pred": 1}
NETWORKS = {"dcgan-64": {"preset": "dcgan-64"}, "default at 256x256": {"img_size": (256, 256, 3)}}
ROUNDS, STEPS = 15, 10


def make(name: str, **options):
    """The model of a network that the table has."""
    from dcgan import DCGAN

    options = NETWORKS[name] | options
    if preset := options.pop("preset", None):
        return DCGAN.from_preset(preset, recipe="own", **options)
    return DCGAN(**options)


def compiled_step(gan, count: int):
    """The training step for batches of `count`, its state, and a batch of zeros."""
    import jax
    import keras
    import numpy as np

    lists = gan.trainable_variables, gan.non_trainable_variables
    lists = *lists, gan.optimizer.variables, gan.metrics_variables
    state = tuple([jax.numpy.copy(variable.value) for variable in part] for part in lists)
    images = jax.numpy.zeros((count, *gan.img_size), np.uint8)
    if distribution := keras.distribution.distribution():
        layout = distribution.get_data_layout(images.shape)
        images = keras.distribution.distribute_tensor(images, layout)
    where = jax.tree.map(lambda value: value.sharding, state)
    step = jax.jit(gan.train_step, donate_argnums=0, out_shardings=(None, where))
    return step.lower(state, images).compile(), state, images


def exchanged(text: str) -> int:
    """Bytes of the operands of all all-reduces in a compiled program."""
    total = 0
    for shapes in re.findall(r"= (.*?) all-reduce(?:-start)?\(", text):
        for kind, sides in re.findall(r"(\w+)\[([\d,]*)\]", shapes):
            total += SIZES[kind] * math.prod(int(side) for side in sides.split(",") if side)
    return total


def seconds_per_step(compiled) -> float:
    """The time of a few steps, one after the other; `compiled` keeps the state."""
    import jax

    step, state, images = compiled
    began = time.perf_counter()
    for _ in range(STEPS):
        _, state = step(state, images)
    jax.block_until_ready(state)
    compiled[1] = state
    return (time.perf_counter() - began) / STEPS


def cost(name: str, count: int) -> dict[str, float]:
    """Seconds per step without a distribution, and with one over one device, in turns."""
    import keras

    plain = list(compiled_step(make(name), count))
    one = keras.distribution.list_devices()[:1]
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=one))
    divided = list(compiled_step(make(name), count))
    times: list[list[float]] = [[], []]
    for _ in range(ROUNDS + 1):  # the first warms up
        for found, compiled in zip(times, (plain, divided), strict=True):
            found.append(seconds_per_step(compiled))
    medians = [statistics.median(found[1:]) for found in times]
    return dict(zip(("without", "with"), medians, strict=True))


def main(argv: list[str]) -> int:
    """Measure one thing; prints a line of JSON."""
    what, *names = argv
    if what == "cost":
        count = int(names[1]) if len(names) > 1 else 64
        print(json.dumps(cost(names[0] if names else "dcgan-64", count)))
        return 0
    import keras

    keras.distribution.set_distribution(keras.distribution.DataParallel())
    step, _, _ = compiled_step(make(names[0]), 2)
    print(json.dumps(exchanged(step.as_text())))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
