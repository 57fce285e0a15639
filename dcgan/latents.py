"""The latent vectors of a seed, the same on every machine."""

import math
import os

import numpy as np

from dcgan.errors import MAX_SEED, ArgumentError, real, refuse, whole

MAX_IMAGES, MAX_BYTES = 10**6, 2**34  # of one call of `DCGAN.generate`
MAX_BEST_OF = 100


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


def slerp(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """The latent at a share of the arc from one to another.

    Normal latents lie near a sphere, and a straight line would leave it (White 2016,
    arXiv 1609.04468, section 2.1).

    Args:
        first, second: latents `(size,)`.
        share: 0 gives the first, exactly; 1 the second.

    Returns:
        float32 `(size,)`.
    """
    norms = max(float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-12)
    angle = max(float(np.arccos(np.clip(first @ second / norms, -1, 1))), 1e-6)  # equal latents
    weights = np.sin((1 - share) * angle), np.sin(share * angle)
    return ((weights[0] * first + weights[1] * second) / np.sin(angle)).astype(np.float32)


def turn(latent: np.ndarray, direction: np.ndarray, distance: float) -> np.ndarray:
    """A latent turned towards a direction by a share of a right angle; its length stays.

    Args:
        latent, direction: `(size,)`.
        distance: from 0, which gives the latent itself, to 1.

    Returns:
        float32 `(size,)`.
    """
    across = direction - latent * (direction @ latent) / max(float(latent @ latent), 1e-12)
    across *= np.linalg.norm(latent) / max(float(np.linalg.norm(across)), 1e-12)
    angle = distance * np.pi / 2
    return (np.cos(angle) * latent + np.sin(angle) * across).astype(np.float32)


def latents_for(
    n: int | None,
    seed: int,
    latents: object,
    truncation: float,
    best_of: int,
    size: int,
    img_size: tuple[int, int, int],
) -> np.ndarray:
    """The latents that `DCGAN.generate` was asked for: those of a seed, or those given, checked.

    Args:
        n: how many images; None: one, or as many as there are latents for.
        seed: whose latents, where none are given.
        latents: finite numbers `(n * best_of, size)`, or None.
        truncation: factor of the latents, in [0, 1].
        best_of: latents for each image.
        size: length of each.
        img_size: size of the images that they become, which bounds `n`.

    Returns:
        float32 `(n * best_of, size)`.

    Raises:
        ArgumentError: an argument is out of its limits.
    """
    truncation = real("truncation", truncation, 0, 1)
    best_of = whole("best_of", best_of, 1, MAX_BEST_OF)
    if latents is None:
        limit = min(MAX_IMAGES // best_of, MAX_BYTES // math.prod(img_size))
        n = whole("n", 1 if n is None else n, 0, limit)
        drawn = draw_latents(n * best_of, size, whole("seed", seed, 0, MAX_SEED))
        return drawn if truncation == 1 else drawn * np.float32(truncation)
    try:
        array = np.asarray(latents, np.float32)
    except (TypeError, ValueError):
        array = np.empty(0, np.float32)
    good = array.ndim == 2 and array.shape[1] == size and np.isfinite(array).all()
    if not good or len(array) % best_of or n not in (None, len(array) // best_of):
        wanted = n * best_of if n is not None else "n" if best_of == 1 else f"n * {best_of}"
        received = getattr(latents, "shape", latents)
        refuse("latents", f"finite numbers of shape ({wanted}, {size})", received)
    return array if truncation == 1 else array * np.float32(truncation)


def read_latent(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in a `.npy` file that a projection has written; its shape is not checked.

    Raises:
        ArgumentError: it is no such file.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a broken header can raise anything
        raise ArgumentError(
            f"{str(path)!r} is no latent in a .npy file, as `project` writes them: {error}"
        ) from error
