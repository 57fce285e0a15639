"""Arrays, in memory or in a .npy, .npz or idx file, as images."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from dcgan.data.decode import Original
from dcgan.data.target import Target, to_eight_bits
from dcgan.errors import DataError
from dcgan.images import premultiply, to_pillow

CHUNK = 256  # images converted at once
MAX_BYTES = 4 << 30  # of pixels made from an array: they are made in memory
DOUBTFUL = -0.5  # an array in [-1, 1] reaches below this; one that only just dips under 0 is odd


def to_images(array: np.ndarray, name: str, target: Target) -> tuple[np.ndarray, Original]:
    """Convert (count, height, width[, channels]) to uint8 (count, *target.shape).

    An array that is already as wanted is used as it is, without a copy.

    Raises:
        DataError: the array's shape, type or values are not those of images.
    """
    array = _with_channels(array, name)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[array.shape[3]]
    original = Original(array.shape[2], array.shape[1], mode, mode == "RGBA")
    same = array.shape[1:] == target.shape
    if same and array.dtype == np.uint8 and mode != "RGBA":
        return array, original
    size = len(array) * int(np.prod(target.shape))
    if size > MAX_BYTES:
        raise DataError(
            f"{name} would become {size / 1e9:.1f} GB of pixels in memory. Expected: at most "
            f"{MAX_BYTES / 1e9:.1f} GB. Save it as uint8 {target.shape} images in a .npy file, "
            "which is read piece by piece, or choose a smaller img_size."
        )
    scale = _scale_of(array, name)
    pixels = np.empty((len(array), *target.shape), np.uint8)
    for start in range(0, len(array), CHUNK):
        chunk = scale(array[start : start + CHUNK])
        if not same:
            chunk = np.stack([target.fit(to_eight_bits(to_pillow(image))) for image in chunk])
        elif mode == "RGBA":
            chunk = premultiply(chunk)
        pixels[start : start + CHUNK] = chunk
    return pixels, original


def array_fingerprint(array: np.ndarray, target: Target, file: Path | None) -> str:
    """Hexadecimal SHA-256 of what decides the pixels: a file's size and time, or all the values."""
    settings = json.dumps([asdict(target), array.shape, str(array.dtype)])
    digest = hashlib.sha256(settings.encode())
    if file is not None:
        status = os.stat(file)
        digest.update(
            f"{file.name} {status.st_size} {status.st_mtime_ns}".encode("utf-8", "replace")
        )
        return digest.hexdigest()
    for start in range(0, len(array), CHUNK):
        digest.update(np.ascontiguousarray(array[start : start + CHUNK]).data)
    return digest.hexdigest()


def _with_channels(array: np.ndarray, name: str) -> np.ndarray:
    """A view shaped (count, height, width, channels)."""
    shape = array.shape
    if array.size and len(shape) == 3:
        return array[..., None]
    if array.size and len(shape) == 4 and shape[3] in (1, 3, 4):
        return array
    first = len(shape) == 4 and shape[1] in (1, 3, 4)
    raise DataError(
        f"{name} does not have the shape of images. Expected: (count, height, width) or (count, "
        f"height, width, channels) with 1, 3 or 4 channels. Received: shape {shape}. "
        + ("Its channels come first: use array.transpose(0, 2, 3, 1)." if first else "Reshape it.")
    )


def _scale_of(array: np.ndarray, name: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function that takes a piece of `array` to uint8, by a rule that leaves no doubt."""
    kind = array.dtype.newbyteorder("=")
    if kind == np.uint8:
        return lambda piece: piece
    if kind == np.uint16 and array.max() > 255:
        return lambda piece: ((piece.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind.kind == "b":
        return lambda piece: piece.astype(np.uint8) * np.uint8(255)
    low, high = _extremes(array, name)
    if kind.kind in "iu" and low >= 0 and high <= 255:
        return lambda piece: piece.astype(np.uint8)
    if kind.kind == "f" and low >= 0 and high <= 1:
        return lambda piece: (piece.astype(np.float32) * 255 + 0.5).astype(np.uint8)
    if kind.kind == "f" and -1 <= low <= DOUBTFUL and high <= 1:
        return lambda piece: ((piece.astype(np.float32) + 1) * 127.5 + 0.5).astype(np.uint8)
    raise DataError(
        f"It is not clear what the numbers of {name} mean. Expected: uint8; uint16; whole numbers "
        f"in 0..255; float in [0, 1]; or float in [-1, 1] reaching below {DOUBTFUL}. Received: "
        f"{kind} from {low:g} to {high:g}. Convert it to uint8."
    )


def _extremes(array: np.ndarray, name: str) -> tuple[float, float]:
    """Smallest and largest value, piece by piece; refused if they are not numbers."""
    if array.dtype.kind not in "iuf":
        raise DataError(
            f"{name} does not hold images. Expected: an array of uint8, or of float in [0, 1] or "
            f"[-1, 1]. Received: {array.dtype}. Convert it to uint8."
        )
    pieces = [array[start : start + CHUNK] for start in range(0, len(array), CHUNK)]
    low, high = min(float(p.min()) for p in pieces), max(float(p.max()) for p in pieces)
    if not np.isfinite([low, high]).all():
        raise DataError(
            f"{name} holds values that are not numbers (NaN or infinite). Expected: pixels. "
            "Remove the images that hold them."
        )
    return low, high
