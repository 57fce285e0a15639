"""The latent whose image is nearest to a given one: an image projected to those of a generator."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from PIL import Image

from dcgan.data.decode import Unusable, decode_file
from dcgan.data.image_set import open_images
from dcgan.data.target import Target
from dcgan.errors import MAX_SEED, ArgumentError, DataError, RunError, whole
from dcgan.images import (
    chunks,
    enlarged_grid,
    png_bytes,
    straight_alpha,
    to_float,
    to_pillow,
    to_uint8,
)
from dcgan.latents import draw_latents

TRIED = 512  # random latents; the nearest are the starts
MAX_STARTS, MAX_STEPS = 64, 10_000
RATE = 0.1  # of Adam in the first step, in standard deviations of a latent; it falls to 0
MOMENTA = 0.9, 0.999  # of Adam (Kingma and Ba 2015)


@dataclass(frozen=True)
class Projection:
    """The image of a generator that is nearest to a given one; displays itself in a notebook.

    Attributes:
        latent: float32 `(input_size,)`, no longer than random ones are.
        target: uint8 `(H, W, C)`: the given image, fitted as images are for training.
        nearest: uint8 `(H, W, C)`: the nearest of 512 random images, from which the search began.
        image: uint8 `(H, W, C)`: the image of `latent`.
        error: root mean square difference of `image` from `target`, in levels of 255; colors
            count times alpha.
        random_errors: float32 `(512,)`: the same for each of the random images.
    """

    latent: np.ndarray
    target: np.ndarray
    nearest: np.ndarray
    image: np.ndarray
    error: float
    random_errors: np.ndarray

    def comparison(self) -> Image.Image:
        """`target`, `nearest` and `image` side by side, as a Pillow image."""
        return to_pillow(self._row())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the latent to a `.npy` file, which `gan.walk` and `dcgan walk` take as a seed."""
        try:
            with open(path, "wb") as file:
                np.save(file, self.latent)
        except OSError as error:
            raise RunError(f"{str(path)!r} cannot be written: {error}") from error

    def _repr_png_(self) -> bytes:
        return png_bytes(self._row())

    def _row(self) -> np.ndarray:
        return enlarged_grid(np.stack([self.target, self.nearest, self.image]), 3)


def project_image(
    generator: Any,
    discriminator: Any,
    gradients: Callable,
    target: np.ndarray,
    *,
    starts: int = 8,
    steps: int = 200,
    seed: int = 0,
    report: Callable[[int], object] = lambda steps: None,
) -> Projection:
    """Search the latents for the one whose image is nearest, by Adam from several starts.

    Half of the distance is that of pixels, half that of the discriminator's features at each of
    its stages, each measured by what it is for random images.

    Args:
        generator: float32 latents `(n, input_size)` to images `(n, H, W, C)` in [-1, 1].
        discriminator: the model whose features count; None: pixels alone.
        gradients: takes gradients; see `dcgan.backend`.
        target: uint8 `(H, W, C)`, premultiplied if it has 4 channels.
        starts: from how many latents to search.
        steps: of Adam, from each.
        seed: of the random latents.
        report: called with the number of steps made since the last call.

    Raises:
        ArgumentError: a number is out of its limits, or the networks give none that is finite.
    """
    starts, steps = whole("starts", starts, 1, MAX_STARTS), whole("steps", steps, 1, MAX_STEPS)
    random = draw_latents(TRIED, generator.input_shape[1], whole("seed", seed, 0, MAX_SEED))
    views = _views(discriminator)
    wanted = views(ops.convert_to_tensor(to_float(target[None])))

    def squares(latents: Any) -> Any:
        """Mean squared differences `(n, views)`, the first that of pixels in [-1, 1]."""
        found = views(generator(latents, training=False))
        pairs = zip(found, wanted, strict=True)
        return ops.stack([_mean(ops.square(one - other)) for one, other in pairs], axis=1)

    parts = [ops.convert_to_numpy(squares(random[chunk])) for chunk in chunks(TRIED, target.shape)]
    by_chance = np.concatenate(parts)
    if not np.isfinite(by_chance).all():
        raise ArgumentError("The model's images or features are not finite. Use another model.")
    weights = np.full(len(wanted), 0.5 / max(1, len(wanted) - 1), np.float32)
    weights[0] = 0.5
    weights /= np.maximum(by_chance.mean(0), 1e-12)

    def loss(latents: Any) -> tuple[Any, Any]:
        found = squares(latents)
        distances = ops.sum(found * ops.convert_to_tensor(weights), axis=1)
        return ops.sum(distances), (distances, found[:, 0])

    def measure(latents: np.ndarray) -> tuple[np.ndarray, ...]:
        """Distances, squares of pixels, and gradients of the distances."""
        _, (distances, pixels), _, (gradient,) = gradients(
            loss, (), [ops.convert_to_tensor(latents)]
        )
        return tuple(map(ops.convert_to_numpy, (distances, pixels, gradient)))

    nearest = random[np.argsort(by_chance @ weights)[:starts]]
    latent, error = _descend(measure, nearest, steps, report)
    images = to_uint8(ops.convert_to_numpy(generator(np.stack([nearest[0], latent]))))
    fitted, before, after = straight_alpha(np.concatenate([target[None], images]))
    random_errors = 127.5 * np.sqrt(by_chance[:, 0])
    return Projection(latent, fitted, before, after, error, random_errors)


def fitted_image(image: object, target: Target) -> np.ndarray:
    """One image as images are for training.

    Args:
        image: the path of an image file, or an array `(height, width[, channels])`, uint8 or
            float in [0, 1] or [-1, 1].
        target: size and way of fitting.

    Returns:
        uint8 `(H, W, C)`, premultiplied if it has 4 channels.

    Raises:
        DataError: it is no image.
    """
    if not isinstance(image, str | os.PathLike):
        rule, behind = target.resize, target.background
        images = np.asarray(image)[None]
        return open_images(images, target.shape, resize=rule, background=behind).pixels[0]
    if not os.path.exists(image):
        raise DataError(f"There is no image {os.fspath(image)!r}.")
    try:
        return decode_file(os.fspath(image), target)[0]
    except Unusable as error:
        raise DataError(
            f"{os.fspath(image)!r} cannot be used as an image: {error}. Choose another."
        ) from error


def _views(discriminator: Any) -> Callable[[Any], list[Any]]:
    """A function from images to float32 tensors: the images, and their features at each stage."""
    if discriminator is None:
        return lambda images: [images]
    stages = [layer for layer in discriminator.layers if layer.name.endswith("_relu")]
    features = keras.Model(discriminator.input, [layer.output for layer in stages])
    return lambda images: [
        images, *(ops.cast(each, "float32") for each in features(images, training=False))
    ]  # fmt: skip


def _mean(values: Any) -> Any:
    """The mean of each row of a tensor `(n, ...)`."""
    return ops.mean(values, axis=tuple(range(1, len(values.shape))))


def _descend(
    measure: Callable, latents: np.ndarray, steps: int, report: Callable[[int], object]
) -> tuple[np.ndarray, float]:
    """The latent of the shortest distance that Adam finds, and the error of its image.

    A latent that has become longer than random ones usually are is shortened.
    """
    length = np.sqrt(np.float32(latents.shape[1]))
    mean, square, shortest = np.zeros_like(latents), np.zeros_like(latents), np.inf
    for step in range(steps + 1):
        distances, pixels, gradient = measure(latents)
        place = int(distances.argmin())
        if distances[place] < shortest:
            shortest, best = distances[place], latents[place]
            error = 127.5 * float(np.sqrt(pixels[place]))
        mean += (1 - MOMENTA[0]) * (gradient - mean)
        square += (1 - MOMENTA[1]) * (gradient**2 - square)
        rate = RATE * (1 + np.cos(np.pi * step / steps)) / 2
        unbiased = [1 - momentum ** (step + 1) for momentum in MOMENTA]
        move = mean / unbiased[0] / (np.sqrt(square / unbiased[1]) + 1e-8)
        latents = latents - np.float32(rate) * move
        norms = np.linalg.norm(latents, axis=1, keepdims=True)
        latents = (latents * np.minimum(1, length / norms)).astype(np.float32)
        report(1)
    return best, error
