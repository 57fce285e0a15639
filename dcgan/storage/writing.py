"""How is a model file written, so that it is there whole or the old one still is?"""

import hashlib
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dcgan.atomic import atomic_file, sweep_leftovers
from dcgan.errors import ModelFileError
from dcgan.storage.document import (
    DTYPES,
    FORMAT,
    GENERATOR_GROUP,
    VERSION,
    ArrayEntry,
    Refused,
    check_document,
    check_values,
    encode,
    hash_of_generator,
    parse,
)
from dcgan.storage.layout import Member
from dcgan.storage import layout

_LEFTOVER_SECONDS = 600  # no save takes so long: a temporary file as old as that has no writer


def write_model(
    path: str | os.PathLike,
    document: Mapping[str, dict],
    arrays: Mapping[str, np.ndarray],
    preview: bytes | None = None,
) -> str:
    """Write a `.dcgan` file, whole or not at all; what stood at `path` before stays until then.

    The same content always gives the same bytes. Missing parent folders are made.

    Args:
        path: the file to write.
        document: plain values under the keys "config", "training" and "data"; all must be there.
        arrays: by name; `generator/...` always, and for a file from which training can go on also
            `training_generator/...`, `discriminator/...`, `optimizer/...` and `state/...`.
        preview: the bytes of a PNG image.

    Returns:
        The SHA-256 of the generator, as `ModelFile.sha256` will tell it.

    Raises:
        ModelFileError: the content could not be read back, or the file cannot be written.
    """
    path = Path(path)
    try:
        plain = {name: _plain(name, arrays[name]) for name in sorted(arrays)}
        entries = [_entry(name, array) for name, array in plain.items()]
        content = encode(_whole_document(document, entries, preview))
        check_document(announced := parse(content))  # never write what could not be read
        size = layout.file_size(len(content), announced, entries)
        if size > layout.MAX_FILE_BYTES:
            raise Refused(f"the file would have {size} bytes; at most {layout.MAX_FILE_BYTES}")
    except Refused as reason:
        raise ModelFileError(
            f"The model cannot be saved to {str(path)!r}: it {reason}."
        ) from reason
    _write(path, content, preview, list(zip(entries, plain.values(), strict=True)))
    return hash_of_generator(entries)


def generator_sha256(arrays: Mapping[str, np.ndarray]) -> str:
    """The hash that a file of these arrays has; those outside `generator/` do not count."""
    names = [name for name in arrays if name.startswith(GENERATOR_GROUP)]
    return hash_of_generator(_entry(name, _plain(name, arrays[name])) for name in names)


def _whole_document(
    document: Mapping[str, dict], entries: list[ArrayEntry], preview: bytes | None
) -> dict:
    if set(document) != {"config", "training", "data"}:
        raise Refused(f"needs config, training and data; received {sorted(document)}")
    if preview is not None and not preview.startswith(layout.PNG_SIGNATURE):
        raise Refused("has a preview that is no PNG image")
    described = {
        entry.name: {"shape": list(entry.shape), "dtype": entry.dtype, "sha256": entry.sha256}
        for entry in entries
    }
    image = None if preview is None else {"size": len(preview), "sha256": _sha256(preview)}
    return {
        "format": FORMAT,
        "version": VERSION,
        **document,
        "arrays": described,
        "preview": image,
    }


def _plain(name: str, array: np.ndarray) -> np.ndarray:
    """The array in C order and little-endian, checked."""
    array = np.asarray(array)
    if array.dtype.name not in DTYPES:
        raise Refused(f"has the array {name!r} of type {array.dtype}; expected one of {[*DTYPES]}")
    array = np.asarray(array, DTYPES[array.dtype.name], order="C")
    check_values(name, array)
    return array


def _entry(name: str, array: np.ndarray) -> ArrayEntry:
    return ArrayEntry(name, array.shape, array.dtype.name, _sha256(_bytes(array)))


def _bytes(array: np.ndarray) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8))


def _sha256(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(
    path: Path,
    content: bytes,
    preview: bytes | None,
    arrays: list[tuple[ArrayEntry, np.ndarray]],
) -> None:
    parts = [(layout.DOCUMENT_MEMBER, [content])]
    if preview is not None:
        parts.append((layout.PREVIEW_MEMBER, [preview]))
    for entry, array in arrays:
        parts.append((layout.array_member(entry), [layout.npy_header(entry), _bytes(array)]))
    members = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_leftovers(path.parent, path.name, _LEFTOVER_SECONDS)
        with atomic_file(path) as file:
            for name, pieces in parts:
                members.append(_member(name, pieces))
                file.write(layout.local_header(members[-1]))
                for piece in pieces:
                    file.write(piece)
            file.write(layout.directory(members))
    except OSError as error:
        raise ModelFileError(
            f"The model cannot be saved to {str(path)!r}: {error.strerror or error}. What was "
            "there before is unchanged; free some space or choose another place."
        ) from error


def _member(name: str, pieces: list[bytes | memoryview]) -> Member:
    crc = 0
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
    return Member(name, sum(len(piece) for piece in pieces), crc)
