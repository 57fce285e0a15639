"""What does the built-in feature network see? Random filters that nobody trained or downloads."""

import numpy as np

SIDE = 64  # pixels: every picture is resized to this square first
SEED = 200209797
FILTERS = (24, 64, 128)  # of three 3 x 3 convolutions with stride 2; 24 = 9 * 3 colours - 3
CHUNK = 64  # pictures at a time: bounds the memory at about 100 MB
TINY = 1e-3  # keeps a flat picture's features finite


def random_features(pictures: np.ndarray) -> np.ndarray:
    """Embed pictures by a fixed random convolutional network.

    Random embeddings compare real with generated pictures without ImageNet's bias, and do better
    than trained ones on pictures unlike ImageNet's (Naeem et al. 2020, arXiv 2002.09797). Plain
    NumPy, so that they are the same under every backend, and need no download.

    Each stage is a convolution with orthogonal filters and an absolute value, divided by its own
    root mean square. The first filters sum to zero, so that brightness, which would drown the
    rest, only counts in a 4 x 4 thumbnail. Of each stage's channels the mean and the spread over
    the picture are kept (what there is), and the means of its quarters (where it is).

    Args:
        pictures: uint8 (n, H, W, 3), of any size.

    Returns:
        float32 (n, 1344).
    """
    weights = _weights()
    chunks = [pictures[start : start + CHUNK] for start in range(0, len(pictures), CHUNK)]
    return np.concatenate([_embed(chunk, weights) for chunk in chunks])


def resize(pictures: np.ndarray, side: int) -> np.ndarray:
    """Resize to squares by a triangle filter, which averages where it shrinks.

    Args:
        pictures: (n, H, W, C), any number type.
        side: of the result, in pixels.

    Returns:
        float32 (n, side, side, C), in the range of `pictures`.
    """
    rows, columns = (_triangle(length, side) for length in pictures.shape[1:3])
    by_rows = np.tensordot(pictures.astype(np.float32), columns, (2, 1))  # n, H, C, side
    return np.tensordot(by_rows, rows, (1, 1)).transpose(0, 3, 2, 1)


def _triangle(length: int, side: int) -> np.ndarray:
    """The weight of each of `length` pixels in each of `side` new ones; float32 (side, length)."""
    reach = max(length / side, 1.0)
    centres = (np.arange(side) + 0.5) * length / side
    weights = np.maximum(0, 1 - np.abs(np.arange(length) + 0.5 - centres[:, None]) / reach)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _weights() -> list[np.ndarray]:
    """Orthogonal filters of each stage, float32 (9 * channels in, channels out)."""
    bits, stages, channels = np.random.Philox(key=SEED), [], 3
    for filters in FILTERS:
        # NumPy promises the raw bits for ever, but not what its distributions make of them.
        noise = (bits.random_raw(9 * channels * filters) >> 11) * 2.0**-53 - 0.5
        noise = noise.reshape(9 * channels, filters)
        if not stages:  # no filter sees brightness: those of each colour sum to zero
            by_place = noise.reshape(9, 3, filters)
            noise = (by_place - by_place.mean(0)).reshape(noise.shape)
        basis, triangle = np.linalg.qr(noise)
        basis *= np.sign(np.diag(triangle))  # LAPACK leaves the signs open
        stages.append(basis.astype(np.float32))
        channels = filters
    return stages


def _embed(pictures: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    activations = resize(pictures, SIDE) / 127.5 - 1
    count = len(activations)
    parts = [_block_means(activations, 4).reshape(count, -1)]
    for stage in weights:
        activations = np.abs(_patches(activations) @ stage)
        size = np.sqrt(np.mean(activations**2, axis=(1, 2, 3), keepdims=True) + TINY)
        activations /= size
        parts += [activations.mean((1, 2)), activations.std((1, 2))]
        parts.append(_block_means(activations, 2).reshape(count, -1))
    return np.concatenate(parts, axis=1)


def _patches(pictures: np.ndarray) -> np.ndarray:
    """The 3 x 3 surroundings of every other pixel: (n, s, s, c) to (n, s / 2, s / 2, 9 * c)."""
    padded = np.pad(pictures, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="edge")
    side = pictures.shape[1]
    return np.concatenate(
        [padded[:, y : y + side : 2, x : x + side : 2] for y in range(3) for x in range(3)], axis=-1
    )


def _block_means(pictures: np.ndarray, blocks: int) -> np.ndarray:
    """Means over blocks x blocks equal parts: (n, s, s, c) to (n, blocks, blocks, c)."""
    count, side, _, channels = pictures.shape
    shape = (count, blocks, side // blocks, blocks, side // blocks, channels)
    return pictures.reshape(shape).mean((2, 4))
