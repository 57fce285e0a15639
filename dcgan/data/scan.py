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
    walk = _Walk(exclude)
    walk.known.add(_identity(os.stat(folder)))
    walk.run(os.fspath(folder))
    walk.scan.files.sort()
    walk.scan.skipped.sort()
    return walk.scan


def find_files(path: Path, exclude: str | os.PathLike[str] | None = None) -> Scan:
    """What `scan_folder` finds, which must be something.

    Raises:
        DataError: the folder cannot be read, or holds no file.
    """
    try:
        scan = scan_folder(path, exclude)
    except OSError as error:
        raise DataError(
            f"The folder {printable(str(path))!r} cannot be read: {error.strerror}. Expected: a "
            "folder of images that this user may read. Check its permissions."
        ) from error
    if scan.files:
        return scan
    seen = "; ".join(in_words(scan.skipped[:FIRST_REASONS]))
    raise DataError(
        f"The folder {printable(str(path))!r} is empty. Expected: images ({ACCEPTED}). "
        + (f"Passed over: {seen}." if seen else "Put some in, or check the path.")
    )


def in_words(skipped: list[tuple[str, str]]) -> list[str]:
    """`name: reason` of each file that gave no image, safe to print."""
    return [f"{printable(name)}: {printable(reason)}" for name, reason in skipped]


class _Walk:
    """One walk: what was found, and which real files and folders have been met."""

    def __init__(self, exclude: str | os.PathLike[str] | None):
        self.scan = Scan()
        self.known: set[tuple[int, int]] = set()
        if exclude is not None and os.path.isdir(exclude):
            self.known.add(_identity(os.stat(exclude)))

    def run(self, folder: str) -> None:
        """Take in a folder and all below it; without recursion, however deep they are nested."""
        waiting = self._visit(folder, "")
        while waiting:
            waiting += self._folder(*waiting.pop())

    def _visit(self, folder: str, prefix: str) -> list[tuple[str, str, os.stat_result]]:
        """Take in the files of one folder, before those below it: nearer names win over links.

        Returns:
            the folders in it, the last one first.
        """
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        below = []
        for entry in listed:
            if entry.name.startswith(".") or entry.name.lower() in IGNORED:
                continue
            name = prefix + entry.name
            try:
                status = entry.stat()
            except OSError as error:  # a dead link, a loop of links, gone since it was listed
                self.scan.skipped.append((name, error.strerror or "cannot be examined"))
                continue
            if stat.S_ISDIR(status.st_mode):
                below.append((entry.path, name, status))
            else:
                self._file(entry, name, status)
        return below[::-1]

    def _file(self, entry: os.DirEntry[str], name: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            self.scan.skipped.append((name, "not a regular file"))
        elif self._is_new(status, entry.path):
            found = Found(name, entry.path, status.st_size, status.st_mtime_ns)
            self.scan.files.append(found)
        else:
            self.scan.skipped.append((name, "the same file as another one (a link)"))

    def _folder(
        self, path: str, name: str, status: os.stat_result
    ) -> list[tuple[str, str, os.stat_result]]:
        if not self._is_new(status, path):
            return []
        if is_run_folder(path):
            self.scan.skipped.append((name + "/", "a run folder of this program"))
            return []
        try:
            return self._visit(path, name + "/")
        except OSError as error:
            self.scan.skipped.append((name + "/", error.strerror or "cannot be read"))
            return []

    def _is_new(self, status: os.stat_result, path: str) -> bool:
        """True the first time that a real file or folder is met, by whatever name."""
        identity = _identity(status if status.st_ino else os.stat(path))  # Windows lists no numbers
        if identity in self.known:
            return False
        self.known.add(identity)
        return True


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


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
