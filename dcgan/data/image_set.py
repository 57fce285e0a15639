"""Opening a source of images (a folder, an array file, an array) as one array of pixels."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dcgan.atomic import write_atomically
from dcgan.data.array_files import find_array_file, read_array_file
from dcgan.data.arrays import array_fingerprint, to_images
from dcgan.data.decode import OWN_IMAGES_REASON, Original
from dcgan.data.folder import decode_folder, folder_key
from dcgan.data.scan import Found, Scan, scan_folder
from dcgan.data.target import MAX_TARGET_SIDE, Target
from dcgan.errors import Color, DataError, ImageSize, counted, printable, ranked

# Names that promise an image: only of these is a failure counted as broken rather than as other.
SUFFIXES = set(
    ".jpg .jpeg .jpe .jfif .png .apng .webp .avif .avifs .gif .bmp .dib .tif .tiff .ppm .pgm .pbm "
    ".pnm .pfm .jp2 .j2k .jpx .mpo .qoi .ico .dds .pcx .sgi .rgb .rgba .tga".split()
)
ACCEPTED = "jpg, png, webp, avif, gif, bmp, tiff and other common formats, in any sub-folder"
FIRST_REASONS = 5


@dataclass
class ImageSet:
    """Images ready for training, and what became of the rest.

    Args:
        pixels: uint8 (count, height, width, channels), in memory or memory-mapped and read-only;
            premultiplied where it has 4 channels.
        names: of each image, below its folder, in the same order.
        skipped: (name, reason) of each file that gave no image.
        fingerprint: hexadecimal SHA-256 of all that decides the pixels.
        originals: size, mode and transparency of each image before it was fitted.
    """

    pixels: np.ndarray
    names: list[str]
    skipped: list[tuple[str, str]]
    fingerprint: str
    originals: list[Original] = field(repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def summary(self) -> str:
        """One line: how many images, of which size, how many files were skipped."""
        height, width, channels = self.pixels.shape[1:]
        line = f"{counted(len(self), 'image')} as {height} x {width} x {channels}"
        if self.skipped:
            (first,) = _in_words(self.skipped[:1])
            line += f"; {counted(len(self.skipped), 'file')} skipped (first: {first})"
        return line

    def write_skipped(self, path: str | os.PathLike[str]) -> None:
        """Write a text file with a line `name: reason` for each file that was skipped."""
        lines = _in_words(self.skipped) or ["No file was skipped."]
        write_atomically(path, "\n".join(lines) + "\n")


def open_images(
    source: str | os.PathLike[str] | np.ndarray,
    img_size: tuple[int, int, int],
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
            f"{printable(str(path))[:200]!r} cannot be reached: {error.strerror}. Expected: a "
            "folder of images. Check the path and its permissions."
        ) from error
    if array_file is not None:
        return _from_array(read_array_file(array_file), array_file.name, target, array_file)
    return _from_folder(path, _scan(path, exclude), target, cache_beside, verbose)


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


def _from_folder(
    folder: Path, scan: Scan, target: Target, beside: str | os.PathLike[str] | None, verbose: int
) -> ImageSet:
    key = folder_key(scan.files, target)
    decoded = decode_folder(folder, scan.files, target, key, beside, verbose)
    _check_enough(folder, scan.files, len(decoded.names), decoded.skipped)
    skipped = sorted(scan.skipped + decoded.skipped)
    return ImageSet(decoded.pixels, decoded.names, skipped, key, decoded.originals)


def _check_folder(path: Path) -> None:
    if not path.exists():
        raise DataError(
            f"There is nothing at {printable(str(path))!r}. Expected: a folder of images, or a "
            ".npy, .npz or idx file. Check the path."
        )
    if path.is_dir():
        return
    if path.suffix.lower() in SUFFIXES:
        raise DataError(
            f"{printable(str(path))!r} is one file. Expected: a folder of images. Give the "
            f"folder that it lies in: {printable(str(path.parent))!r}."
        )
    raise DataError(
        f"{printable(str(path))!r} is a file, and not one that holds an array of images. "
        "Expected: a folder of images, or a .npy, .npz or idx file. Check the path."
    )


def _scan(path: Path, exclude: str | os.PathLike[str] | None) -> Scan:
    try:
        scan = scan_folder(path, exclude)
    except OSError as error:
        raise DataError(
            f"The folder {printable(str(path))!r} cannot be read: {error.strerror}. Expected: a "
            "folder of images that this user may read. Check its permissions."
        ) from error
    if scan.files:
        return scan
    seen = "; ".join(_in_words(scan.skipped[:FIRST_REASONS]))
    raise DataError(
        f"The folder {printable(str(path))!r} is empty. Expected: images ({ACCEPTED}). "
        + (f"Passed over: {seen}." if seen else "Put some in, or check the path.")
    )


def _check_enough(
    folder: Path, files: list[Found], usable: int, skipped: list[tuple[str, str]]
) -> None:
    """Refuse a folder without images, and one that is broken for the greater part."""
    broken = [
        (name, reason)
        for name, reason in skipped
        if Path(name).suffix.lower() in SUFFIXES and reason != OWN_IMAGES_REASON
    ]
    first = "; ".join(_in_words(broken[:FIRST_REASONS]))
    where = printable(str(folder))
    if usable == 0 and not broken:
        endings = Counter(Path(found.name).suffix.lower() or "no ending" for found in files)
        seen = ", ".join(f"{printable(end)} ({n:,})" for end, n in ranked(endings)[:5])
        own = any(reason == OWN_IMAGES_REASON for _, reason in skipped)
        raise DataError(
            f"There are no images in {where!r}. Expected: {ACCEPTED}. Seen instead: {seen}"
            + (", images made by training runs among them" if own else "")
            + ". Check the path."
        )
    if len(broken) > usable:
        raise DataError(
            f"{len(broken):,} of {len(broken) + usable:,} images in {where!r} cannot be used, "
            "which is more than half. Expected: mostly whole images. The first reasons: "
            f"{first}. Repair or remove them."
        )


def _in_words(skipped: list[tuple[str, str]]) -> list[str]:
    """`name: reason` of each file that gave no image, safe to print."""
    return [f"{printable(name)}: {printable(reason)}" for name, reason in skipped]
