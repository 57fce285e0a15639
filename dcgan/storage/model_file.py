"""Model files and checkpoints: a safetensors file whose only metadata is our JSON document.

`safetensors.numpy.load_file` opens one. Nothing in it is ever executed. The reader checks the whole
header, which must be what the writer would have written, before it reads any array.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from safetensors.numpy import save

from dcgan.atomic import atomic_file, sweep_leftovers
from dcgan.errors import ArgumentError, ModelFileError
from dcgan.storage.document import (
    DTYPES,
    GENERATOR_GROUP,
    OPTIMIZER_GROUP,
    PREVIEW,
    ArrayEntry,
    Refused,
    build_document,
    check_bounds,
    check_name,
    hash_of_generator,
    parse,
    read_document,
)
from dcgan.storage.file_kinds import HEAD_BYTES, describe

Expected = Callable[[dict], Mapping[str, tuple[tuple[int, ...], str]]]

METADATA_KEY = "dcgan"
MAX_HEADER_BYTES = 4 << 20
MAX_FILE_BYTES = 4 << 30
LENGTH_BYTES = 8  # in front of the header: its length, little-endian
LEFTOVER_SECONDS = 600  # no save takes so long: a temporary file as old as that has no writer
READ_BYTES = 1 << 20  # read, then hashed while still in the processor's cache


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds, once every byte of it was checked.

    Attributes:
        document: "options", "plan", "optimizers" and "training", plain values each.
        arrays: by name, without the preview.
        preview: a uint8 image `(H, W, C)`, or None.
        sha256: of the generator's arrays: the same hash and seed give the same image.
    """

    document: dict
    arrays: dict[str, np.ndarray]
    preview: np.ndarray | None
    sha256: str

    @property
    def generator_only(self) -> bool:
        """Whether the file holds nothing but the generator, so that it cannot be trained."""
        return all(name.startswith(GENERATOR_GROUP) for name in self.arrays)


def write_model_file(
    path: str | os.PathLike,
    document: Mapping[str, object],
    arrays: Mapping[str, np.ndarray],
    preview: np.ndarray | None = None,
) -> str:
    """Write a `.dcgan` file, whole or not at all; what stood at `path` stays until then.

    The same content always gives the same bytes. Missing parent folders are made.

    Args:
        path: the file to write.
        document: plain values under the keys "options", "plan", "optimizers" and "training".
        arrays: by name; `generator/...` always, and for a file from which training can continue
            also `training_generator/...`, `discriminator/...`, `optimizer/...` and `state/...`.
        preview: a uint8 image `(H, W, C)`, or None.

    Returns:
        The SHA-256 of the generator, as `ModelFile.sha256` will give it.

    Raises:
        ModelFileError: the content could not be read back, or the file cannot be written.
    """
    path = Path(path)
    named = {**arrays, **({} if preview is None else {PREVIEW: preview})}
    try:
        plain = {name: _plain(name, named[name]) for name in sorted(named)}
        entries = [
            ArrayEntry(name, array.shape, array.dtype.name, hashlib.sha256(array).hexdigest())
            for name, array in plain.items()
        ]
        check_bounds(entries)
        content = build_document(document, entries)
        read_document(content)  # never write what could not be read
    except Refused as reason:
        raise ModelFileError(
            f"The model cannot be saved to {str(path)!r}: it {reason}."
        ) from reason
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_leftovers(path.parent, path.name, LEFTOVER_SECONDS)
        with atomic_file(path) as file:
            file.write(save(plain, {METADATA_KEY: content.decode("ascii")}))
    except OSError as error:
        raise ModelFileError(
            f"The model cannot be saved to {str(path)!r}: {error.strerror or error}. What was "
            "there before is unchanged; free some space or choose another place."
        ) from error
    return hash_of_generator(entries)


def read_model_file(path: str | os.PathLike, expected: Expected | None = None) -> ModelFile:
    """Read a `.dcgan` file: all of it, checked, or an error and nothing.

    Args:
        path: the file.
        expected: computes, from the document, the shape and dtype of every array but the
            optimizers'. In a generator-only file those of `generator/` must be there, in any other
            file all of them. Called before any array is read.

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


def _plain(name: str, array: np.ndarray) -> np.ndarray:
    """The array in C order and little-endian, checked: safetensors writes others wrong."""
    check_name(name)
    array = np.asarray(array)
    if array.dtype.name not in DTYPES:
        raise Refused(f"has the array {name!r} of type {array.dtype}; expected one of {[*DTYPES]}")
    array = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    _check_values(name, array)
    return array


def _check_values(name: str, array: np.ndarray) -> None:
    """Refuse what nothing can be computed with: NaN, infinities, a bool that is neither."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise Refused(f"holds numbers that are not finite in {name!r}: the training had failed")
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise Refused(f"holds a bool that is neither true nor false in {name!r}")


def _check_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refused("does not exist: check the path") from error
    except ValueError as error:  # a NUL in the path
        raise Refused("is no path") from error
    if stat.S_ISDIR(mode):
        raise Refused("is a folder; give the .dcgan file in it")
    if not stat.S_ISREG(mode):
        raise Refused("is a device or pipe, not a file")


def _read(file: BinaryIO, expected: Expected | None) -> ModelFile:
    file_bytes = os.fstat(file.fileno()).st_size
    content, tensors, data_start = _read_header(file, file_bytes)
    document, entries = read_document(content)
    offsets = _check_tensors(tensors, entries, file_bytes - data_start)
    if expected is not None:
        _check_expected(entries, _ask(expected, document))
    arrays = {}
    for entry in entries:
        file.seek(data_start + offsets[entry.name])
        arrays[entry.name] = _read_array(file, entry)
    preview = arrays.pop(PREVIEW, None)
    return ModelFile(document, arrays, preview, hash_of_generator(entries))


def _read_header(file: BinaryIO, file_bytes: int) -> tuple[bytes, dict, int]:
    """The document's JSON, the safetensors entries by name, and where the arrays begin."""
    head = file.read(HEAD_BYTES)
    length = int.from_bytes(head[:LENGTH_BYTES], "little")
    if len(head) <= LENGTH_BYTES or head[LENGTH_BYTES : LENGTH_BYTES + 1] != b"{":
        raise Refused(describe(head))
    if length > MAX_HEADER_BYTES:
        raise Refused(f"has a header of {length} bytes; at most {MAX_HEADER_BYTES} are read")
    if file_bytes > MAX_FILE_BYTES:
        raise Refused(f"has {file_bytes} bytes; at most {MAX_FILE_BYTES} are read")
    if length > file_bytes - LENGTH_BYTES:
        raise Refused(f"is cut off: it ends after {file_bytes} bytes, inside its header")
    file.seek(LENGTH_BYTES)
    header = parse(file.read(length).rstrip(b" "))
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(METADATA_KEY), str):
        raise Refused("is a safetensors file of something else: it has no dcgan document")
    if len(metadata) != 1:
        raise Refused(f"has other metadata than dcgan writes: {sorted(metadata)[:5]!a:.200}")
    document = metadata[METADATA_KEY].encode("ascii", "backslashreplace")
    return document, header, LENGTH_BYTES + length


def _check_tensors(tensors: dict, entries: list[ArrayEntry], data_bytes: int) -> dict[str, int]:
    """Hold the safetensors entries against the document; returns each array's offset."""
    if sorted(tensors) != [entry.name for entry in entries]:
        raise Refused("has other arrays than its document says")
    offsets = {}
    for entry in entries:
        tensor = tensors[entry.name]
        places = tensor.get("data_offsets") if isinstance(tensor, dict) else None
        if not isinstance(places, list) or [type(place) for place in places] != [int, int]:
            raise Refused(f"does not say where {entry.name!r} lies")
        wanted = {
            "dtype": DTYPES[entry.dtype],
            "shape": list(entry.shape),
            "data_offsets": [places[0], places[0] + entry.size],
        }
        if tensor != wanted:
            raise Refused(f"describes {entry.name!r} in two ways that do not match")
        offsets[entry.name] = places[0]
    end = 0
    for entry in sorted(entries, key=lambda entry: (offsets[entry.name], entry.size)):
        if offsets[entry.name] != end:
            raise Refused(f"has a gap or an overlap before {entry.name!r}")
        end += entry.size
    if data_bytes < end:
        raise Refused(
            f"is cut off: {end - data_bytes} bytes are missing; copy or download it again"
        )
    if data_bytes > end:
        raise Refused(f"has {data_bytes - end} bytes more than it announces")
    return offsets


def _ask(expected: Expected, document: dict) -> Mapping[str, tuple[tuple[int, ...], str]]:
    try:
        return expected(document)
    except (ArgumentError, ModelFileError) as error:
        reason = str(error).rstrip(".")
        raise Refused(f"describes a model that cannot be built: {reason}") from error


def _check_expected(
    entries: list[ArrayEntry], expected: Mapping[str, tuple[tuple[int, ...], str]]
) -> None:
    received = {
        entry.name: (entry.shape, entry.dtype)
        for entry in entries
        if entry.name != PREVIEW and not entry.name.startswith(OPTIMIZER_GROUP)
    }
    names = [entry.name for entry in entries if entry.name != PREVIEW]
    if all(name.startswith(GENERATOR_GROUP) for name in names):
        expected = {name: e for name, e in expected.items() if name.startswith(GENERATOR_GROUP)}
    for name in sorted(expected.keys() ^ received.keys()):
        problem = "lacks the array" if name in expected else "holds the unknown array"
        raise Refused(f"{problem} {name!r}: its arrays do not match its plan")
    for name, (shape, dtype) in expected.items():
        if received[name] != (tuple(shape), dtype):
            raise Refused(
                f"holds {name!r} as {received[name][1]} {received[name][0]}; its plan needs "
                f"{dtype} {tuple(shape)}"
            )


def _read_array(file: BinaryIO, entry: ArrayEntry) -> np.ndarray:
    array = np.empty(entry.shape, np.dtype(entry.dtype).newbyteorder("<"))
    target, sha256 = memoryview(array.reshape(-1).view(np.uint8)), hashlib.sha256()
    for start in range(0, len(target), READ_BYTES):
        chunk = target[start : start + READ_BYTES]
        chunk = chunk[: file.readinto(chunk)]  # type: ignore[attr-defined]
        sha256.update(chunk)
    if sha256.hexdigest() != entry.sha256:
        raise Refused(f"is damaged: the array {entry.name!r} does not match its checksum")
    _check_values(entry.name, array)
    return array
