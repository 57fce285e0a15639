"""Files that are written whole or not at all."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY_SUFFIX = ".partial"  # of what a killed writer leaves behind; see `sweep_leftovers`
TRIES = 10 if os.name == "nt" else 1  # there, who reads a file keeps it from being replaced
PAUSE_SECONDS = 0.1  # between them: a virus scanner or a viewer has read a file by then


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open `path` for writing in binary; it appears, whole and on disk, when the block ends.

    Bytes go to a temporary file beside `path`, which replaces it in one step. If the block raises,
    or the disk is full, the temporary file is removed and what stood at `path` before is untouched.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    temporary = path.parent / (_prefix(path.name) + secrets.token_hex(8) + TEMPORARY_SUFFIX)
    file = open(temporary, "xb")
    try:
        with file:
            yield file
            flush_to_disk(file)
        replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def replace(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Rename a file over another in one step; on Windows, wait a moment where that is being read.

    Raises:
        OSError: it cannot be, or on Windows is still being read after a second.
    """
    for left in reversed(range(TRIES)):
        try:
            return os.replace(source, target)
        except PermissionError:
            if not left:
                raise
            time.sleep(PAUSE_SECONDS)


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write `content` (text as UTF-8) to `path`, whole or not at all. See `atomic_file`."""
    with atomic_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def sweep_leftovers(
    folder: str | os.PathLike[str], name: str | None = None, older_than_seconds: float = 0
) -> None:
    """Remove what killed writers left in a folder.

    Args:
        folder: where to look.
        name: the file that was written, or None for any.
        older_than_seconds: what is younger stays, where others may be writing at this moment.
    """
    start = _prefix(name) if name else "."
    for path in Path(folder).iterdir():
        if path.name.startswith(start) and path.name.endswith(TEMPORARY_SUFFIX):
            try:
                age = time.time() - path.stat().st_mtime
            except FileNotFoundError:  # its writer has finished meanwhile
                continue
            if age >= older_than_seconds and path.is_file():
                path.unlink(missing_ok=True)


def flush_to_disk(file: BinaryIO) -> None:
    """Force what was written to an open file out of the system's buffers."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: str | os.PathLike[str]) -> None:
    """Force a folder's own entries (new names, renames) to disk. Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prefix(name: str) -> str:
    """Beginning of a file's temporary names; short, since a name has at most 255 bytes."""
    return f".{name[:40]}."
