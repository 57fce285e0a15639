"""Arrays of images: value ranges, alpha, grids and PNG files."""

import io
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from dcgan.atomic import write_atomically

RUN_IMAGE = {"Software": "dcgan run"}  # marks a sheet of a run, which is never training data
MAX_CHUNK = 64  # images: more are hardly faster
MAX_CHUNK_FLOATS = 2**24  # in the images of one chunk; 64 MiB
GAP = 2  # pixels between the images of a grid
MIN_TILE = 128  # pixels of the longer side of an image in a grid; smaller ones are enlarged


def to_float(images):
    """Turn images from 0 to 255 into floats in [-1, 1]; NumPy's become float32."""
    if isinstance(images, np.ndarray):
        images = images.astype(np.float32)
    return images / 127.5 - 1


def to_uint8(images) -> np.ndarray:
    """Turn float images in [-1, 1] into uint8 ones, rounded, values outside clipped."""
    return np.clip(np.rint((np.asarray(images, np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)


def to_pillow(image: np.ndarray) -> Image.Image:
    """A uint8 image `(H, W, C)`, C of 1, 3 or 4, as a Pillow image."""
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def evenly(count: int, most: int) -> np.ndarray:
    """Indices of at most `most` of `count`, evenly spread: a folder's start is not typical."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Lay uint8 images `(n, H, W, C)` out in rows on white.

    Unless `columns` says how many, the sheet is near square, and its last row full where a number
    of columns near that one allows it.

    Returns:
        One uint8 image `(height, width, C)`.
    """
    count, height, width, channels = images.shape
    if columns is None:
        square = math.ceil(math.sqrt(count * height / width))
        near = range(max(1, math.ceil(square * 0.7)), math.ceil(square * 1.5) + 1)
        full = [number for number in near if count % number == 0]
        columns = min(full, key=lambda number: abs(number - square), default=square)
    columns = min(count, columns)
    rows = math.ceil(count / columns)
    sheet = np.full(
        (rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels), 255, np.uint8
    )
    for number, image in enumerate(images):
        top = GAP + number // columns * (height + GAP)
        left = GAP + number % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = image
    return sheet


def enlargement(height: int, width: int) -> int:
    """Whole factor by which an image of that size is enlarged in a grid that users look at."""
    return math.ceil(MIN_TILE / max(height, width))


def enlarged_grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """The same as `grid`, with images below 128 pixels enlarged by a whole factor."""
    factor = enlargement(*images.shape[1:3])
    return grid(images.repeat(factor, 1).repeat(factor, 2), columns)


def shrink(image: np.ndarray, longest: int) -> np.ndarray:
    """Make a uint8 image `(H, W, C)` smaller, if a side of it is longer than `longest` pixels."""
    height, width, channels = image.shape
    if max(height, width) <= longest:
        return image
    small = to_pillow(image)
    small.thumbnail((longest, longest))
    return np.asarray(small).reshape(small.height, small.width, channels)


def png_bytes(image: np.ndarray, text: Mapping[str, str] | None = None) -> bytes:
    """Encode a uint8 image `(H, W, C)`, C of 1, 3 or 4, as PNG with `text` fields inside."""
    information = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        information.add_text(key, value)
    buffer = io.BytesIO()
    to_pillow(image).save(buffer, "png", pnginfo=information)
    return buffer.getvalue()


def save_png(path: str | Path, image: np.ndarray, text: Mapping[str, str] | None = None) -> None:
    """Write a uint8 image `(H, W, C)` to `path`, whole or not at all; see `png_bytes`."""
    write_atomically(path, png_bytes(image, text))


def chunks(count: int, shape: tuple[int, ...]) -> list[slice]:
    """Consecutive slices that together are `range(count)`, for arrays of that shape per image."""
    size = max(1, min(MAX_CHUNK, MAX_CHUNK_FLOATS // math.prod(shape)))
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]


def premultiply(images: np.ndarray) -> np.ndarray:
    """Straight to premultiplied: uint8 (..., 4) to uint8 (..., 4), colors times alpha / 255."""
    alpha = images[..., 3:].astype(np.uint16)
    colors = (images[..., :3] * alpha + 127) // 255
    return np.concatenate([colors.astype(np.uint8), images[..., 3:]], axis=-1)


def unpremultiply(images: np.ndarray) -> np.ndarray:
    """Premultiplied to straight: uint8 (..., 4) to uint8 (..., 4).

    Where nothing is to be seen (alpha 0) the color is black. A color brighter than its alpha,
    which only a network can make, becomes the brightest there is.
    """
    alpha = images[..., 3:].astype(np.uint16)
    colors = (images[..., :3] * np.uint16(255) + alpha // 2) // np.maximum(alpha, 1)
    colors = np.where(alpha > 0, np.minimum(colors, 255), 0)
    return np.concatenate([colors.astype(np.uint8), images[..., 3:]], axis=-1)


def thumbnails(images: np.ndarray, side: int) -> np.ndarray:
    """Resize to squares, averaging where they shrink (Pillow's bilinear filter).

    Args:
        images: uint8 (n, H, W, C), C of 1, 3 or 4.
        side: of the result, in pixels.

    Returns:
        uint8 (n, side, side, C); of 4 channels the colors are multiplied by alpha, so that what
        cannot be seen counts for nothing.
    """
    resized = np.empty((len(images), side, side, images.shape[3]), np.uint8)
    for into, image in zip(resized, images, strict=True):
        full = to_pillow(image)
        smaller = full.resize((side, side), Image.Resampling.BILINEAR)
        into[...] = np.asarray(smaller).reshape(into.shape)
    return premultiply(resized) if resized.shape[-1] == 4 else resized


def straight_alpha(images: np.ndarray) -> np.ndarray:
    """uint8 images `(n, H, W, C)` as they are shown: unpremultiplied where they have 4 channels."""
    return unpremultiply(images) if images.shape[-1] == 4 else images
