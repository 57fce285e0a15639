"""The latent vectors of a seed, the same on every machine."""

import math

import numpy as np

from dcgan.errors import MAX_SEED, refuse, whole

MAX_IMAGES, MAX_BYTES = 10**6, 2**34  # of one call of `DCGAN.generate`


def draw_latents(count: int, size: int, seed: int = 0, first: int = 0) -> np.ndarray:
    """Draw standard normal latents; row i belongs to (seed, first + i) whatever `count` is.

    NumPy keeps Philox's raw bits in all versions, but not its normal distribution, so the normals
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


def latents_for(
    n: int | None, seed: int, latents: object, size: int, img_size: tuple[int, int, int]
) -> np.ndarray:
    """The latents that `DCGAN.generate` was asked for: those of a seed, or those given, checked.

    Args:
        n: how many; None: one, or as many as are given.
        seed: whose latents, where none are given.
        latents: finite numbers `(n, size)`, or None.
        size: length of each.
        img_size: size of the images that they become, which bounds `n`.

    Returns:
        float32 `(n, size)`.

    Raises:
        ArgumentError: an argument is out of its limits.
    """
    if latents is None:
        limit = min(MAX_IMAGES, MAX_BYTES // math.prod(img_size))
        n = whole("n", 1 if n is None else n, 0, limit)
        return draw_latents(n, size, whole("seed", seed, 0, MAX_SEED))
    try:
        array = np.asarray(latents, np.float32)
    except (TypeError, ValueError):
        array = np.empty(0, np.float32)
    good = array.ndim == 2 and array.shape[1] == size and np.isfinite(array).all()
    if not good or n not in (None, len(array)):
        wanted = "n" if n is None else n
        received = getattr(latents, "shape", latents)
        refuse("latents", f"finite numbers of shape ({wanted}, {size})", received)
    return array
