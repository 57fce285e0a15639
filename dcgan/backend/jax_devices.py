"""Several devices with JAX: one program over all, that of Keras's distribution.

They may be those of several processes, on several machines.
"""

import os
from collections.abc import Callable

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from dcgan.errors import ArgumentError

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"

processes, process_id = jax.process_count, jax.process_index


def shard(tensor, axis: int = 0):
    """The same tensor, of which each device keeps its part of the rows."""
    count = device_count()
    if count == 1 or axis or tensor.shape[0] % count:
        return tensor  # XLA decides
    layout = keras.distribution.distribution().get_data_layout(tensor.shape)
    return keras.distribution.distribute_tensor(tensor, layout)


def draw_shard(function: Callable, shape: tuple, *range, seed, axis: int = 0):
    """What a function of `keras.random` draws for all devices."""
    return shard(function(shape, *range, seed=seed), axis)


def list_devices() -> list[str]:
    """The GPUs, or else the processors, of all processes."""
    if os.environ.get(ADDRESSES) and not jax.distributed.is_initialized():
        keras.distribution.initialize()
    return keras.distribution.list_devices()


def set_devices(names: list[str]) -> None:
    """Divide the batches of the models that are made from now on among these devices."""
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=names))


def device_count() -> int:
    """How many devices share each batch of a model that is made here."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.device_mesh.devices.size


def gather_from_processes(values: list | np.ndarray) -> np.ndarray:
    """What each process says, int32 `(processes, len(values))`; waits for all of them."""
    said = np.asarray(values, np.int32)
    return multihost_utils.process_allgather(said).reshape(processes(), -1)


def check(model) -> None:
    """Refuse processes that would train apart, each a model of its own."""
    if processes() > 1 and device_count() != jax.device_count():
        raise ArgumentError(
            f"{processes()} processes must share {jax.device_count()} devices, those of all: call "
            "keras.distribution.set_distribution(keras.distribution.DataParallel()) before the "
            f"model is made. Received: a distribution over {device_count()}."
        )
    if processes() > 1:  # each reads its share of the images, so that Keras has nothing to divide
        keras.distribution.distribution().auto_shard_dataset = False
