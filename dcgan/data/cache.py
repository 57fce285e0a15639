"""The user's cache folder: decoded images, an entry per dataset, and steps compiled by JAX."""

import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from dcgan.atomic import TEMPORARY_SUFFIX, flush_folder, write_atomically

VARIABLE = "DCGAN_CACHE"  # overrides where the cache is
ENTRIES, PIXELS, RECORD = "images", "pixels.raw", "images.json"
COMPILED = "compiled"
CPU_INFO = Path("/proc/cpuinfo")
KEY = re.compile(r"[0-9a-f]{64}")
LEFTOVER_SECONDS = 3600  # a decode that has written nothing for so long is dead
IN_MEMORY_BYTES = 64 << 20  # smaller sets are simply read
CHECKED_BYTES = 8 << 20  # read at a time for the checksum


def cache_folder() -> Path:
    """The folder of the cache: `$DCGAN_CACHE`, or `dcgan` in the user's cache folder."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).expanduser()
    return platformdirs.user_cache_path("dcgan", appauthor=False)


def compiled_folder() -> Path | None:
    """The folder of steps compiled for this kind of machine; None where others could write into it.

    JAX runs what it finds there, also on a processor without the instructions that are used in it.
    """
    try:
        lines = CPU_INFO.read_text().splitlines()
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:  # no Linux
        flags = platform.processor()
    machine = hashlib.sha256(f"{platform.machine()} {flags}".encode()).hexdigest()[:16]
    root = cache_folder()
    places = root, root / COMPILED, root / COMPILED / machine
    try:
        for place in places:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = [place.stat() for place in places]
    except OSError:
        return None
    owned = os.name == "nt" or all(fact.st_uid == os.getuid() for fact in facts)
    return places[-1] if owned and not any(fact.st_mode & 0o002 for fact in facts) else None


def compiled_size() -> int:
    """Bytes of compiled steps in the cache."""
    files = (cache_folder() / COMPILED).rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def cache_entries() -> list[tuple[str, int, int]]:
    """Of each whole entry, the folder that it came from, the number of images, and bytes."""
    entries = []
    for folder in _folders(cache_folder()):
        record = _read_record(folder)
        if record is not None and (folder / PIXELS).is_file():
            size = (folder / PIXELS).stat().st_size
            entries.append((record["source"], len(record["names"]), size))
    return entries


def clear_cache() -> int:
    """Delete all entries, leftovers and compiled steps, and nothing else; returns bytes freed.

    A run that is reading its images is not disturbed: the system keeps files that are open, and
    Windows does not delete them.
    """
    before = compiled_size()
    shutil.rmtree(cache_folder() / COMPILED, ignore_errors=True)
    freed = before - compiled_size()
    for folder in _folders(cache_folder(), leftovers=True):
        size = sum(file.stat().st_size for file in folder.iterdir())
        shutil.rmtree(folder, ignore_errors=os.name == "nt")
        freed += 0 if folder.exists() else size
    return freed


def load_entry(root: Path, key: str) -> tuple[np.ndarray, dict[str, Any]] | None:
    """The pixels and the record of entry `key`; None if there is none, or its bytes have changed.

    Pixels are uint8 (count, height, width, channels): memory-mapped where large, else read.
    """
    folder = root / ENTRIES / key
    record = _read_record(folder)
    if record is None or record["key"] != key:
        return None
    shape = (len(record["names"]), *record["shape"])
    path = folder / PIXELS
    if not path.is_file() or path.stat().st_size != int(np.prod(shape)):
        return None
    if _checksum(path) != record["checksum"]:
        return None
    if path.stat().st_size <= IN_MEMORY_BYTES:
        return np.fromfile(path, np.uint8).reshape(shape), record
    return np.memmap(path, np.uint8, "r", shape=shape), record


def drop_entry(root: Path, key: str) -> None:
    """Delete one entry, which holds less than can be had now."""
    shutil.rmtree(root / ENTRIES / key, ignore_errors=True)


@contextmanager
def new_entry(root: Path, key: str, size: int) -> Iterator[Path]:
    """A folder to fill with `PIXELS`, made beside where the entry will be, and gone if it fails.

    Args:
        root: the cache folder; made if it is not there.
        key: the entry's name, 64 hexadecimal digits.
        size: bytes that will be needed at most.

    Raises:
        OSError: the folder cannot be written, or the disk has no room.
    """
    (root / ENTRIES).mkdir(parents=True, exist_ok=True)
    _sweep(root)
    free = shutil.disk_usage(root).free
    if free < size * 1.05:
        raise OSError(f"No room for {size / 1e6:,.0f} MB of pixels: {free / 1e6:,.0f} MB are free.")
    partial = tempfile.mkdtemp(dir=root / ENTRIES, prefix=f"{key}.", suffix=TEMPORARY_SUFFIX)
    try:
        yield Path(partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def keep_entry(partial: Path, root: Path, key: str, record: dict[str, Any]) -> None:
    """Make a filled folder the entry `key`, in one step. Another process may have been first."""
    with open(partial / PIXELS, "rb+") as file:
        os.fsync(file.fileno())
    record = record | {"key": key, "checksum": _checksum(partial / PIXELS)}
    write_atomically(partial / RECORD, json.dumps(record))
    final = root / ENTRIES / key
    if load_entry(root, key) is None:
        shutil.rmtree(final, ignore_errors=True)  # damaged, or it would have loaded
        try:
            os.replace(partial, final)
        except OSError:
            if load_entry(root, key) is None:  # else: somebody was first just now
                raise
        flush_folder(root / ENTRIES)


def _sweep(root: Path) -> None:
    """Remove what killed decodes have left."""
    now = time.time()
    for folder in _folders(root, leftovers=True):
        if folder.suffix == TEMPORARY_SUFFIX:
            newest = max((path.stat().st_mtime for path in (folder, *folder.iterdir())), default=0)
            if now - newest > LEFTOVER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _folders(root: Path, leftovers: bool = False) -> list[Path]:
    """Folders under `root` that by their name are ours."""
    if not (root / ENTRIES).is_dir():
        return []
    return [
        folder
        for folder in sorted((root / ENTRIES).iterdir())
        if KEY.fullmatch(folder.name.split(".")[0])
        and (leftovers or "." not in folder.name)
        and folder.is_dir()
        and not folder.is_symlink()
    ]


def _checksum(path: Path) -> int:
    """CRC-32 of a file: it finds what a disk or a hand has changed, not what an enemy has."""
    checksum = 0
    with open(path, "rb") as file:
        while piece := file.read(CHECKED_BYTES):
            checksum = zlib.crc32(piece, checksum)
    return checksum


def _read_record(folder: Path) -> dict[str, Any] | None:
    """What an entry says of itself; None if it is missing, not whole, or was edited badly."""
    try:
        record = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and _is_whole(record) else None


def _is_whole(record: dict[str, Any]) -> bool:
    """Whether a record has all its parts, each of the kind that is written."""
    lists = {"names": str, "skipped": list, "originals": list, "shape": int}
    for name, kind in lists.items():
        part = record.get(name)
        if not isinstance(part, list) or not all(type(item) is kind for item in part):
            return False
    skipped = all(list(map(type, item)) == [str, str] for item in record["skipped"])
    originals = all(list(map(type, item)) == [int, int, str, bool] for item in record["originals"])
    shape = len(record["shape"]) == 3 and min(record["shape"]) > 0
    texts = isinstance(record.get("key"), str) and isinstance(record.get("source"), str)
    counts = len(record["names"]) == len(record["originals"])
    return skipped and originals and shape and texts and counts and "checksum" in record
