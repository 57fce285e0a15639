"""How is a file written so that it is there whole or not at all?"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY_SUFFIX = (
    ".partial"  # what a killed writer leaves behind; whoever owns the folder sweeps these
)


@contextmanager
def atomic_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open `path` for writing in binary; it appears, whole and on disk, when the block ends.

    Bytes go to a temporary file beside `path`, which replaces it in one step. If the block raises,
    or the disk is full, the temporary file is removed and what stood at `path` before is untouched.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    descriptor, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=_prefix(path.name), suffix=TEMPORARY_SUFFIX
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            flush_to_disk(file)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def write_atomically(path: str | os.PathLike, content: bytes | str) -> None:
    """Write `content` (text as UTF-8) to `path`, whole or not at all. See `atomic_file`."""
    with atomic_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def sweep_leftovers(
    folder: str | os.PathLike, name: str | None = None, older_than_seconds: float = 0
) -> None:
    """Remove what killed writers left in `folder`: of the file `name`, or of any.

    In a folder where others may be writing at this moment, give an age that no write lasts.
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


def flush_folder(folder: str | os.PathLike) -> None:
    """Force a folder's own entries (new names, renames) to disk. Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prefix(name: str) -> str:
    """How the temporary names for a file begin; short, for names may have 255 bytes in all."""
    return f".{name[:40]}."


def _umask() -> int:
    """The process's file-creation mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
