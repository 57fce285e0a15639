"""Decoding image files: each one's pixels fitted to the target, or the reason why it has none."""

import logging
import os
import stat
import warnings
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from dcgan.atomic import write_atomically
from dcgan.data.scan import in_words
from dcgan.data.target import SIDEWAYS, TURNS, Target, to_eight_bits
from dcgan.errors import counted
from dcgan.images import RUN_IMAGE

# What Pillow decodes by itself, found by content. Left out are formats that start other programs
# (EPS), only know the name of the format (HDF5, MPEG) or hold drawings instead of pixels (WMF).
FORMATS = (
    "JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "QOI",
    "DIB", "ICO", "DDS", "PCX", "SGI", "TGA",
)  # fmt: skip
# The first bytes of files that a user may take for images, and why they are left out.
LEFT_OUT = {
    b"%!PS": "PostScript is left out, since reading it would run a program: save it as PNG",
    b"%PDF": "PDF is left out, since it holds pages and no single image: save them as PNG",
    b"8BPS": "Photoshop files are left out: export it as PNG",
    b"\x89HDF": "HDF5 is left out, since it holds any data: save the images as .npy",
    b"\xd7\xcd\xc6\x9a": "WMF is left out, since it holds a drawing: save it as PNG",
    b"<svg": "SVG is left out, since it holds a drawing: save it as PNG",
    b"<?xml": "XML (as SVG) is left out, since it holds a drawing at most: save it as PNG",
}
HEIF = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc")  # after the first four bytes
# Decoded at once, 256 MB inside Pillow. A larger JPEG can still be shrunk by its decoder.
MAX_PIXELS = 64_000_000
BYTES_PER_PIXEL = 26  # of memory at most, from reading an image to fitting it: WebP takes most
PROGRESSIVE_BYTES = 6  # per pixel of a progressive JPEG, however small it is decoded
NO_PERMISSION, NO_MEMORY = "no permission to read it", "not enough memory to decode it"
OWN_IMAGES_REASON = "made by a training run of this program"
ORIENTATION_TAG = 0x0112

logger = logging.getLogger("dcgan")


class Unusable(Exception):
    """This file gives no image. The message is the reason, in a few words, without its name."""


class Original(NamedTuple):
    """What a file held before it was fitted: size as shown (EXIF applied) and Pillow's mode."""

    width: int
    height: int
    mode: str
    transparent: bool


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
            (first,) = in_words(self.skipped[:1])
            line += f"; {counted(len(self.skipped), 'file')} skipped (first: {first})"
        return line

    def write_skipped(self, path: str | os.PathLike[str]) -> None:
        """Write a text file with a line `name: reason` for each file that was skipped."""
        lines = in_words(self.skipped) or ["No file was skipped."]
        write_atomically(path, "\n".join(lines) + "\n")


def decode_file(
    path: str, target: Target, memory: int | None = None
) -> tuple[np.ndarray, Original]:
    """Decode, convert and resize one file.

    Args:
        path: the file.
        target: what to make of it.
        memory: bytes that decoding it may take, or None.

    Returns:
        uint8 (height, width, channels), premultiplied where it has 4 channels, and what it was.

    Raises:
        Unusable: for whatever reason; an image file can fail in every way there is.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of files that it then reads well
        try:
            with _open_regular(path) as file:
                return _decode(file, target, memory)
        except Unusable:
            raise
        except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, anything
            raise Unusable(_reason(error)) from error


def _open_regular(path: str) -> BinaryIO:
    """Open a file, never waiting: a pipe or a device in its place is refused."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        file.close()
        raise Unusable("empty file" if stat.S_ISREG(status.st_mode) else "not a regular file")
    return file


def _decode(file: BinaryIO, target: Target, memory: int | None) -> tuple[np.ndarray, Original]:
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise Unusable(_left_out(file) or _reason(error)) from error
    (width, height), mode = image.size, image.mode
    whole = width * height * PROGRESSIVE_BYTES if image.info.get("progressive") else 0
    if image.format in ("JPEG", "MPO"):  # its decoder can leave out detail that is not needed
        gray = "L" if target.channels == 1 and mode == "RGB" else None
        enough = target.enough(width, height)
        if gray or enough != image.size:
            image.draft(gray, enough)
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise Unusable(f"{width} x {height} pixels are more than {MAX_PIXELS:,}")
    if memory is not None and pixels * BYTES_PER_PIXEL + whole > memory:
        raise Unusable(NO_MEMORY)
    image.load()  # before any metadata is read: reading it first hides a broken stream (Pillow 13)
    if RUN_IMAGE["Software"] in (image.info.get("Software"), _comment(image)):
        raise Unusable(OWN_IMAGES_REASON)
    orientation = _orientation(image)
    converted = to_eight_bits(image)
    transparent = _seen_through(converted)
    fitted = target.fit(converted, orientation)
    if orientation in SIDEWAYS:
        width, height = height, width
    return fitted, Original(width, height, mode, transparent)


def _seen_through(converted: Image.Image) -> bool:
    """Whether a pixel is transparent; many files have an alpha channel that says nothing."""
    if converted.mode != "RGBa":
        return False
    return bool(np.asarray(converted.getchannel("a")).min() < 255)


def _comment(image: Image.Image) -> str:
    """What a GIF says of itself."""
    comment = image.info.get("comment", b"")
    return comment.decode("latin-1") if isinstance(comment, bytes) else str(comment)


def _orientation(image: Image.Image) -> int:
    """How the camera was held: 1 is upright, and what most files do not bother to say."""
    if image.format == "JPEG" and "exif" not in image.info and "xmp" not in image.info:
        return 1  # worth asking first: parsing nothing takes Pillow a tenth of the whole
    orientation = image.getexif().get(ORIENTATION_TAG, 1)
    return orientation if orientation in TURNS else 1


def _left_out(file: BinaryIO) -> str | None:
    """Why a format that is known is not read; None if it is not known."""
    file.seek(0)
    start = file.read(12)
    if start[4:].startswith(HEIF):
        return "HEIC is left out, since Pillow cannot read it by itself: save it as JPEG"
    return next((reason for magic, reason in LEFT_OUT.items() if start.startswith(magic)), None)


def _reason(error: Exception) -> str:
    """A few words for the user, on one line."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image in a format that is known here"
    if isinstance(error, FileNotFoundError):
        return "vanished before it was read"
    if isinstance(error, PermissionError):
        return NO_PERMISSION
    if isinstance(error, MemoryError):
        return NO_MEMORY
    words = " ".join(str(error).split()) or type(error).__name__
    return words[:200]


def peek(path: str) -> Original | None:
    """What a file says it holds, from its header where that tells; None if it says nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with _open_regular(path) as file:
                image = Image.open(file, formats=FORMATS)
                (width, height), mode = image.size, image.mode
                transparent = image.has_transparency_data and width * height <= MAX_PIXELS
                transparent = transparent and _seen_through(to_eight_bits(image))
                if _orientation(image) in SIDEWAYS:
                    width, height = height, width
                return Original(width, height, mode, transparent)
        except Exception as error:  # Pillow raises many kinds; a full decode names the reason
            logger.debug("%s says nothing of itself: %s", path, error)
            return None
