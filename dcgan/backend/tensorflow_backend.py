"""How are gradients taken on TensorFlow? With a tape."""

import keras
import tensorflow as tf


class BackendModel(keras.Model):
    """A Keras model that can take gradients; see the package's opening for what each call does."""

    jit_compile_default = False  # XLA's convolutions on a CPU are slower than TensorFlow's own

    def gradients(self, function, variables=(), inputs=()):
        at = [variable.value for variable in variables] + list(inputs)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(at)
            loss, results = function(*inputs)
        return loss, results, tape.gradient(loss, at)

    def pullback(self, function, variables):
        at = [variable.value for variable in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(at)
            output = function()
        return output, lambda gradient: tape.gradient(output, at, output_gradients=gradient)

    def train_step(self, data):
        return self.update(data)
