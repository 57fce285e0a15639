"""Keras's layers with the same weights and results, faster where TensorFlow runs on a processor.

A convolution relates a large map to a small one. `_shrink` gives the small one. `_enlarge`, its
gradient at the large one, is what a transposed convolution computes. `_at_kernel` is the gradient
of both at the kernel `(height, width, channels, filters)`. Maps are `(n, height, width, channels)`,
padding is "same". Without strides either map may be taken for the large one, with the kernel turned
about. The constants were measured: see benchmarks/README.md.
"""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import layers, ops

from dcgan.backend.tensorflow_devices import all_reduce_mean, draw_shard, replicas
from dcgan.backend.tensorflow_updates import move

Pair = tuple[int, int]

MAX_CHANNELS = 4  # of a map for which TensorFlow's own convolutions are slow
# Weights of a kernel, per pixel of the small map, from which matrix products give its gradient:
MIN_WEIGHTS = 600  # in bfloat16, where the strides divide the kernel
MIN_WEIGHTS_OTHERWISE = 10_000
MIN_WEIGHTS_OF_MAPS = 50_000  # the same for the maps, in float32


class Conv2D(layers.Conv2D):
    """A convolution with padding "same" and gradients of its own."""

    def convolution_op(self, inputs, kernel):
        """Convolve; Keras adds the bias."""
        strides, size = self.strides, inputs.shape[1:3]
        shape = self.compute_output_shape(inputs.shape)

        @tf.custom_gradient
        def convolve(large, kernel):
            def gradients(small):
                small = tf.ensure_shape(small, shape)  # a crop's gradient has lost it
                at_large = _enlarge(small, kernel, strides, size)
                return at_large, _at_kernel(large, small, kernel.shape, strides)

            return _shrink(large, kernel, strides), gradients

        return convolve(inputs, tf.convert_to_tensor(kernel))


class Conv2DTranspose(layers.Conv2DTranspose):
    """A transposed convolution with padding "same" and gradients of its own."""

    def call(self, inputs):
        """Enlarge the map by the strides."""
        strides, shape = self.strides, self.compute_output_shape(inputs.shape)
        size = shape[1:3]

        @tf.custom_gradient
        def convolve(small, kernel):
            def gradients(large):
                large = tf.ensure_shape(large, shape)
                at_small = _shrink(large, kernel, strides)
                return at_small, _at_kernel(large, small, kernel.shape, strides)

            return _enlarge(small, kernel, strides, size), gradients

        outputs = convolve(inputs, tf.convert_to_tensor(self.kernel))
        return ops.add(outputs, self.bias) if self.use_bias else outputs


class SynchronizedBatchNormalization(layers.BatchNormalization):
    """BatchNorm over the batch of all devices.

    Keras's own takes the variance as a difference of large sums, which loses digits.
    """

    def call(self, inputs, training=None, mask=None):
        """Normalize: by the batch's statistics in training, else by the moving ones."""
        if not training or replicas() == 1:
            return super().call(inputs, training=training, mask=mask)
        axes = list(range(len(inputs.shape) - 1))
        inputs = tf.cast(inputs, "float32")
        mean = all_reduce_mean(tf.reduce_mean(inputs, axes))
        variance = all_reduce_mean(tf.reduce_mean(tf.square(inputs - mean), axes))
        self.follow(mean, variance)
        gamma, beta = self.gamma.value, self.beta.value
        outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, self.epsilon)
        return tf.cast(outputs, self.compute_dtype)

    def follow(self, mean, variance):
        """Move the moving statistics towards the batch's, float32 `(channels,)`."""
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            move(moving, value, 1.0 - self.momentum)


class BatchNormalization(SynchronizedBatchNormalization):
    """BatchNorm of maps in one operation each way, where Keras's reads the map ten times."""

    def call(self, inputs, training=None, mask=None):
        """Normalize: by the batch's statistics in training, else by the moving ones."""
        if not training or len(inputs.shape) != 4 or replicas() > 1:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, unbiased, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
        )
        count = math.prod(ops.shape(inputs)[:3])
        self.follow(mean, unbiased * ops.cast((count - 1) / count, "float32"))
        return outputs


class Dropout(layers.Dropout):
    """A dropout that drops on several devices what it drops on one."""

    def call(self, inputs, training=False):
        """Drop a share of the activations, in training."""
        if not training or replicas() == 1:
            return super().call(inputs, training=training)
        shape = (tf.shape(inputs)[0], *inputs.shape[1:])
        factors = draw_shard(self._factors, shape, seed=self.seed_generator)
        return inputs * factors

    def _factors(self, shape, seed):
        return keras.random.dropout(tf.ones(shape, self.compute_dtype), self.rate, seed=seed)


class Cropping2D(layers.Cropping2D):
    """A crop whose gradient is a padding; Keras's is computed value by value."""

    def call(self, inputs):
        """Crop the map."""
        _, height, width, _ = self.compute_output_shape(inputs.shape)
        (top, _), (left, _) = self.cropping
        return tf.slice(inputs, (0, top, left, 0), (-1, height, width, -1))


FASTER_LAYERS = {
    layers.Conv2D: Conv2D,
    layers.Conv2DTranspose: Conv2DTranspose,
    layers.BatchNormalization: BatchNormalization,
    layers.Cropping2D: Cropping2D,
    layers.Dropout: Dropout,
}
# On a GPU TensorFlow's are fast, but a batch may be divided among several
GPU_LAYERS = {
    layers.BatchNormalization: SynchronizedBatchNormalization,
    layers.Dropout: Dropout,
}


def _shrink(large, kernel, strides: Pair):
    """The small map; a matrix product with patches where maps are small and kernels large."""
    *sides, _, filters = kernel.shape
    size = [-(-side // step) for side, step in zip(large.shape[1:3], strides, strict=True)]
    if _has_few_filters(kernel.shape, strides):
        turned = _turned(kernel)
        if _adds_little(turned, strides):
            return _enlarge(large, turned, strides, large.shape[1:3])
    if not _are_products_faster(kernel, size):
        return tf.nn.conv2d(large, kernel, strides, "SAME")
    patches = tf.image.extract_patches(large, (1, *sides, 1), (1, *strides, 1), (1,) * 4, "SAME")
    kernel = tf.reshape(kernel, (-1, filters))
    small = tf.matmul(tf.reshape(patches, (-1, kernel.shape[0])), kernel)
    return tf.reshape(small, (-1, *size, filters))


def _enlarge(small, kernel, strides: Pair, size: Pair):
    """The large map of `size`.

    TensorFlow is slow where it has few channels, or where maps are small and kernels large. There
    blocks of its pixels, as large as the strides, are what is computed.
    """
    *sides, channels, filters = kernel.shape
    products = _are_products_faster(kernel, small.shape[1:3]) or _adds_little(kernel, strides)
    if channels > MAX_CHANNELS and not products:
        shape = (ops.shape(small)[0], *size, channels)
        return tf.nn.conv2d_transpose(small, kernel, shape, strides, "SAME")
    (down, across), before = _blocks_of(sides, strides, small.shape[1:3], size)
    rows, columns = strides
    excess = ((0, down * rows - sides[0]), (0, across * columns - sides[1]))
    kernel = tf.pad(kernel, (*excess, (0, 0), (0, 0)))
    kernel = tf.reshape(kernel, (down, rows, across, columns * channels, filters))
    blocks = _blocks_by_products(small, kernel) if products else _blocks(small, kernel)
    _, height, width, _, _ = blocks.shape
    lines = tf.transpose(blocks, (0, 1, 3, 2, 4))
    large = tf.reshape(lines, (-1, height * rows, width * columns, channels))
    return tf.slice(large, (0, *before, 0), (-1, *size, -1))


def _blocks(small, kernel):
    """The large map `(n, height, width, rows, columns)` in blocks, by one convolution."""
    down, rows, across, line, filters = kernel.shape
    kernel = tf.transpose(tf.reverse(kernel, (0, 2)), (0, 2, 4, 1, 3))
    kernel = tf.reshape(kernel, (down, across, filters, rows * line))
    around = ((0, 0), (down - 1, down - 1), (across - 1, across - 1), (0, 0))
    blocks = tf.nn.conv2d(small, kernel, 1, around)
    return tf.reshape(blocks, (-1, *blocks.shape[1:3], rows, line))


def _blocks_by_products(small, kernel):
    """The same by a matrix product, which gives what each pixel adds to the blocks around it."""
    down, rows, across, line, filters = kernel.shape
    pixels, kernel = tf.reshape(small, (-1, filters)), tf.reshape(kernel, (-1, filters))
    parts = tf.matmul(pixels, kernel, transpose_b=True)
    parts = tf.reshape(parts, (-1, *small.shape[1:3], down, rows, across, line))
    return tf.add_n(
        [
            tf.pad(
                parts[:, :, :, i, :, j],
                ((0, 0), (i, down - 1 - i), (j, across - 1 - j), (0, 0), (0, 0)),
            )
            for i in range(down)
            for j in range(across)
        ]
    )


def _are_products_faster(kernel, small: Sequence[int]) -> bool:
    """Whether they are for the maps themselves, of which the small one has this size."""
    minimum = MIN_WEIGHTS_OF_MAPS * math.prod(small)
    return kernel.dtype == tf.float32 and math.prod(kernel.shape) >= minimum


def _adds_little(kernel, strides: Pair) -> bool:
    """Whether a pixel of the small map adds at most half as many numbers to the large as it has."""
    *sides, channels, filters = kernel.shape
    few = 2 * math.prod(sides) * channels <= filters
    return kernel.dtype == tf.float32 and strides == (1, 1) and few


def _has_few_filters(shape, strides: Pair) -> bool:
    """Whether a convolution to few channels, as to an image, can be taken for a transposed one."""
    *sides, channels, filters = shape
    can = strides == (1, 1) and all(side % 2 for side in sides)
    return can and filters <= MAX_CHANNELS < channels


def _turned(kernel):
    """The kernel that takes the small map for the large one, where there are no strides."""
    return tf.transpose(tf.reverse(kernel, (0, 1)), (0, 1, 3, 2))


def _at_kernel(large, small, shape, strides: Pair):
    """The gradient at the kernel of `shape`.

    TensorFlow is slow where it is large and the maps are small. There the large map is cut into
    blocks, as large as the strides, of which the kernel covers a few: a matrix product for each.
    """
    *sides, channels, filters = shape
    if _has_few_filters(shape, strides):
        return _turned(_at_kernel(small, large, (*sides, filters, channels), strides))
    _, height, width, _ = small.shape
    fits = small.dtype == tf.bfloat16 and all(
        k % s == 0 for k, s in zip(sides, strides, strict=True)
    )
    minimum = MIN_WEIGHTS if fits else MIN_WEIGHTS_OTHERWISE
    if math.prod(shape) < minimum * height * width:
        return tf.raw_ops.Conv2DBackpropFilter(
            input=large,
            filter_sizes=shape,
            out_backprop=small,
            strides=(1, *strides, 1),
            padding="SAME",
        )
    (down, across), before = _blocks_of(sides, strides, (height, width), large.shape[1:3])
    rows, columns = strides
    tall, wide = height + down - 1, width + across - 1
    ends = (tall * rows, wide * columns)
    padding = [
        (b, end - b - side) for b, end, side in zip(before, ends, large.shape[1:3], strict=True)
    ]
    large = tf.pad(large, ((0, 0), *padding, (0, 0)))
    blocks = tf.reshape(large, (-1, tall, rows, wide, columns * channels))
    blocks = tf.reshape(
        tf.transpose(blocks, (0, 1, 3, 2, 4)), (-1, tall, wide, rows * columns * channels)
    )
    pixels = tf.reshape(small, (-1, filters))
    products = [
        tf.matmul(
            tf.reshape(
                tf.slice(blocks, (0, i, j, 0), (-1, height, width, -1)), (-1, blocks.shape[3])
            ),
            pixels,
            transpose_a=True,
        )
        for i in range(down)
        for j in range(across)
    ]
    kernel = tf.reshape(tf.stack(products), (down, across, rows, columns * channels, filters))
    kernel = tf.transpose(kernel, (0, 2, 1, 3, 4))
    kernel = tf.reshape(kernel, (down * rows, across * columns, channels, filters))
    return kernel[: sides[0], : sides[1]]


def _blocks_of(sides, strides: Pair, small: Pair, large: Pair) -> tuple[list[int], list[int]]:
    """Blocks that a kernel covers, and pixels of padding before the large map, along each axis."""
    counts, before = [], []
    for side, step, few, many in zip(sides, strides, small, large, strict=True):
        counts.append(-(-side // step))
        before.append(max((few - 1) * step + side - many, 0) // 2)
    return counts, before
