"""The built-in feature network: random filters, neither trained nor downloaded."""

from functools import cache
from typing import Any

import numpy as np
from keras import ops

from dcgan.images import thumbnails

SIDE = 64  # pixels: every image is resized to this square first
SEED = 200209797
FILTERS = (24, 64, 128)  # of three 3 x 3 convolutions with stride 2; 24 = 9 * 3 colors - 3
TINY = 1e-3  # keeps a flat image's features finite


def random_features(images: np.ndarray) -> np.ndarray:
    """Embed images by a fixed random convolutional network.

    Random embeddings compare real with generated images without ImageNet's bias, and do better
    than trained ones on images unlike ImageNet's (Naeem et al. 2020, arXiv 2002.09797). The
    weights come from NumPy's Philox bits, so that nothing is downloaded and the features are the
    same under every backend (to float32 rounding).

    Each stage is a convolution with orthogonal filters and an absolute value, divided by its own
    root mean square. The first filters sum to zero, so that brightness, which would drown the
    rest, only counts in a 4 x 4 thumbnail. Of each stage's channels the mean and the spread over
    the image are kept (what there is), and the means of its quarters (where it is).

    Args:
        images: uint8 (n, H, W, 3), of any size; `features` hands over a few at a time.

    Returns:
        float32 (n, 1344).
    """
    activations = ops.cast(thumbnails(images, SIDE), "float32") / 127.5 - 1
    parts = [_block_means(activations, 4)]
    for stage in _weights():
        activations = ops.conv(
            activations, stage, strides=2, padding="same", data_format="channels_last"
        )
        activations = ops.abs(activations)
        power = ops.mean(activations**2, axis=(1, 2, 3), keepdims=True)
        activations = activations / ops.sqrt(power + TINY)
        parts += [ops.mean(activations, axis=(1, 2)), ops.std(activations, axis=(1, 2))]
        parts.append(_block_means(activations, 2))
    return ops.convert_to_numpy(ops.concatenate(parts, axis=1))


@cache
def _weights() -> list[np.ndarray]:
    """Orthogonal filters of each stage, float32 (3, 3, channels in, channels out)."""
    bits, channels = np.random.Philox(key=SEED), 3
    stages: list[np.ndarray] = []
    for filters in FILTERS:
        # NumPy keeps the raw bits in all versions, but not what its distributions make of them.
        noise = (bits.random_raw(9 * channels * filters) >> 11) * 2.0**-53 - 0.5
        noise = noise.reshape(9 * channels, filters)
        if not stages:  # no filter sees brightness: those of each color sum to zero
            by_place = noise.reshape(9, 3, filters)
            noise = (by_place - by_place.mean(0)).reshape(noise.shape)
        basis, triangle = np.linalg.qr(noise)
        basis *= np.sign(np.diag(triangle))  # LAPACK leaves the signs open
        stages.append(basis.astype(np.float32).reshape(3, 3, channels, filters))
        channels = filters
    return stages


def _block_means(images: Any, blocks: int) -> Any:
    """Means over blocks x blocks equal parts: (n, s, s, c) to (n, blocks * blocks * c)."""
    count, side, _, channels = images.shape
    split = (count, blocks, side // blocks, blocks, side // blocks, channels)
    return ops.reshape(ops.mean(ops.reshape(images, split), axis=(2, 4)), (count, -1))
