"""Opening a source of images (a folder, an array file, an array), and taking some of them."""

import hashlib
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dcgan.data.array_files import find_array_file, read_array_file
from dcgan.data.arrays import array_fingerprint, to_images
from dcgan.data.decode import ImageSet
from dcgan.data.folder import SUFFIXES, decode_folder
from dcgan.data.target import MAX_TARGET_SIDE, Target
from dcgan.errors import Choice, Color, DataError, ImageSize
from dcgan.options import RESIZE_RULES


class Subset:
    """Some images of an array, read without filling memory with the rest.

    Pages that are touched through a memory map count as this process's memory until the system
    takes them back, so that an epoch over 1.4 GB of pixels would look like 1.4 GB of it. Reading
    just the wanted bytes costs the same time and leaves nothing behind.

    Args:
        pixels: uint8 (count, height, width, channels), in memory or memory-mapped.
        indices: which of them; None: all.
    """

    def __init__(self, pixels: Any, indices: np.ndarray | None = None):
        self.pixels = pixels
        self.indices = np.arange(len(pixels)) if indices is None else np.asarray(indices)
        self._file = None
        if _is_whole_map(pixels) and hasattr(os, "preadv"):  # Windows has no positioned read
            self._file = open(pixels.filename, "rb", buffering=0)  # open as long as self

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Each image in turn."""
        return (self.take(np.array([position]))[0] for position in range(len(self)))

    def take(self, positions: np.ndarray) -> np.ndarray:
        """The images at these positions of the subset, as a new array (len(positions), ...)."""
        indices = self.indices[positions]
        if self._file is None:
            return np.asarray(self.pixels[indices])
        images = np.empty((len(indices), *self.pixels.shape[1:]), self.pixels.dtype)
        size = images[:1].nbytes
        for image, index in zip(images, indices.tolist(), strict=True):
            where = self.pixels.offset + index * size
            if os.preadv(self._file.fileno(), [image], where) != size:
                raise DataError(
                    f"{str(self.pixels.filename)!r} has become shorter while it was in use. "
                    "Expected: a file that does not change. Put it right and start again."
                )
        return images

    def __del__(self) -> None:
        file = getattr(self, "_file", None)
        if file is not None:
            file.close()


def open_images(
    source: str | os.PathLike[str] | np.ndarray,
    img_size: tuple[int, int, int] | int,
    *,
    resize: str = "crop",
    background: tuple[int, int, int] = (255, 255, 255),
    exclude: str | os.PathLike[str] | None = None,
    cache_beside: str | os.PathLike[str] | None = None,
    verbose: int = 1,
) -> ImageSet:
    """Make images of one size out of a folder, an array file, or an array.

    A folder is decoded once; later calls read the decoded pixels from the cache, unless a file's
    name, size or time has changed. Files that are not usable are skipped and named.

    Args:
        source: a folder of images; a `.npy`, `.npz` or idx file (gzipped or not), or a folder
            holding the MNIST idx files; or an array (count, height, width[, channels]), uint8, or
            float in [0, 1] or [-1, 1].
        img_size: (height, width, channels) of the result; 1 is gray, 3 color, 4 color and alpha.
            One whole number is the side of squares in color.
        resize: `crop` covers the size and cuts the middle out, `stretch` distorts, `pad` adds bars.
        background: red, green, blue (0-255) behind transparency and in the bars; with 4 channels
            the bars are transparent.
        exclude: a folder below `source` that is passed over: the run's own.
        cache_beside: a folder to keep the decoded pixels in where the user's cache is not writable.
        verbose: 0 shows no progress bar.

    Raises:
        ArgumentError: `img_size`, `resize` or `background` is not as described.
        DataError: there are no images in `source`, or more than half are broken.

    Examples:
        >>> open_images(np.zeros((2, 28, 28), np.uint8), (32, 32, 1)).pixels.shape
        (2, 32, 32, 1)
    """
    size = ImageSize(1, MAX_TARGET_SIDE).check("img_size", img_size)
    resize = Choice(RESIZE_RULES).check("resize", resize)
    target = Target(*size, resize, Color().check("background", background))
    if not isinstance(source, (str, os.PathLike)):
        return _from_array(_as_array(source), "array", target, None)
    path = Path(source)
    try:
        array_file = find_array_file(path)
        if array_file is None:
            _check_folder(path)
    except OSError as error:  # a folder above may not be entered, or the name is too long
        raise DataError(
            f"{str(path)[:200]!r} cannot be reached: {error.strerror}. Expected: a "
            "folder of images. Check the path and its permissions."
        ) from error
    if array_file is not None:
        return _from_array(read_array_file(array_file), array_file.name, target, array_file)
    return decode_folder(path, target, exclude, cache_beside, verbose)


def split(
    names: list[str], seed: int, share: float = 0.1, at_least: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Set aside some images that are never trained on, to tell copying from generalizing.

    `share` of the images is held out, but at least `at_least`. Where that would take more than a
    quarter of them (fewer than 80 images, by default), all are trained on and none is held out.
    An image's name decides, so that hardly one changes sides when others are added.

    Returns:
        indices to train on and indices held out, each sorted int64; together those of all `names`.
    """
    count = len(names)
    held_out = max(at_least, round(share * count))
    if held_out * 4 > count:
        return np.arange(count), np.arange(0)
    digests = [hashlib.sha256(f"{seed} {name}".encode(errors="surrogatepass")) for name in names]
    drawn = np.argsort([digest.digest() for digest in digests], kind="stable")
    return np.sort(drawn[held_out:]), np.sort(drawn[:held_out])


def _as_array(source: object) -> np.ndarray:
    """An array of whatever can be one: a tensor, a list of equal arrays."""
    if isinstance(source, Iterator):
        raise DataError(
            f"A {type(source).__name__} can be read only once. Expected: a path, an array, a "
            "tf.data.Dataset or a keras.utils.PyDataset; or a list of its images."
        )
    try:
        return np.asarray(source)
    except (ValueError, TypeError) as error:
        raise DataError(
            "These images do not form one array. Expected: a path, or an array (count, height, "
            f"width[, channels]). Received: {type(source).__name__}, which gives: {error}. Give "
            "images of equal size, or a folder."
        ) from error


def _from_array(array: np.ndarray, name: str, target: Target, file: Path | None) -> ImageSet:
    pixels, original = to_images(array, name, target)
    names = [f"image {index}" for index in range(len(pixels))]  # the same in memory and in a file
    fingerprint = array_fingerprint(array, target, file)
    return ImageSet(pixels, names, [], fingerprint, [original] * len(pixels))


def _check_folder(path: Path) -> None:
    if not path.exists():
        raise DataError(
            f"There is nothing at {str(path)!r}. Expected: a folder of images, or a "
            ".npy, .npz or idx file. Check the path."
        )
    if path.is_dir():
        return
    if path.suffix.lower() in SUFFIXES:
        raise DataError(
            f"{str(path)!r} is one file. Expected: a folder of images. Give the "
            f"folder that it lies in: {str(path.parent)!r}."
        )
    raise DataError(
        f"{str(path)!r} is a file, and not one that holds an array of images. "
        "Expected: a folder of images, or a .npy, .npz or idx file. Check the path."
    )


def _is_whole_map(pixels: Any) -> bool:
    """True for what `np.memmap` returned, not for a slice of it (whose file offset is unknown)."""
    return (
        isinstance(pixels, np.memmap)
        and isinstance(pixels.base, mmap.mmap)
        and pixels.flags.c_contiguous
        and pixels.filename is not None
    )
