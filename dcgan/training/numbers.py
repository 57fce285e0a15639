"""The losses and scores of each training step, kept on the device until somebody asks."""

import keras
import numpy as np
from keras import ops

from dcgan.backend.devices import replicas

NAMES = ("d_loss", "g_loss", "d_real", "d_fake")


class StepNumbers:
    """Means of the epoch, sums since the last line of the log, and the first broken step.

    Attributes:
        means: a Keras metric for each of d_loss, g_loss, d_real and d_fake, which Keras resets at
            each epoch; d_real and d_fake are D's mean scores, 1 for real.
        sums: float32 (5,), the number of steps and the four sums over them.
        first_broken: float32 (5,), the number of the first step at which one of the four was not
            finite, and the four; zeros where there is none.

    A model that holds it must track `sums` and `first_broken`, and list `means` in its `metrics`.
    """

    def __init__(self):
        self.means = [keras.metrics.Mean(name=name) for name in NAMES]
        shape = (1 + len(NAMES),)
        self.sums = keras.Variable(np.zeros(shape, "float32"), trainable=False, name="sums")
        self.first_broken = keras.Variable(np.zeros(shape, "float32"), trainable=False, name="bad")

    def update(self, step, d_loss, g_loss, real_logits, fake_logits):
        """Take in one step.

        Args:
            step: number of the step, a float32 scalar tensor.
            d_loss, g_loss: scalars.
            real_logits, fake_logits: float tensors `(n, 1)`.

        Returns:
            dict of the epoch's means.
        """
        scores = [ops.mean(ops.sigmoid(logits)) for logits in (real_logits, fake_logits)]
        numbers = [ops.cast(number, "float32") for number in (d_loss, g_loss, *scores)]
        # Keras adds up the numbers of all replicas
        weight = None if replicas() == 1 else 1 / replicas()
        for mean, number in zip(self.means, numbers, strict=True):
            mean.update_state(number, weight)
        self.sums.assign(self.sums.value + ops.stack([ops.ones_like(step), *numbers]))
        row, broken = ops.stack([step, *numbers]), self.first_broken.value
        is_first = ops.logical_and(broken[0] == 0, ops.any(~ops.isfinite(row)))
        self.first_broken.assign(ops.where(is_first, row, broken))
        return {mean.name: mean.result() for mean in self.means}

    def read_sums(self) -> tuple[int, dict[str, float]]:
        """The number of steps since `reset_sums`, and the means over them."""
        steps, *sums = ops.convert_to_numpy(self.sums).tolist()
        return int(steps), {n: total / max(steps, 1) for n, total in zip(NAMES, sums, strict=True)}

    def reset_sums(self) -> None:
        """Start the sums anew."""
        self.sums.assign(np.zeros(self.sums.shape, "float32"))

    def read_first_broken(self) -> tuple[int, dict[str, float]] | None:
        """The first step that was not finite, and its numbers; None where there is none."""
        step, *numbers = ops.convert_to_numpy(self.first_broken).tolist()
        return (int(step), dict(zip(NAMES, numbers, strict=True))) if step else None

    def reset(self) -> None:
        """Start everything anew, after a rollback."""
        self.reset_sums()
        self.first_broken.assign(np.zeros(self.first_broken.shape, "float32"))
        for mean in self.means:
            mean.reset_state()
