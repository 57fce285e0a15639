"""Several devices: which are used, and whether a batch can be divided among them.

In the training step, each device has a part of the images of a batch:

- `draw_shard(function, shape, *range, seed, axis=0)` is its part of what a function of
  `keras.random` draws for all devices. `shape` is that of the part, with images along `axis`.
- `shard(tensor, axis=0)` are this replica's rows of a tensor that every replica holds.
- `all_gather(tensor)` are the rows of all.
- `replicas()` is the number of replicas of the step: one per device on TensorFlow, else 1.

Where several processes train together, as only JAX's can, `processes()` is their number, and
`process_id()` that of this one, from 0.
"""

from collections.abc import Callable
from importlib import import_module

import keras
import numpy as np

from dcgan.errors import ArgumentError, counted

_NAME = keras.backend.backend()
_own = import_module(f"dcgan.backend.{_NAME}_devices")
shard, draw_shard, device_count = _own.shard, _own.draw_shard, _own.device_count
# TensorFlow alone has a replica of the step per device
all_gather = getattr(_own, "all_gather", lambda tensor: tensor)
replicas: Callable[[], int] = getattr(_own, "replicas", lambda: 1)
processes: Callable[[], int] = getattr(_own, "processes", lambda: 1)
process_id: Callable[[], int] = getattr(_own, "process_id", lambda: 0)


def gather_from_processes(values: list | np.ndarray) -> np.ndarray:
    """What each process says, int32 `(processes, len(values))`; waits for all of them."""
    return _own.gather_from_processes(values) if processes() > 1 else np.asarray([values], np.int32)


def use_devices(count: int | None) -> None:
    """Divide every batch of the models that are made from now on among devices.

    Args:
        count: how many devices. None: all GPUs, or one processor.

    Raises:
        ArgumentError: there are not so many, or the backend cannot use more than one.
    """
    found = _own.list_devices()
    usual = 1 if "cpu" in found[0].lower() and processes() == 1 else len(found)
    wanted = usual if count is None else count
    if wanted > len(found):
        advice = f"which is what {_NAME} finds here"
        if _NAME == "torch":
            advice = (
                "with PyTorch, for which Keras has no more: set KERAS_BACKEND=tensorflow or jax"
            )
        raise ArgumentError(
            f"devices must be at most {len(found)}, {advice}. Received: devices={wanted}"
        )
    if wanted > 1:
        _own.set_devices(found[:wanted])


def machine_in_words(cores: int, precision: str) -> str:
    """What training has here: `2 cores, bfloat16, no GPU`.

    Args:
        cores: that this process may use.
        precision: dtype policy of the networks.
    """
    backend = import_module(f"dcgan.backend.{_NAME}_backend")
    count = backend.accelerators()
    gpus = counted(count, "GPU") if count else "no GPU"
    return f"{counted(cores, 'core')}, {precision.removeprefix('mixed_')}, {gpus}"


def check_devices(model: keras.Model, batch_size: int) -> None:
    """Refuse what cannot be trained on the devices that are set.

    Raises:
        ArgumentError: the batch cannot be divided, or training would not be that of one device.
    """
    if hasattr(_own, "check"):
        _own.check(model)
    if batch_size % (devices := device_count()):
        raise ArgumentError(
            f"batch_size must be divisible by {devices}, the number of devices that share each "
            f"batch. Received: batch_size={batch_size}. Give another one, or fewer devices."
        )


def check_batches(count: int, all_equal: bool) -> None:
    """Refuse a user's own batches that the devices cannot share.

    Args:
        count: images in the first batch.
        all_equal: whether no batch can have fewer.

    Raises:
        ArgumentError: a batch cannot be divided.
    """
    if (devices := device_count()) == 1 or processes() > 1:  # then `Share` checks each batch
        return
    if count % devices or not all_equal:
        raise ArgumentError(
            f"Each batch of the dataset must have the same number of images, divisible by "
            f"{devices}, the number of devices that share it: dataset.batch(n, "
            f"drop_remainder=True). Received: {count} images in the first batch."
        )
