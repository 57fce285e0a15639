"""Which latent vector belongs to a seed? The same one on every machine, for ever."""

import numpy as np


def draw_latents(count: int, size: int, seed: int = 0, first: int = 0) -> np.ndarray:
    """Draw standard normal latents; row i belongs to (seed, first + i) whatever `count` is.

    NumPy promises Philox's raw bits for ever, but not its normal distribution, so the normals
    are made here (Box and Muller 1958).

    Args:
        count: how many, at least 0.
        size: length of each.
        seed: non-negative int below 2**128.
        first: number of the first row.

    Returns:
        float32 `(count, size)`.
    """
    width = 2 * -(-size // 4) * 2  # raw 64-bit numbers in a row; Philox gives them in fours
    bits = np.random.Philox(key=seed)
    bits.advance(first * width // 4)
    uniform = (bits.random_raw(count * width).reshape(count, 2, width // 2) >> 11) * 2.0**-53
    radius = np.sqrt(-2 * np.log1p(-uniform[:, 0]))
    angle = 2 * np.pi * uniform[:, 1]
    normal = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return normal[:, :size].astype(np.float32)
