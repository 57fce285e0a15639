"""A folder of images as one array: decoded once, and read from the cache from then on."""

import hashlib
import json
import logging
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from dcgan.data import cache
from dcgan.data.decode import (
    NO_MEMORY,
    NO_PERMISSION,
    OWN_IMAGES_REASON,
    ImageSet,
    Original,
    Unusable,
    decode_file,
)
from dcgan.data.scan import ACCEPTED, FIRST_REASONS, Found, find_files, in_words
from dcgan.data.target import Target
from dcgan.data.workers import Outcome, decode_all, share_memory
from dcgan.errors import DataError, printable, ranked

RULES_VERSION = 1  # raised when the same files would become other pixels
FEW_FILES = 32  # decoded here: starting processes would take longer
MAX_IN_MEMORY = 1 << 30  # bytes, where no disk can be written
FLUSH_SECONDS = 0.5
BAR_DELAY_SECONDS = 2  # what is done sooner needs no progress bar
LINE_SECONDS = 30  # between two of its states where there is no terminal

# Names that promise an image: only of these is a failure counted as broken rather than as other.
SUFFIXES = set(
    ".jpg .jpeg .jpe .jfif .png .apng .webp .avif .avifs .gif .bmp .dib .tif .tiff .ppm .pgm .pbm "
    ".pnm .pfm .jp2 .j2k .jpx .mpo .qoi .ico .dds .pcx .sgi .rgb .rgba .tga".split()
)

log = logging.getLogger(__name__)


def decode_folder(
    folder: Path,
    target: Target,
    exclude: str | os.PathLike[str] | None = None,
    beside: str | os.PathLike[str] | None = None,
    verbose: int = 1,
) -> ImageSet:
    """The images of a folder and all below it, from the cache where they are in it.

    Raises:
        DataError: the folder cannot be read, holds no images, or more than half are broken.
    """
    scan = find_files(folder, exclude)
    key = _key(scan.files, target)
    decoded = _find_or_decode(folder, scan.files, target, key, beside, verbose)
    _check_enough(folder, scan.files, decoded)
    return replace(decoded, skipped=sorted(scan.skipped + decoded.skipped), fingerprint=key)


def _find_or_decode(
    folder: Path,
    files: list[Found],
    target: Target,
    key: str,
    beside: str | os.PathLike[str] | None,
    verbose: int,
) -> ImageSet:
    """The decoded files, from the cache or else by decoding them.

    They are kept in the user's cache, or in the folder `beside` where that cannot be written; or
    in memory, if it is little, where neither can.
    """
    roots = [cache.cache_folder()] + ([Path(beside)] if beside is not None else [])
    for root in roots:
        known = cache.load_entry(root, key)
        if known is not None:
            decoded = _from_record(*known)
            if not _mended(decoded, files, target):
                return decoded
            cache.drop_entry(root, key)
    for root in roots:
        try:
            return _decode_to_disk(folder, files, target, key, root, verbose)
        except OSError as error:
            log.warning("Decoded images cannot be kept in %s: %s", root, error)
    size = len(files) * int(np.prod(target.shape))
    if size > MAX_IN_MEMORY:
        raise DataError(
            f"There is nowhere to keep {size / 1e6:,.0f} MB of decoded images. Expected: a "
            f"folder that can be written and has room, in one of: {', '.join(map(str, roots))}. "
            f"Set the environment variable {cache.VARIABLE} to a folder that has."
        )
    return _decode_to_memory(files, target, verbose)


def _key(files: list[Found], target: Target) -> str:
    """Hexadecimal SHA-256 of all that decides the pixels: names, sizes, times and the target."""
    seen = [(found.name, found.size, found.modified) for found in files]
    content = json.dumps([RULES_VERSION, asdict(target), seen])
    return hashlib.sha256(content.encode()).hexdigest()


def _mended(decoded: ImageSet, files: list[Found], target: Target) -> bool:
    """Whether a file that was skipped for a reason that passes can be read now."""
    passing = {name for name, reason in decoded.skipped if reason in (NO_PERMISSION, NO_MEMORY)}
    tried = [found for found in files if found.name in passing]
    return any(pixels is not None for pixels, _ in _decode_here(tried, target, verbose=0))


def _decode_to_disk(
    folder: Path, files: list[Found], target: Target, key: str, root: Path, verbose: int
) -> ImageSet:
    slot_size = int(np.prod(target.shape))
    size = len(files) * slot_size
    with cache.new_entry(root, key, size) as partial:
        path = partial / cache.PIXELS
        _reserve(path, size)
        outcomes = _decode_into(path, files, target, verbose)
        _close_gaps(path, outcomes, slot_size)
        decoded = _decoded(np.empty((0, *target.shape), np.uint8), files, outcomes)
        if not decoded.names:  # nothing to keep, and nothing to map
            return decoded
        record = {
            "source": str(folder.resolve()),
            "shape": target.shape,
            "names": decoded.names,
            "originals": decoded.originals,
            "skipped": decoded.skipped,
        }
        cache.keep_entry(partial, root, key, record)
    kept = cache.load_entry(root, key)
    if kept is None:
        raise OSError("it was removed while it was made")
    return _from_record(*kept)


def _decode_into(path: Path, files: list[Found], target: Target, verbose: int) -> list[Outcome]:
    """Decode each file into its slot of the file `path`."""
    if len(files) > FEW_FILES:
        with _progress(len(files), verbose) as bar, _flushing(path):
            return decode_all([found.path for found in files], target, path, bar.update)
    outcomes = []
    with open(path, "r+b") as pixels_file:
        for slot, (pixels, outcome) in enumerate(_decode_here(files, target, verbose)):
            if pixels is not None:
                pixels_file.seek(slot * pixels.nbytes)
                pixels_file.write(pixels.tobytes())
            outcomes.append(outcome)
    return outcomes


def _decode_to_memory(files: list[Found], target: Target, verbose: int) -> ImageSet:
    made = list(_decode_here(files, target, verbose))
    images = [pixels for pixels, _ in made if pixels is not None]
    outcomes = [outcome for _, outcome in made]
    return _decoded(np.array(images, np.uint8).reshape(-1, *target.shape), files, outcomes)


def _decode_here(
    files: list[Found], target: Target, verbose: int
) -> Iterator[tuple[np.ndarray | None, Outcome]]:
    """What each file gives, decoded by this process."""
    with _progress(len(files), verbose) as bar:
        for found in files:
            try:
                yield decode_file(found.path, target, share_memory(1)[1])
            except Unusable as reason:
                yield None, str(reason)
            bar.update()


def _progress(total: int, verbose: int) -> tqdm:
    terminal = sys.stderr is not None and sys.stderr.isatty()
    return tqdm(
        total=total,
        desc="Reading images",
        unit="",
        delay=BAR_DELAY_SECONDS,
        mininterval=0.1 if terminal else LINE_SECONDS,
        disable=not verbose or sys.stderr is None,
        file=sys.stderr,
        leave=False,
    )


def _reserve(path: Path, size: int) -> None:
    """Make a file of `size` bytes, taking its room on the disk now where the system can."""
    with open(path, "wb") as file:
        if hasattr(os, "posix_fallocate") and size:
            os.posix_fallocate(file.fileno(), 0, size)
        file.truncate(size)


@contextmanager
def _flushing(path: Path) -> Iterator[None]:
    """Send what is written to the disk while the rest is decoded: no wait for it at the end."""
    done = threading.Event()

    def flush() -> None:
        with open(path, "rb+") as file:
            while not done.wait(FLUSH_SECONDS):
                os.fsync(file.fileno())

    thread = threading.Thread(target=flush, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _close_gaps(path: Path, outcomes: list[Outcome], slot_size: int) -> None:
    """Move the images together over the slots of files that gave none."""
    usable = [slot for slot, outcome in enumerate(outcomes) if isinstance(outcome, Original)]
    with open(path, "r+b") as file:
        for position, slot in enumerate(usable):
            if position != slot:
                file.seek(slot * slot_size)
                image = file.read(slot_size)
                file.seek(position * slot_size)
                file.write(image)
        file.truncate(len(usable) * slot_size)


def _decoded(pixels: np.ndarray, files: list[Found], outcomes: list[Outcome]) -> ImageSet:
    """The usable files, and why the others are not, which the log names too."""
    decoded = ImageSet(pixels, [], [], "", [])
    for found, outcome in zip(files, outcomes, strict=True):
        if isinstance(outcome, Original):
            decoded.names.append(found.name)
            decoded.originals.append(outcome)
        else:
            decoded.skipped.append((found.name, outcome))
            log.debug("Skipped %s: %s", printable(found.name), printable(outcome))
    return decoded


def _from_record(pixels: np.ndarray, record: dict[str, Any]) -> ImageSet:
    originals = [Original(*original) for original in record["originals"]]
    skipped = [(name, reason) for name, reason in record["skipped"]]
    return ImageSet(pixels, record["names"], skipped, record["key"], originals)


def _check_enough(folder: Path, files: list[Found], decoded: ImageSet) -> None:
    """Refuse a folder without images, and one that is broken for the greater part."""
    usable = len(decoded.names)
    broken = [
        (name, reason)
        for name, reason in decoded.skipped
        if Path(name).suffix.lower() in SUFFIXES and reason != OWN_IMAGES_REASON
    ]
    first = "; ".join(in_words(broken[:FIRST_REASONS]))
    if usable == 0 and not broken:
        endings = Counter(Path(found.name).suffix.lower() or "no ending" for found in files)
        seen = ", ".join(f"{printable(end)} ({n:,})" for end, n in ranked(endings)[:5])
        own = any(reason == OWN_IMAGES_REASON for _, reason in decoded.skipped)
        raise DataError(
            f"There are no images in {str(folder)!r}. Expected: {ACCEPTED}. Seen instead: {seen}"
            + (", images made by training runs among them" if own else "")
            + ". Check the path."
        )
    if len(broken) > usable:
        raise DataError(
            f"{len(broken):,} of {len(broken) + usable:,} images in {str(folder)!r} cannot be "
            "used, which is more than half. Expected: mostly whole images. The first reasons: "
            f"{first}. Repair or remove them."
        )
