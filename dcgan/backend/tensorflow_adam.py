"""Keras's Adam with the same state and results, in one operation per weight on TensorFlow."""

from functools import partial

import keras
import tensorflow as tf


def use_fused_update(optimizer: keras.optimizers.Optimizer) -> None:
    """Let a plain Adam update a weight at once, where Keras's needs thirteen operations."""
    if type(optimizer) is keras.optimizers.Adam and not optimizer.amsgrad:
        optimizer.update_step = partial(_update_step, optimizer)


def _update_step(adam: keras.optimizers.Adam, gradient, variable, learning_rate) -> None:
    index = adam._get_variable_index(variable)
    steps = tf.cast(_unwrap(adam.iterations) + 1, "float32")
    tf.raw_ops.ResourceApplyAdam(
        var=_unwrap(variable).handle,
        m=_unwrap(adam._momentums[index]).handle,
        v=_unwrap(adam._velocities[index]).handle,
        beta1_power=tf.pow(adam.beta_1, steps),
        beta2_power=tf.pow(adam.beta_2, steps),
        lr=learning_rate,
        beta1=adam.beta_1,
        beta2=adam.beta_2,
        epsilon=adam.epsilon,
        grad=tf.cast(gradient, "float32"),
    )


def _unwrap(variable) -> tf.Variable:
    """TensorFlow's variable in one of Keras's."""
    return variable.value if isinstance(variable, keras.Variable) else variable
