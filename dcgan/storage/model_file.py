"""Model files and checkpoints: safetensors files whose only metadata is our JSON document.

`safetensors.numpy.load_file` opens one. Nothing in it is ever executed. The reader checks the whole
header before it reads any array.
"""

import hashlib
import io
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors.numpy import save

from dcgan.atomic import atomic_file, sweep_leftovers
from dcgan.errors import ArgumentError, ModelFileError
from dcgan.storage.document import (
    CARD,
    DTYPES,
    GENERATOR_GROUP,
    MAX_HEADER_BYTES,
    OPTIMIZER_GROUP,
    POSITION,
    PREVIEW,
    ArrayEntry,
    Refused,
    build_document,
    check_name,
    encode,
    hash_of_generator,
    is_generator_only,
    parse,
    read_document,
)
from dcgan.storage.file_kinds import HEAD_BYTES, describe, describe_folder

Expected = Callable[[dict[str, Any]], Mapping[str, tuple[tuple[int, ...], str]] | None]

METADATA_KEY = "dcgan"  # one key: with several, safetensors writes them in a random order
MAX_FILE_BYTES = 4 << 30
LENGTH_BYTES = 8  # in front of the header: its length, little-endian
LEFTOVER_SECONDS = 600  # no save takes so long: a temporary file as old as that has no writer


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds, once every byte of it was checked.

    Attributes:
        document: "options", "plan", "optimizers" and "training", plain values each.
        arrays: by name, without the preview.
        preview: a uint8 image `(H, W, C)`, or None.
        sha256: of the generator's arrays: the same hash and seed give the same image.
    """

    document: dict[str, Any]
    arrays: dict[str, np.ndarray]
    preview: np.ndarray | None
    sha256: str

    @property
    def card(self) -> dict[str, str]:
        """Texts of the model's author, by `CARD_FIELDS`."""
        return self.document.get(CARD, {})

    @property
    def generator_only(self) -> bool:
        """Whether the file holds nothing but the generator, so that it cannot be trained."""
        return is_generator_only(self.arrays)


def write_model_file(
    path: str | os.PathLike[str],
    document: Mapping[str, dict[str, Any]],
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
        preview: a uint8 image `(H, W, C)` of 1, 3 or 4 channels, or None.

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
            ArrayEntry(name, array.shape, array.dtype.name, hashlib.sha256(array.data).hexdigest())
            for name, array in plain.items()
        ]
        content = save(plain, {METADATA_KEY: build_document(document, entries)})
        _read_header(io.BytesIO(content), len(content))  # never write what could not be read
    except Refused as reason:
        raise ModelFileError(
            f"The model cannot be saved to {str(path)!r}: it {reason}."
        ) from reason
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_leftovers(path.parent, path.name, LEFTOVER_SECONDS)
        with atomic_file(path) as file:
            file.write(content)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        cause = getattr(error, "strerror", None) or error
        raise ModelFileError(
            f"The model cannot be saved to {str(path)!r}: {cause}. What was there before is "
            "unchanged; free some space or choose another place."
        ) from error
    return hash_of_generator(entries)


def read_model_file(path: str | os.PathLike[str], expected: Expected | None = None) -> ModelFile:
    """Read a `.dcgan` file: all of it, checked, or an error and nothing.

    Args:
        path: the file.
        expected: computes, from the document, the shape and dtype of every array but the
            optimizers'; None where a subclass's networks decide. In a generator-only file those of
            `generator/` must be there, in any other file all of them. Called before any array is
            read.

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
        raise ModelFileError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from error
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
    if array.dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
        raise Refused(f"holds a bool that is neither true nor false in {name!r}")


def _check_regular(path: Path) -> None:
    """Refuse what cannot be opened like a file: opening a pipe would wait for its writer."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refused("does not exist: check the path") from error
    except ValueError as error:  # a NUL in the path
        raise Refused(f"is no possible path ({error})") from error
    if stat.S_ISDIR(mode):
        raise Refused(describe_folder(path))
    if not stat.S_ISREG(mode):
        raise Refused("is a device or a pipe, not a file")


def _read(file: BinaryIO, expected: Expected | None) -> ModelFile:
    file_bytes = os.fstat(file.fileno()).st_size
    document, entries, starts = _read_header(file, file_bytes)
    if expected is not None:
        _check_expected(entries, expected, document)
    arrays = {}
    for entry in entries:
        file.seek(starts[entry.name])
        arrays[entry.name] = _read_array(file, entry)
    preview = arrays.pop(PREVIEW, None)
    return ModelFile(document, arrays, preview, hash_of_generator(entries))


def _read_header(
    file: BinaryIO, file_bytes: int
) -> tuple[dict[str, Any], list[ArrayEntry], dict[str, int]]:
    """The document's parts, its arrays, and where each of them begins in the file."""
    head = file.read(HEAD_BYTES)
    length = int.from_bytes(head[:LENGTH_BYTES], "little")
    impossible = length > max(file_bytes, MAX_HEADER_BYTES)
    if impossible or head[LENGTH_BYTES : LENGTH_BYTES + 1] != b"{":
        raise Refused(describe(head))
    if length > MAX_HEADER_BYTES:
        raise Refused(f"has a header of {length} bytes; at most {MAX_HEADER_BYTES} are read")
    if file_bytes > MAX_FILE_BYTES:
        raise Refused(f"has {file_bytes} bytes; at most {MAX_FILE_BYTES} are read")
    if length > file_bytes - LENGTH_BYTES:
        raise Refused(f"is cut off: it ends after {file_bytes} bytes, inside its header")
    file.seek(LENGTH_BYTES)
    tensors = parse(file.read(length).rstrip(b" "))
    metadata = tensors.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(METADATA_KEY), str):
        raise Refused("is a safetensors file that DCGAN.save did not write, so it is no model here")
    if len(metadata) > 1:
        raise Refused(f"has more metadata than dcgan writes: {sorted(metadata)[:5]!a:.200}")
    document, entries = read_document(metadata[METADATA_KEY])
    starts, end = _find_arrays(tensors, entries)
    missing = LENGTH_BYTES + length + end - file_bytes
    if missing > 0:
        raise Refused(f"is cut off: {missing} bytes are missing; copy or download it again")
    if missing < 0:
        raise Refused(f"has {-missing} bytes more than its header announces")
    return document, entries, {name: file_bytes - end + start for name, start in starts.items()}


def _find_arrays(tensors: dict[str, Any], entries: list[ArrayEntry]) -> tuple[dict[str, int], int]:
    """Where each array begins, and where the last one ends, counted from the first one.

    Raises:
        Refused: safetensors' description does not match the document's, or leaves a gap.
    """
    if other := sorted(tensors.keys() ^ {entry.name for entry in entries}):
        raise Refused(f"has other arrays than its document lists: {other[:5]!a:.200}")
    try:
        ordered = sorted(entries, key=lambda entry: tensors[entry.name]["data_offsets"])
    except (TypeError, KeyError) as error:
        raise Refused("does not say where its arrays begin and end") from error
    starts, end = {}, 0
    for entry in ordered:
        starts[entry.name], end = end, end + entry.size
        offsets = [starts[entry.name], end]
        wanted = {"dtype": DTYPES[entry.dtype], "shape": entry.shape, "data_offsets": offsets}
        if encode(tensors[entry.name]) != encode(wanted):
            raise Refused(
                f"describes {entry.name!r} as {tensors[entry.name]!a:.200}; its document and the "
                f"arrays before it need {wanted}"
            )
    return starts, end


def _check_expected(
    entries: list[ArrayEntry], expected: Expected, document: dict[str, Any]
) -> None:
    """Refuse arrays that the document's plan does not have, or has in another shape."""
    try:
        wanted = expected(document)
    except (ArgumentError, KeyError, TypeError) as error:
        reason = str(error).rstrip(".")
        raise Refused(f"describes a model that cannot be built ({reason})") from error
    if wanted is None:
        return
    described = {
        entry.name: f"{entry.dtype} {entry.shape}"
        for entry in entries
        if entry.name not in (PREVIEW, POSITION) and not entry.name.startswith(OPTIMIZER_GROUP)
    }
    groups = GENERATOR_GROUP if is_generator_only(entry.name for entry in entries) else ""
    needed = {n: f"{w[1]} {tuple(w[0])}" for n, w in wanted.items() if n.startswith(groups)}
    for name in sorted(described.keys() | needed.keys()):
        has, needs = described.get(name, "nothing"), needed.get(name, "nothing")
        if has != needs:
            raise Refused(f"holds {has} as {name!r}, where its plan needs {needs}")


def _read_array(file: BinaryIO, entry: ArrayEntry) -> np.ndarray:
    """Read an array at the file's position; what is hashed is what is returned."""
    array = np.empty(entry.shape, np.dtype(entry.dtype).newbyteorder("<"))
    target = array.reshape(-1).view(np.uint8).data
    file.readinto(target)  # type: ignore[attr-defined]
    if hashlib.sha256(target).hexdigest() != entry.sha256:
        raise Refused(f"is damaged: the array {entry.name!r} does not match its checksum")
    _check_values(entry.name, array)
    return array
