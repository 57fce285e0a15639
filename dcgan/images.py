"""How do arrays become pictures to look at? Grids, and PNG files that say what made them."""

import io
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from dcgan.atomic import write_atomically

RUN_PICTURE = {"Software": "dcgan run"}  # marks a sheet of a run, which is never training data
GAP = 2  # pixels between the pictures of a grid


def to_uint8(pictures) -> np.ndarray:
    """Turn float pictures in [-1, 1] into uint8 ones, rounded, values outside clipped."""
    return np.clip(np.rint((np.asarray(pictures, np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)


def grid(pictures: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Lay uint8 pictures `(n, H, W, C)` out in rows on white; near square unless `columns` says.

    Returns:
        One uint8 picture `(height, width, C)`.
    """
    count, height, width, channels = pictures.shape
    columns = min(count, columns or math.ceil(math.sqrt(count * height / width)))
    rows = math.ceil(count / columns)
    sheet = np.full(
        (rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels), 255, np.uint8
    )
    for number, picture in enumerate(pictures):
        top = GAP + number // columns * (height + GAP)
        left = GAP + number % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def shrink(picture: np.ndarray, longest: int) -> np.ndarray:
    """Make a uint8 picture `(H, W, C)` smaller, if a side of it is longer than `longest` pixels."""
    height, width, channels = picture.shape
    if max(height, width) <= longest:
        return picture
    small = Image.fromarray(picture[..., 0] if channels == 1 else picture)
    small.thumbnail((longest, longest))
    return np.asarray(small).reshape(small.height, small.width, channels)


def png_bytes(picture: np.ndarray, text: Mapping[str, str] | None = None) -> bytes:
    """Encode a uint8 picture `(H, W, C)`, C of 1, 3 or 4, as PNG with `text` fields inside."""
    information = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        information.add_text(key, value)
    if picture.shape[-1] == 1:
        picture = picture[..., 0]
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png", pnginfo=information)
    return buffer.getvalue()


def save_png(path: str | Path, picture: np.ndarray, text: Mapping[str, str] | None = None) -> None:
    """Write a uint8 picture `(H, W, C)` to `path`, whole or not at all; see `png_bytes`."""
    write_atomically(path, png_bytes(picture, text))
