"""How is a small folder stretched? By showing the discriminator every image shifted and tinted.

Both players see augmented images only, and gradients pass through, so the generator learns the
images and not the augmentation (DiffAugment: Zhao et al. 2020, arXiv 2006.10738, section 3).
"""

import numpy as np
from keras import ops, random

from dcgan.images import chunks, to_uint8

# Strengths at 1.0, those of Zhao et al. 2020, appendix. Their cutout is left out: the boxes are
# what leaks into samples first.
BRIGHTNESS = 0.5  # added, where the whole range is 2
CONTRAST = 0.5  # times 1 +- this
SATURATION = 1.0  # times 1 +- this
TRANSLATION = 0.125  # of the side

FEW, MANY = 5_000, 50_000  # images: full strength up to the first, none from the second
RAMP_PASSES = 200  # over the images, until full strength: nothing is learnt by heart at once


def strength_for(count: int) -> float:
    """How strongly to augment a set of `count` images, in [0, 1]: the fewer, the more."""
    return min(1.0, max(0.0, (MANY - count) / (MANY - FEW)))


def augment(images, strength: float, seed):
    """Change each image at random: brightness, saturation, contrast, translation.

    Args:
        images: float tensor `(n, H, W, C)` in [-1, 1], premultiplied if C is 4; alpha is shifted
            as the colors are, and not changed otherwise.
        strength: in [0, 1], a number or a scalar tensor; 0 leaves them as they are.
        seed: a `keras.random.SeedGenerator`.

    Returns:
        A tensor of the same shape; color changes may leave [-1, 1].
    """
    count, height, width, channels = ops.shape(images)
    uniform = random.uniform((5, count, 1, 1, 1), -1, 1, seed=seed)
    alpha = (images[..., 3:] + 1) / 2 if channels == 4 else ops.ones_like(images[:, :1, :1, :1])
    colors = images[..., :3] + 1  # premultiplied: of what cannot be seen there is nothing
    colors = colors + strength * BRIGHTNESS * uniform[0] * alpha
    if channels >= 3:
        gray = ops.mean(colors, axis=-1, keepdims=True)
        colors = gray + (colors - gray) * (1 + strength * SATURATION * uniform[1])
    visible = ops.maximum(ops.mean(alpha, axis=(1, 2, 3), keepdims=True), 1e-3)
    mean = ops.mean(colors, axis=(1, 2, 3), keepdims=True) / visible * alpha
    colors = mean + (colors - mean) * (1 + strength * CONTRAST * uniform[2]) - 1
    images = ops.concatenate([colors, images[..., 3:]], -1) if channels == 4 else colors
    images = _shift(images, 1, height, strength * TRANSLATION * uniform[3])
    return _shift(images, 2, width, strength * TRANSLATION * uniform[4])


def augmented_copies(images: np.ndarray, strength: float, seed: int = 0) -> np.ndarray:
    """What the discriminator would see of uint8 images `(n, H, W, C)`; uint8, clipped."""
    generator, copies = random.SeedGenerator(seed), np.empty_like(images)
    for chunk in chunks(len(images), images.shape[1:]):
        floats = ops.convert_to_tensor(images[chunk].astype(np.float32) / 127.5 - 1)
        copies[chunk] = to_uint8(ops.convert_to_numpy(augment(floats, strength, generator)))
    return copies


def _shift(images, axis: int, side: int, shares):
    """Move each image along one axis by its share of the side; its edge is repeated.

    (Gray bars in its place, as Zhao et al. have them, were learnt by the generator.) A product with
    one shifted identity matrix per image: quick, and its gradient is as well.
    """
    offsets = ops.round(ops.reshape(shares, (-1, 1, 1)) * side)
    places = ops.arange(side, dtype="float32")
    sources = ops.clip(places[None, :, None] - offsets, 0, side - 1)
    matrix = ops.cast(sources == places[None, None, :], images.dtype)
    pattern = "nij,njwc->niwc" if axis == 1 else "nij,nhjc->nhic"
    return ops.einsum(pattern, matrix, images)
