"""Keras's layers with the same weights and results, faster in training with PyTorch.

Only the masks that dropout draws are others.
"""

import torch
from keras import layers, random
from torch.nn import functional

from dcgan.backend.torch_devices import draw_shard


def move(variable, target, share) -> None:
    """Move a variable towards a tensor of its shape by a share of the way, in one operation."""
    if variable.value.is_floating_point():
        variable.value.lerp_(target, share)
    else:  # a counter in a layer of a user's
        variable.assign(variable.value + share * (target - variable.value))


class Conv2D(layers.Conv2D):
    """A convolution with padding "same" of the map as it is, where Keras copies it twice."""

    def call(self, inputs):
        """Shrink the map by the strides."""
        sides = zip(inputs.shape[1:3], self.kernel_size, self.strides, strict=True)
        missing = [max((-(-n // step) - 1) * step + kernel - n, 0) for n, kernel, step in sides]
        maps = inputs.permute(0, 3, 1, 2)  # a view: the memory is as PyTorch's channels_last
        if any(pixels % 2 for pixels in missing):  # one more below or on the right
            maps = functional.pad(maps, (0, missing[1] % 2, 0, missing[0] % 2))
        kernel, bias = _weights(self)
        padding = [pixels // 2 for pixels in missing]
        return functional.conv2d(maps, kernel, bias, self.strides, padding).permute(0, 2, 3, 1)


class Conv2DTranspose(layers.Conv2DTranspose):
    """A transposed convolution with padding "same" of the map as it is, which Keras copies."""

    def call(self, inputs):
        """Enlarge the map by the strides."""
        excess = [side - step for side, step in zip(self.kernel_size, self.strides, strict=True)]
        if any(pixels < 0 or pixels % 2 for pixels in excess):  # not cut alike on both sides
            return super().call(inputs)
        maps, padding = inputs.permute(0, 3, 1, 2), [pixels // 2 for pixels in excess]
        kernel, bias = _weights(self)
        maps = functional.conv_transpose2d(maps, kernel, bias, self.strides, padding)
        return maps.permute(0, 2, 3, 1)


def _weights(layer):
    """The kernel as PyTorch has it, and the bias or None."""
    bias = layer.bias.value if layer.use_bias else None
    return layer.kernel.value.permute(3, 2, 0, 1), bias


class BatchNormalization(layers.BatchNormalization):
    """BatchNorm of maps in one operation each way, where Keras's reads the map ten times."""

    def call(self, inputs, training=None, mask=None):
        """Normalize: by the batch's statistics in training, else by the moving ones."""
        if not training or len(inputs.shape) != 4 or inputs.device.type == "meta":
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, inverse = torch.native_batch_norm(
            inputs.permute(0, 3, 1, 2),
            self.gamma.value,
            self.beta.value,
            None,
            None,
            True,
            0.0,
            self.epsilon,
        )
        variance = inverse.detach() ** -2 - self.epsilon
        for moving, value in ((self.moving_mean, mean.detach()), (self.moving_variance, variance)):
            move(moving, value, 1.0 - self.momentum)
        return outputs.permute(0, 2, 3, 1)


class Dropout(layers.Dropout):
    """Dropout whose mask is drawn anew where a recording repeats the step."""

    def call(self, inputs, training=False):
        """Drop a share of the activations in training."""
        if not training or inputs.device.type == "meta":
            return super().call(inputs, training=training)
        drawn = draw_shard(random.uniform, tuple(inputs.shape), seed=self.seed_generator)
        return (inputs / (1 - self.rate)).masked_fill(drawn < self.rate, 0)


FASTER_LAYERS: dict = {layers.Dropout: Dropout}
if not torch.backends.mps.is_available():  # which reads such views of maps and kernels wrongly
    FASTER_LAYERS |= {
        layers.Conv2D: Conv2D,
        layers.Conv2DTranspose: Conv2DTranspose,
        layers.BatchNormalization: BatchNormalization,
    }
