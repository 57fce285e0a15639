"""Updates of weights in one operation each on TensorFlow: Adam's, and those of running averages."""

from functools import partial

import keras
import tensorflow as tf

from dcgan.backend.tensorflow_devices import replicas


def use_fused_update(optimizer: keras.optimizers.Optimizer) -> None:
    """Let a plain Adam, with Keras's state and results, not need thirteen operations per weight."""
    if type(optimizer) is keras.optimizers.Adam and not optimizer.amsgrad:
        optimizer._backend_update_step = partial(_update, optimizer)
        optimizer.update_step = partial(_update_step, optimizer)


def _update(adam: keras.optimizers.Adam, gradients, variables, learning_rate) -> None:
    """Update all weights; what they share is computed once."""
    steps = tf.cast(_unwrap(adam.iterations) + 1, "float32")
    shared = {
        "beta1_power": tf.pow(adam.beta_1, steps),
        "beta2_power": tf.pow(adam.beta_2, steps),
        "lr": tf.convert_to_tensor(learning_rate),
        "beta1": tf.constant(adam.beta_1),
        "beta2": tf.constant(adam.beta_2),
        "epsilon": tf.constant(adam.epsilon),
    }
    keras.optimizers.Optimizer._backend_update_step(adam, gradients, variables, shared)


def _update_step(adam: keras.optimizers.Adam, gradient, variable, shared) -> None:
    index = adam._get_variable_index(variable)
    tf.raw_ops.ResourceApplyAdam(
        var=_unwrap(variable).handle,
        m=_unwrap(adam._momentums[index]).handle,
        v=_unwrap(adam._velocities[index]).handle,
        grad=tf.cast(gradient, "float32"),
        **shared,
    )


def move(variable: keras.Variable, target, share) -> None:
    """Move a variable towards a tensor of its shape by a share of the way."""
    value = variable.value
    if replicas() > 1 or variable.dtype != "float32":
        now = value if variable.dtype == "float32" else tf.cast(value, "float32")
        variable.assign(tf.cast(now + share * (tf.cast(target, "float32") - now), variable.dtype))
    else:
        tf.raw_ops.ResourceApplyGradientDescent(
            var=value.handle, alpha=tf.cast(share, "float32"), delta=value - target
        )


def _unwrap(variable) -> tf.Variable:
    """TensorFlow's variable in one of Keras's."""
    return variable.value if isinstance(variable, keras.Variable) else variable
