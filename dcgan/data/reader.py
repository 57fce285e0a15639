"""Reading a few images out of a large file without filling memory with the rest."""

import mmap
import os
from typing import Any

import numpy as np

from dcgan.errors import DataError


class ImageReader:
    """Takes images by index out of an array, or out of the file behind a memory-mapped one.

    Pages that are touched through a memory map count as this process's memory until the system
    takes them back, so that an epoch over 1.4 GB of pixels would look like 1.4 GB of it. Reading
    just the wanted bytes costs the same time and leaves nothing behind.
    """

    def __init__(self, pixels: Any):  # an array, or a memory map with a file name and an offset
        self._pixels = pixels
        self._file = None
        if _is_whole_map(pixels) and hasattr(os, "preadv"):  # Windows has no positioned read
            self._file = open(self._pixels.filename, "rb", buffering=0)  # open as long as self

    def take(self, indices: np.ndarray) -> np.ndarray:
        """The images at `indices`, as a new array (len(indices), ...)."""
        if self._file is None:
            return np.asarray(self._pixels[indices])
        images = np.empty((len(indices), *self._pixels.shape[1:]), self._pixels.dtype)
        size = images[:1].nbytes
        for image, index in zip(images, indices.tolist(), strict=True):
            where = self._pixels.offset + index * size
            if os.preadv(self._file.fileno(), [image], where) != size:
                raise DataError(
                    f"{str(self._pixels.filename)!r} has become shorter while it was in use. "
                    "Expected: a file that does not change. Put it right and start again."
                )
        return images

    def __del__(self) -> None:
        file = getattr(self, "_file", None)
        if file is not None:
            file.close()


def _is_whole_map(pixels: Any) -> bool:
    """True for what `np.memmap` returned, not for a slice of it (whose file offset is unknown)."""
    return (
        isinstance(pixels, np.memmap)
        and isinstance(pixels.base, mmap.mmap)
        and pixels.flags.c_contiguous
        and pixels.filename is not None
    )
