"""Random augmentation of real and generated images in front of the discriminator.

Both networks are trained through it and gradients pass, so that the generator learns the images and
not the augmentation (DiffAugment: Zhao et al. 2020, arXiv 2006.10738, section 3).
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops, random

from dcgan.images import chunks, to_float, to_uint8

# Ranges at strength 1.0, those of Zhao et al. 2020, appendix. Their cutout is left out, since its
# boxes are the first thing to appear in samples.
BRIGHTNESS = 0.5  # added, where the whole range is 2
CONTRAST = 0.5  # times 1 +- this
SATURATION = 1.0  # times 1 +- this
TRANSLATION = 0.125  # of the side

FEW, MANY = 5_000, 50_000  # images: full strength up to the first, none from the second

RAMP_PASSES = 200  # over the images, until full strength: memorization takes time


def strength_for(count: int) -> float:
    """Augmentation strength in [0, 1] that is proposed for `count` images: the fewer, the more."""
    return min(1.0, max(0.0, (MANY - count) / (MANY - FEW)))


def draw_here(function: Callable, shape: tuple, *range, seed, axis: int = 0):
    """What a function of `keras.random` draws."""
    return function(shape, *range, seed=seed)


def augment(images, strength: float, seed, draw: Callable = draw_here):
    """Change each image at random: brightness, saturation, contrast, translation.

    Args:
        images: float tensor `(n, H, W, C)` in [-1, 1], premultiplied if C is 4; alpha is
            translated with the colors and not changed otherwise.
        strength: number or scalar tensor in [0, 1]; 0 leaves the images as they are.
        seed: a `keras.random.SeedGenerator`.
        draw: as `draw_here`, where `axis` counts the images, of which other devices have others.

    Returns:
        A tensor of the same shape; color changes may leave [-1, 1].
    """
    count, _, _, channels = ops.shape(images)
    uniform = draw(random.uniform, (5, count, 1, 1, 1), -1, 1, seed=seed, axis=1)
    brightness, saturation, contrast, down, across = ops.unstack(uniform)
    brightness, colors = strength * BRIGHTNESS * brightness, images + 1
    if channels == 4:
        colors, alpha = colors[..., :3], colors[..., 3:] / 2
        brightness = brightness * alpha  # premultiplied: 0 where nothing is visible
    colors = colors + brightness
    if channels >= 3:
        gray = ops.mean(colors, axis=-1, keepdims=True)
        colors = gray + (colors - gray) * (1 + strength * SATURATION * saturation)
    mean = ops.mean(colors, axis=(1, 2, 3), keepdims=True)
    if channels == 4:
        visible = ops.maximum(ops.mean(alpha, axis=(1, 2, 3), keepdims=True), 1e-3)
        mean = mean / visible * alpha
    colors = mean + (colors - mean) * (1 + strength * CONTRAST * contrast) - 1
    images = ops.concatenate([colors, images[..., 3:]], -1) if channels == 4 else colors
    translation = strength * TRANSLATION
    return _translate(images, translation * down, translation * across)


class Augmentation(keras.layers.Layer):
    """Augmentation whose strength rises with the images seen.

    Strength and ramp are variables, so that a compiled step stays when they change, unless the
    change is from or to 0: with strength 0 the step contains no augmentation at all.

    Args:
        strength: in [0, 1], the most that is used.
        ramp_images: images until it is reached.

    Attributes:
        share: float32 scalar, the share of the strength in use.
    """

    def __init__(self, strength: float = 0.0, ramp_images: float = 1.0):
        super().__init__(name="augmentation", trainable=False, dtype="float32")
        self.strength = self.add_weight((), initializer="zeros", name="strength")
        self.ramp_images = self.add_weight((), initializer="ones", name="ramp_images")
        self.share = self.add_weight((), initializer="zeros", name="share")
        self.active = False
        self.set(strength, ramp_images)
        self.built = True

    def set(self, strength: float, ramp_images: float) -> bool:
        """Set both; returns whether a compiled step does not fit any more."""
        was_active, self.active = self.active, strength > 0
        self.strength.assign(strength)
        self.ramp_images.assign(ramp_images)
        return was_active != self.active

    def call(self, images, seed, draw=draw_here):
        """Augment float images `(n, H, W, C)` as strongly as is due; see `augment`."""
        if not self.active:
            return images
        return augment(images, self.strength * self.share, seed, draw)

    def advance(self, count):
        """Raise the strength for `count` more images."""
        if self.active:
            count = ops.cast(count, "float32")
            self.share.assign(ops.minimum(1.0, self.share + count / self.ramp_images))


def augmented_copies(images: np.ndarray, strength: float, seed: int = 0) -> np.ndarray:
    """Augmented copies, uint8 and clipped, of uint8 images `(n, H, W, C)`."""
    generator, copies = random.SeedGenerator(seed), np.empty_like(images)
    for chunk in chunks(len(images), images.shape[1:]):
        floats = ops.convert_to_tensor(to_float(images[chunk]))
        copies[chunk] = to_uint8(ops.convert_to_numpy(augment(floats, strength, generator)))
    return copies


def _translate(images, down, across):
    """Translate each image by shares `(n, 1, 1, 1)` of its height and width; its edge is repeated.

    The generator learned gray bars in place of the edge, which Zhao et al. use.
    """
    count, height, width, channels = ops.shape(images)
    rows, columns = _sources(down, height), _sources(across, width)
    images_before = ops.reshape(ops.arange(count, dtype="int32"), (-1, 1, 1))
    rows = images_before * height + ops.expand_dims(rows, 2)
    places = rows * width + ops.expand_dims(columns, 1)
    return ops.take(ops.reshape(images, (-1, channels)), places, axis=0)


def _sources(shares, side: int):
    """For each image `(n, side)` the places along an axis from which its pixels come, int32."""
    offsets = ops.round(ops.reshape(shares, (-1, 1)) * side)
    # Not from NumPy, whose array would be copied to the device in every step
    places = ops.arange(side, dtype="float32") - offsets
    return ops.cast(ops.clip(places, 0, side - 1), "int32")
