"""Array files (.npy, .npz, idx): recognized by content, read within limits, running nothing."""

import gzip
import math
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from dcgan.data.memory import free_memory
from dcgan.errors import DataError, printable

NPY, ZIP, GZIP = b"\x93NUMPY", b"PK\x03\x04", b"\x1f\x8b"
IDX_DIMENSIONS = {b"\x00\x00\x08\x03": 3, b"\x00\x00\x08\x04": 4}  # unsigned bytes
MNIST_NAMES = ("train-images-idx3-ubyte", "train-images.idx3-ubyte")
TRAINING = "x_train"  # the images of Keras's mnist.npz
MAX_BYTES = 16 << 30  # of an array that has to be read into memory


def find_array_file(path: Path) -> Path | None:
    """The array file at `path`, or the MNIST training images in the folder `path`; else None."""
    if path.is_dir():
        for name in MNIST_NAMES:
            for candidate in (path / name, path / f"{name}.gz"):
                if candidate.is_file():
                    return candidate
        return None
    if not path.is_file():
        return None
    return path if _start(path).startswith((NPY, ZIP, GZIP, *IDX_DIMENSIONS)) else None


def read_array_file(path: Path) -> np.ndarray:
    """The array of images in a file; memory-mapped where it can be.

    Raises:
        DataError: the file is damaged, too large, or holds no single array of images.
    """
    start = _start(path)
    try:
        if start.startswith(NPY):
            return np.load(path, mmap_mode="r", allow_pickle=False)
        if start.startswith(ZIP):
            return _read_npz(path)
        return _read_idx(path)
    except DataError:
        raise
    except Exception as error:  # a broken header can raise TokenError, zlib.error, anything
        raise _unreadable(path, " ".join(str(error).split()) or type(error).__name__) from error


def _start(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(6)
    except OSError as error:
        raise _unreadable(path, error.strerror or "cannot be opened") from error


def _read_npz(path: Path) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    sizes = {item.filename.removesuffix(".npy"): item.file_size for item in members}
    if len(sizes) < len(members):
        raise _unreadable(path, "two of its arrays have the same name")
    with np.load(path, allow_pickle=False) as arrays:
        name = _which(path, sizes)
        _check_size(path, name, sizes[name])
        _check_header(arrays, name, sizes[name])
        return arrays[name]


def _which(path: Path, sizes: dict[str, int]) -> str:
    """The name of the images in an archive: `x_train`, or the only array there is."""
    if TRAINING in sizes:
        return TRAINING
    if len(sizes) == 1:
        return next(iter(sizes))
    names = ", ".join(printable(name) for name in sorted(sizes)[:8])
    raise _unreadable(path, f"it holds {len(sizes)} arrays ({names}) and none is named {TRAINING}")


def _check_header(arrays: Any, name: str, stored: int) -> None:
    """Refuse a header that claims more than the archive holds, before anything is allocated."""
    with arrays.zip.open(f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)
        read = {(1, 0): np.lib.format.read_array_header_1_0}.get(version)
        shape, _, kind = (read or np.lib.format.read_array_header_2_0)(member)
    claimed = kind.itemsize * math.prod(shape)
    if claimed > stored:
        raise ValueError(f"{name} claims {claimed:,} bytes and the file holds {stored:,}")


def _read_idx(path: Path) -> np.ndarray:
    packed = _start(path).startswith(GZIP)
    with gzip.open(path) if packed else open(path, "rb") as file:
        dimensions = IDX_DIMENSIONS.get(file.read(4))
        if dimensions is None:
            raise _unreadable(path, "it is not an idx file of unsigned bytes in 3 or 4 dimensions")
        header = file.read(4 * dimensions)
        if len(header) < 4 * dimensions:
            raise _unreadable(path, "it ends inside its header")
        shape = np.frombuffer(header, ">u4").tolist()
        size = math.prod(shape)
        # gzip cannot shrink more than about 1032 to 1: what claims more is a lie or a bomb
        possible = os.path.getsize(path) * (1032 if packed else 1)
        if size > possible:
            raise _unreadable(path, f"its header claims {size:,} bytes, which it cannot hold")
        _check_size(path, "its array", size)
        content = file.read(size + 1)
    if len(content) != size:
        raise _unreadable(path, f"its header claims {size:,} bytes, and it holds others")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _check_size(path: Path, name: str, size: int) -> None:
    """Refuse what does not fit in memory, before anything is allocated."""
    free = free_memory()
    limit = MAX_BYTES if free is None else min(MAX_BYTES, free // 2)
    if size > limit:
        raise _unreadable(
            path,
            f"{name} takes {size / 1e9:.1f} GB of memory, of which at most {limit / 1e9:.1f} GB "
            "may be used here; a .npy file is read piece by piece",
        )


def _unreadable(path: Path, reason: str) -> DataError:
    return DataError(
        f"No array of images can be read from {str(path)!r}: {printable(reason)}. "
        "Expected: a .npy file, an .npz file with one array or with x_train, or an MNIST-style idx "
        "file. Check or make it again."
    )
