"""Several devices with TensorFlow: a replica of the step on each, inside a MirroredStrategy.

What a replica computes is that of one device with the batch of all: it draws random numbers for the
whole batch and keeps its rows, normalizes by the whole batch, and takes the losses of all logits.
So each replica has the whole loss, and TensorFlow takes gradients of the sum of them all: those
at its own images are too large by the number of replicas, as are those at the weights once Keras's
optimizer has summed them up. `divide_by_replicas` makes up for it.
"""

import os
from collections.abc import Callable

import tensorflow as tf

from dcgan.errors import ArgumentError


def replicas() -> int:
    """How many replicas share the batch; 1 outside the step."""
    replica = tf.distribute.get_replica_context()
    return 1 if replica is None else replica.num_replicas_in_sync


def shard(tensor, axis: int = 0):
    """This replica's part of a tensor that all have."""
    if replicas() == 1:
        return tensor
    count = tf.shape(tensor)[axis] // replicas()
    first = tf.distribute.get_replica_context().replica_id_in_sync_group * count
    return tf.gather(tensor, tf.range(first, first + count), axis=axis)


def draw_shard(function: Callable, shape: tuple, *range, seed, axis: int = 0):
    """This replica's `shape` of what a function of `keras.random` draws for all, along an axis."""
    shape = (*shape[:axis], shape[axis] * replicas(), *shape[axis + 1 :])
    return shard(function(shape, *range, seed=seed), axis)


def all_gather(tensor):
    """The rows `(n, ...)` of all replicas, one after the other."""
    if replicas() == 1:
        return tensor
    return tf.distribute.get_replica_context().all_gather(tensor, 0)


def all_reduce_mean(tensor):
    """The mean over all replicas of a tensor that each has."""
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, tensor)


def divide_by_replicas(gradients: list) -> list:
    """Gradients of the loss at the weights, so that their sum over the replicas is the batch's."""
    if replicas() == 1:
        return gradients
    return [None if one is None else one / replicas() for one in gradients]


def list_devices() -> list[str]:
    """The GPUs, or else the processors."""
    return [device.name for device in tf.config.list_logical_devices("GPU")] or [
        device.name for device in tf.config.list_logical_devices("CPU")
    ]


def set_devices(names: list[str]) -> None:
    """Divide the batches of the models that are made from now on among these devices."""
    tf.distribute.experimental_set_strategy(tf.distribute.MirroredStrategy(names))


def device_count() -> int:
    """How many devices share each batch of a model that is made here."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def check(model) -> None:
    """Refuse what Keras cannot train with TensorFlow."""
    for variable in (model.weights[0], model.optimizer.generator.iterations):
        if device_count() != len(getattr(variable.value, "values", [None])):
            raise ArgumentError(
                "The model must be made, and compiled, inside the scope of the strategy that it is "
                "trained in: with strategy.scope(): DCGAN(...)."
            )
    if os.environ.get("TF_CONFIG"):
        raise ArgumentError(
            "TF_CONFIG is set, but Keras 3 cannot train on several machines with TensorFlow "
            "(Keras issue 20585). Unset it, or set KERAS_BACKEND=jax, which can."
        )
