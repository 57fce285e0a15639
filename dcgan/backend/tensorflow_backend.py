"""Gradients on TensorFlow: with a tape."""

import itertools
import os
import warnings

import keras
import tensorflow as tf

from dcgan.backend import tensorflow_layers
from dcgan.backend.tensorflow_devices import divide_by_replicas
from dcgan.backend.tensorflow_updates import move, use_fused_update

__all__ = ["FASTER_LAYERS", "BackendModel", "move"]


def warn_of_slow_convolutions(enabled=None) -> None:
    """Warn where TensorFlow was imported before this package and runs slow convolutions.

    Args:
        enabled: whether oneDNN convolutions are on; None asks TensorFlow.
    """
    if enabled is None:
        try:  # TensorFlow has no public way to ask
            from tensorflow.python.util import _pywrap_util_port as port
        except ImportError:
            return
        enabled = port.IsMklEnabled() or not port.IsX86Available()
    wanted = os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0"
    gpus = tf.config.list_physical_devices("GPU")  # looks for a driver now, while held back
    if wanted and not enabled and not gpus:
        warnings.warn(
            "TensorFlow was imported before dcgan, without its faster convolutions: training can "
            "take twice as long. Import dcgan first, or set TF_ENABLE_ONEDNN_OPTS=1.",
            stacklevel=2,
        )


warn_of_slow_convolutions()

_ON_GPU = bool(tf.config.list_physical_devices("GPU"))
# What `fit` tells TensorFlow's optimizer of graphs; on a GPU its layouts of maps may be faster
_OPTIMIZER_SWITCH = ("remapping", False) if _ON_GPU else ("disable_meta_optimizer", True)
FASTER_LAYERS: dict = tensorflow_layers.GPU_LAYERS if _ON_GPU else tensorflow_layers.FASTER_LAYERS


def accelerators() -> int:
    """How many GPUs or TPUs there are."""
    return sum(device.device_type != "CPU" for device in tf.config.list_physical_devices())


def multiplies_bfloat16() -> bool | None:
    """Whether the GPU multiplies bfloat16 (NVIDIA: from Ampere on); None where there is none."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    return details.get("compute_capability", (0, 0)) >= (8, 0)


class BackendModel(keras.Model):
    """A Keras model that takes gradients; `dcgan.backend` says what each method does."""

    jit_compile_default = False  # XLA's convolutions on a CPU are slower than TensorFlow's own

    def compile(self, optimizer, **options):
        """Compile as Keras does, with a pair of optimizers whose steps are faster."""
        use_fused_update(optimizer.generator)
        use_fused_update(optimizer.discriminator)
        super().compile(optimizer, **options)

    def fit(self, *arguments, **options):
        """Train as Keras does, on a processor without TensorFlow's optimizer of graphs.

        It takes a third of the time that the first step takes to prepare, and the step is not
        faster by it. On a GPU, its fusion of operations alone is left out.
        """
        switch, value = _OPTIMIZER_SWITCH
        before = tf.config.optimizer.get_experimental_options().get(switch, not value)
        tf.config.optimizer.set_experimental_options({switch: value})
        try:
            return super().fit(*arguments, **options)
        finally:
            tf.config.optimizer.set_experimental_options({switch: before})

    def gradients(self, function, variables=(), inputs=()):
        at = [variable.value for variable in variables] + list(inputs)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(at)
            loss, results = function(*inputs)
        found = tape.gradient(loss, at)
        return loss, results, divide_by_replicas(found[: len(variables)]), found[len(variables) :]

    def pullback(self, function, variables):
        at = [variable.value for variable in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(at)
            output = function()

        def pull_back(gradient):
            return divide_by_replicas(tape.gradient(output, at, output_gradients=gradient))

        return output, pull_back

    def train_step(self, data):
        return self.update(data)

    def stream(self, batches):
        # Keras would leave their size open, so that every step would compute shapes
        first = batches[0]

        def generate():
            return (batches[index] for index in itertools.count())

        spec = tf.TensorSpec(first.shape, first.dtype)
        dataset = tf.data.Dataset.from_generator(generate, output_signature=spec).prefetch(2)
        options = tf.data.Options()
        options.autotune.enabled = False  # nothing to tune, and its thread delays the end
        return dataset.with_options(options)

    def scope(self):
        return self.distribute_strategy.scope()

    def predict_here(self, network, inputs):
        # In a strategy's scope Keras gives the outputs of each replica, which are the same
        return network.predict_on_batch(inputs)[: len(inputs)]
