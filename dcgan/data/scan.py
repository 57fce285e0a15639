"""Finding the files of a folder that may be images, without opening one."""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dcgan.errors import DataError, printable

IGNORED = {"thumbs.db", "desktop.ini", "__macosx"}
RUN_OPTIONS, RUN_FORMAT = "options.json", "dcgan-run"  # how a run folder of this program is known
ACCEPTED = "jpg, png, webp, avif, gif, bmp, tiff and other common formats, in any sub-folder"
FIRST_REASONS = 5
MAX_OPTIONS_BYTES = 1 << 20  # bytes; a larger options.json is none of ours


class Found(NamedTuple):
    """A regular file: its name below the folder, and what tells whether it has changed."""

    name: str
    path: str
    size: int
    modified: int  # nanoseconds


@dataclass
class Scan:
    """What a walk came across, sorted by name."""

    files: list[Found] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)  # (name, reason)


def scan_folder(
    folder: str | os.PathLike[str], exclude: str | os.PathLike[str] | None = None
) -> Scan:
    """Walk `folder` and all below it, following links; each real folder and file counts once.

    Hidden files and what systems leave in folders (`Thumbs.db`) are ignored quietly. Passed over
    and named are run folders of this program, the folder `exclude`, pipes, devices, dead links.

    Raises:
        OSError: `folder` itself cannot be read.
    """
    scan, known = Scan(), set[tuple[int, int]]()
    _meet(os.stat(folder), known)
    if exclude is not None and os.path.isdir(exclude):
        _meet(os.stat(exclude), known)
    waiting = [(os.fspath(folder), "")]
    while waiting:  # no recursion, however deep they are nested
        path, prefix = waiting.pop()
        try:
            if prefix and not _meet(os.stat(path), known):
                continue
            if prefix and is_run_folder(path):
                scan.skipped.append((prefix, "a run folder of this program"))
                continue
            with os.scandir(path) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise
            scan.skipped.append((prefix, error.strerror or "cannot be read"))
            continue
        below = []  # after the files here, since nearer names win over links
        for entry in listed:
            if entry.name.startswith(".") or entry.name.lower() in IGNORED:
                continue
            name = prefix + entry.name
            try:
                status = entry.stat()
                status = status if status.st_ino else os.stat(entry.path)  # Windows has no numbers
            except OSError as error:  # a dead link, a loop of links, gone since it was listed
                scan.skipped.append((name, error.strerror or "cannot be examined"))
                continue
            if stat.S_ISDIR(status.st_mode):
                below.append((entry.path, name + "/"))
            elif not stat.S_ISREG(status.st_mode):
                scan.skipped.append((name, "not a regular file"))
            elif _meet(status, known):
                scan.files.append(Found(name, entry.path, status.st_size, status.st_mtime_ns))
            else:
                scan.skipped.append((name, "the same file as another one (a link)"))
        waiting += reversed(below)
    scan.files.sort()
    scan.skipped.sort()
    return scan


def find_files(path: Path, exclude: str | os.PathLike[str] | None = None) -> Scan:
    """What `scan_folder` finds, which must be something.

    Raises:
        DataError: the folder cannot be read, or holds no file.
    """
    try:
        scan = scan_folder(path, exclude)
    except OSError as error:
        raise DataError(
            f"The folder {str(path)!r} cannot be read: {error.strerror}. Expected: a "
            "folder of images that this user may read. Check its permissions."
        ) from error
    if scan.files:
        return scan
    seen = "; ".join(in_words(scan.skipped[:FIRST_REASONS]))
    raise DataError(
        f"The folder {str(path)!r} {'holds no images' if seen else 'is empty'}. Expected: images "
        f"({ACCEPTED}). " + (f"Passed over: {seen}." if seen else "Put some in, or check the path.")
    )


def in_words(skipped: list[tuple[str, str]]) -> list[str]:
    """`name: reason` of each file that gave no image, safe to print."""
    return [f"{printable(name)}: {printable(reason)}" for name, reason in skipped]


def is_run_folder(folder: str | os.PathLike[str]) -> bool:
    """Does `folder` hold the options that a training run of this program writes?"""
    options = Path(folder, RUN_OPTIONS)
    try:
        status = options.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_OPTIONS_BYTES:
            return False
        content = json.loads(options.read_bytes())
    except (OSError, ValueError, RecursionError):  # not there, or not ours
        return False
    return isinstance(content, dict) and content.get("format") == RUN_FORMAT


def _meet(status: os.stat_result, known: set[tuple[int, int]]) -> bool:
    """Note a real file or folder, by whatever name it is met; returns whether it is new."""
    identity = (status.st_dev, status.st_ino)
    is_new = identity not in known
    known.add(identity)
    return is_new
