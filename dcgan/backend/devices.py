"""Several devices: which are used, and whether a batch can be divided among them."""

import os
from importlib import import_module

import keras

from dcgan.errors import ArgumentError, counted

JAX_DOES = "With JAX one training uses several devices of one machine: set KERAS_BACKEND=jax."


def use_devices(count: int | None) -> None:
    """Divide every batch of the models that are built from now on among devices of this machine.

    Args:
        count: how many devices. None: all GPUs, or one processor.

    Raises:
        ArgumentError: there are not so many, or the backend cannot use more than one.
    """
    backend = keras.backend.backend()
    if backend != "jax":
        if count is not None and count > 1:
            raise ArgumentError(f"devices={count} cannot be used with {backend}. {JAX_DOES}")
        return
    found = keras.distribution.list_devices()  # the GPUs, or else the processors
    usual = 1 if found[0].startswith("cpu") else len(found)
    wanted = usual if count is None else count
    if wanted > len(found):
        raise ArgumentError(
            f"devices must be at most {len(found)}, which is what JAX finds here. "
            f"Received: devices={wanted}"
        )
    if wanted > 1:
        parallel = keras.distribution.DataParallel(devices=found[:wanted])
        keras.distribution.set_distribution(parallel)


def machine_in_words(cores: int, precision: str) -> str:
    """What training has here: `2 cores, bfloat16, no GPU`.

    Args:
        cores: that this process may use.
        precision: dtype policy of the networks.
    """
    backend = import_module(f"dcgan.backend.{keras.backend.backend()}_backend")
    count = backend.accelerators()
    gpus = counted(count, "GPU") if count else "no GPU"
    return f"{counted(cores, 'core')}, {precision.removeprefix('mixed_')}, {gpus}"


def divided(batch):
    """The same tensor `(n, ...)`, of which each device that is set keeps its share of the batch."""
    count = _count()
    if count == 1 or batch.shape[0] % count:
        return batch
    layout = keras.distribution.distribution().get_data_layout(batch.shape)
    return keras.distribution.distribute_tensor(batch, layout)


def _count() -> int:
    """How many devices share each batch."""
    if keras.backend.backend() != "jax":
        return 1
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.device_mesh.devices.size


def check_devices(batch_size: int) -> None:
    """Refuse what cannot be trained on the devices that are set.

    Raises:
        ArgumentError: the batch cannot be divided, or training would not be that of one device.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            raise ArgumentError(f"fit cannot run inside a tf.distribute strategy. {JAX_DOES}")
        if os.environ.get("TF_CONFIG"):
            raise ArgumentError(
                "TF_CONFIG is set, but Keras 3 cannot train on several machines with TensorFlow "
                f"(Keras issue 20585). Unset it. {JAX_DOES}"
            )
    if backend == "jax":
        import jax

        if jax.process_count() > 1:
            raise ArgumentError(
                "fit runs in one process, on the devices of one machine. Received: "
                f"{jax.process_count()} processes of JAX. Start one, without "
                "keras.distribution.initialize."
            )
    if batch_size % (devices := _count()):
        raise ArgumentError(
            f"batch_size must be divisible by {devices}, the number of devices that share each "
            f"batch. Received: batch_size={batch_size}"
        )
