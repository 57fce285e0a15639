"""How is a model file read so that a stranger's file can do no harm?"""

import hashlib
import os
import stat
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from dcgan.errors import ArgumentError, ModelFileError
from dcgan.storage.document import (
    DTYPES,
    GENERATOR_GROUP,
    MAX_JSON_BYTES,
    NETWORK_GROUPS,
    ArrayEntry,
    Refused,
    check_document,
    check_values,
    check_version,
    encode,
    hash_of_generator,
    parse,
    preview_size,
)
from dcgan.storage.file_kinds import HEAD_BYTES, describe
from dcgan.storage.layout import Member
from dcgan.storage import layout

Expected = Callable[[dict], Mapping[str, tuple[tuple[int, ...], str]]]

_CHUNK = 1 << 18  # bytes that are read, then hashed while still in the processor's cache


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds, once every byte of it was checked."""

    document: dict
    arrays: dict[str, np.ndarray]
    preview: bytes | None
    sha256: str  # of the generator's arrays: the same hash and the same seed give the same image

    @property
    def generator_only(self) -> bool:
        """Whether training cannot go on from this file."""
        return all(name.startswith(GENERATOR_GROUP) for name in self.arrays)


def read_model(path: str | os.PathLike, expected: Expected | None = None) -> ModelFile:
    """Read a `.dcgan` file: all of it, checked, or an error and nothing.

    Args:
        path: the file.
        expected: computes, from the document, the name, shape and dtype that every array of the
            networks must have. In a generator-only file those of `generator/` must be there, in
            any other file all of them. Called before any array is read.

    Raises:
        ModelFileError: missing, no model file, damaged, made by a newer version, or hostile.
    """
    path = Path(path)
    try:
        _check_regular(path)
        with open(path, "rb") as file:
            return _read(file, expected)
    except Refused as reason:
        raise ModelFileError(f"{str(path)!r} {reason}.") from reason
    except OSError as error:
        raise ModelFileError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    except MemoryError as error:
        raise ModelFileError(f"{str(path)!r} needs more memory than there is.") from error


def _check_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise Refused("does not exist: check the path") from error
    except ValueError as error:  # a NUL in the name
        raise Refused(f"is no possible file name ({error})") from error
    if stat.S_ISDIR(mode):
        raise Refused("is a folder, not a file; the model of a run is its best.dcgan or last.dcgan")
    if not stat.S_ISREG(mode):  # a pipe would wait for its writer for ever
        raise Refused("is a device or a pipe, not a file")


def _read(file: BinaryIO, expected: Expected | None) -> ModelFile:
    file_bytes = os.fstat(file.fileno()).st_size
    document, head = _read_document(file, file_bytes)
    entries = check_document(document)
    if encode(document) != head.content:
        raise Refused("has a model.json in another form than dcgan writes: it was edited")
    _check_size(file_bytes, layout.file_size(len(head.content), document, entries))
    if expected is not None:
        _check_shapes(entries, _ask(expected, document))
    members = [head.member]
    preview = _read_preview(file, document, members)
    arrays = {entry.name: _read_array(file, entry, members) for entry in entries}
    end = layout.directory(members)
    if file.read(len(end) + 1) != end:
        raise Refused("is damaged or was repacked: its ZIP directory is not what dcgan writes")
    return ModelFile(document, arrays, preview, hash_of_generator(entries))


@dataclass(frozen=True)
class _Head:
    member: Member
    content: bytes


def _read_document(file: BinaryIO, file_bytes: int) -> tuple[dict, _Head]:
    """The document, checked as far as that of any version can be; it stands first in the file."""
    beginning = file.read(HEAD_BYTES)
    start = len(layout.local_header(Member(layout.DOCUMENT_MEMBER, 0, 0)))
    crc, size = layout.crc_and_size(beginning)
    member = Member(layout.DOCUMENT_MEMBER, size, crc)
    if beginning[:start] != layout.local_header(member):
        raise Refused(describe(beginning))
    if file_bytes > layout.MAX_FILE_BYTES:
        raise Refused(f"has {file_bytes} bytes; at most {layout.MAX_FILE_BYTES} are read")
    if size > MAX_JSON_BYTES:
        raise Refused(f"has a model.json of {size} bytes; at most {MAX_JSON_BYTES} are read")
    file.seek(start)
    content = file.read(size)
    if len(content) < size:
        raise Refused(f"is cut off: it ends after {file_bytes} bytes, inside its model.json")
    if zlib.crc32(content) != crc:
        raise Refused("is damaged: its model.json does not match its checksum")
    document = parse(content)
    check_version(document)
    return document, _Head(member, content)


def _check_size(received: int, announced: int) -> None:
    if announced > layout.MAX_FILE_BYTES:
        raise Refused(f"announces {announced} bytes; at most {layout.MAX_FILE_BYTES} are read")
    if received < announced:
        raise Refused(
            f"is cut off: it has {received} bytes of {announced}; copy or download it again"
        )
    if received > announced:
        raise Refused(f"has {received - announced} bytes more than the {announced} it announces")


def _ask(expected: Expected, document: dict) -> Mapping[str, tuple[tuple[int, ...], str]]:
    try:
        return expected(document)
    except (ArgumentError, ModelFileError) as error:
        reason = str(error).rstrip(".")
        raise Refused(f"describes a model that cannot be built: {reason}") from error


def _check_shapes(
    entries: list[ArrayEntry], expected: Mapping[str, tuple[tuple[int, ...], str]]
) -> None:
    generator_only = all(entry.name.startswith(GENERATOR_GROUP) for entry in entries)
    received = {
        entry.name: (entry.shape, entry.dtype)
        for entry in entries
        if entry.name.startswith(NETWORK_GROUPS)
    }
    wanted = {
        name: (tuple(shape), dtype)
        for name, (shape, dtype) in expected.items()
        if name.startswith(GENERATOR_GROUP) or not generator_only
    }
    for name in sorted(wanted.keys() ^ received.keys()):
        problem = "lacks the array" if name in wanted else "holds the unknown array"
        raise Refused(f"{problem} {name!r}: its networks are not those of its configuration")
    for name, (shape, dtype) in wanted.items():
        if received[name] != (shape, dtype):
            raise Refused(
                f"holds {name!r} as {received[name][1]} {received[name][0]}; its configuration "
                f"needs {dtype} {shape}"
            )


def _read_preview(file: BinaryIO, document: dict, members: list[Member]) -> bytes | None:
    size = preview_size(document)
    if size is None:
        return None
    header = file.read(len(layout.local_header(Member(layout.PREVIEW_MEMBER, size, 0))))
    content = file.read(size)
    member = Member(layout.PREVIEW_MEMBER, size, zlib.crc32(content))
    whole = hashlib.sha256(content).hexdigest() == document["preview"]["sha256"]
    if header != layout.local_header(member) or not whole:
        raise Refused("is damaged: its preview image does not match its checksum")
    if not content.startswith(layout.PNG_SIGNATURE):
        raise Refused("holds a preview that is no PNG image")
    members.append(member)
    return content


def _read_array(file: BinaryIO, entry: ArrayEntry, members: list[Member]) -> np.ndarray:
    npy_header = layout.npy_header(entry)
    name, size = layout.array_member(entry), len(npy_header) + entry.size
    header = file.read(len(layout.local_header(Member(name, size, 0))))
    if file.read(len(npy_header)) != npy_header:
        raise Refused(f"is damaged or lies about {entry.name!r}: its header is not as announced")
    array = np.empty(entry.shape, DTYPES[entry.dtype])
    sha256, crc = _fill(file, array, zlib.crc32(npy_header))
    member = Member(name, size, crc)
    if sha256 != entry.sha256:
        raise Refused(f"is damaged: the array {entry.name!r} does not match its checksum")
    if header != layout.local_header(member):
        raise Refused(f"is damaged or was repacked: the ZIP record of {entry.name!r} is wrong")
    check_values(entry.name, array)
    members.append(member)
    return array


def _fill(file: BinaryIO, array: np.ndarray, crc: int) -> tuple[str, int]:
    """Read the file's next bytes into an array; returns their SHA-256 and the CRC-32 carried on."""
    target, sha256 = memoryview(array.reshape(-1).view(np.uint8)), hashlib.sha256()
    for start in range(0, len(target), _CHUNK):
        chunk = target[start : start + _CHUNK]
        chunk = chunk[: file.readinto(chunk)]
        sha256.update(chunk)
        crc = zlib.crc32(chunk, crc)
    return sha256.hexdigest(), crc
