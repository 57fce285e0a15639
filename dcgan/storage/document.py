"""The JSON document of a model file: its bounds, and what it says of every array."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

FORMAT = "dcgan-model"
VERSION = 1
PARTS = ("options", "plan", "optimizers", "training")  # what the caller puts in
GENERATOR_GROUP = "generator/"  # the arrays that generate images; files to share hold no others
NETWORK_GROUPS = (GENERATOR_GROUP, "training_generator/", "discriminator/")
OPTIMIZER_GROUP, STATE_GROUP = "optimizer/", "state/"
PREVIEW = "preview"  # uint8 (H, W, C)

MAX_JSON_BYTES = 2 << 20  # ten times what our own need
MAX_NESTING = 12  # our own documents nest 6 deep; Python's parser recurses, so it is bounded first
MAX_INTEGER = 2**53  # larger whole numbers have no exact JSON
MAX_ARRAYS = 5_000  # a plan of 12 stages has a few hundred
MAX_NAME = 200  # characters
MAX_RANK = 8  # a convolution's kernel has 4 axes
MAX_AXIS = 2**31 - 1
MAX_PREVIEW_BYTES = 4 << 20
MAX_OPTIMIZER_COPIES = 4  # Adam keeps 2 numbers per weight, the largest optimizers 4
MAX_OPTIMIZER_SCALARS = 10_000  # step counts, learning rates

DTYPES = {"float32": "F32", "int64": "I64", "uint8": "U8", "bool": "BOOL"}  # NumPy: safetensors
_KEYS = {"format", "version", "sha256", "arrays", *PARTS}
_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"  # begins with no dot: neither `..` nor hidden names
_NAME = re.compile(
    rf"preview|(generator|training_generator|discriminator|optimizer|state)(/{_WORD})+", re.ASCII
)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# A string, or the rest where its end is missing; possessive, so that time is linear.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


class Refused(Exception):
    """Why a file is refused; becomes a ModelFileError that also names the file."""


@dataclass(frozen=True)
class ArrayEntry:
    """What the document says of one array."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    sha256: str

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.values * np.dtype(self.dtype).itemsize


def build_document(parts: Mapping[str, object], entries: list[ArrayEntry]) -> bytes:
    """The document of these parts and arrays, in the one form that is accepted when read.

    Raises:
        Refused: the parts are not those of `PARTS`, or hold what JSON cannot.
    """
    if set(parts) != set(PARTS):
        raise Refused(f"needs the parts {', '.join(PARTS)}; received {sorted(parts)}")
    arrays = {
        entry.name: {
            "shape": list(entry.shape),
            "dtype": entry.dtype,
            "bytes": entry.size,
            "sha256": entry.sha256,
        }
        for entry in entries
    }
    document = {"format": FORMAT, "version": VERSION, "arrays": arrays, **parts}
    return _encode({**document, "sha256": _hash(document)})


def read_document(content: bytes) -> tuple[dict, list[ArrayEntry]]:
    """The parts and the arrays of a document, checked.

    Raises:
        Refused: it is not what `build_document` would have written.
    """
    document = parse(content)
    if document.get("format") != FORMAT:
        raise Refused(f"is not a DCGAN model: its format is not {FORMAT!r}")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise Refused(f"has no valid file version; expected a whole number from 1 to {VERSION}")
    if version > VERSION:
        raise Refused(
            f"was made by a newer dcgan (file version {version}, this program reads up to "
            f"{VERSION}): update with `pip install -U dcgan`"
        )
    if set(document) != _KEYS:
        raise Refused(f"has other parts than it should: {sorted(set(document) ^ _KEYS)[:5]!a:.200}")
    unsigned = {key: value for key, value in document.items() if key != "sha256"}
    if document["sha256"] != _hash(unsigned):
        raise Refused("is damaged or was edited: its document does not match its checksum")
    if _encode(document) != content:
        raise Refused("was edited: its document has another form than dcgan writes")
    for key in (*PARTS, "arrays"):
        if not isinstance(document[key], dict):
            raise Refused(f"has a {key!r} that is no dictionary")
    if "save_path" in document["options"]:
        raise Refused("says where to write, in save_path, which no file may")
    arrays = document["arrays"]
    if len(arrays) > MAX_ARRAYS:
        raise Refused(f"lists {len(arrays)} arrays; at most {MAX_ARRAYS} are read")
    entries = [_entry(name, arrays[name]) for name in sorted(arrays)]
    check_bounds(entries)
    return {key: document[key] for key in PARTS}, entries


def hash_of_generator(entries: list[ArrayEntry]) -> str:
    """One SHA-256 for what generates the images: equal in a full file and a generator-only one."""
    parts = [
        [entry.name, list(entry.shape), entry.dtype, entry.sha256]
        for entry in entries
        if entry.name.startswith(GENERATOR_GROUP)
    ]
    return hashlib.sha256(json.dumps(sorted(parts)).encode("ascii")).hexdigest()


def check_bounds(entries: list[ArrayEntry]) -> None:
    """Bound what no plan describes: the optimizers' arrays by the weights, and the preview."""
    if not any(entry.name.startswith(GENERATOR_GROUP) for entry in entries):
        raise Refused("holds no generator: no array's name begins with 'generator/'")
    weights = [entry.values for entry in entries if entry.name.startswith(NETWORK_GROUPS)]
    left = MAX_OPTIMIZER_COPIES * sum(weights) + MAX_OPTIMIZER_SCALARS
    for entry in entries:
        if entry.name.startswith(OPTIMIZER_GROUP):
            left -= entry.values
            if entry.values > max(weights) or left < 0:
                raise Refused(f"has more in {entry.name!r} than an optimizer of its networks can")
        if entry.name == PREVIEW:
            good = entry.dtype == "uint8" and len(entry.shape) == 3 and entry.shape[2] in (1, 3, 4)
            if not good or not 0 < entry.size <= MAX_PREVIEW_BYTES:
                raise Refused(f"has a preview that is no image: {entry.dtype} {entry.shape}")


def parse(content: bytes) -> dict:
    """Parse JSON of bounded size, depth and numbers, without repeated keys.

    Raises:
        Refused: it is too long or too deep, or no such JSON.
    """
    if len(content) > 2 * MAX_JSON_BYTES:
        raise Refused(f"has {len(content)} bytes of JSON; at most {2 * MAX_JSON_BYTES} are read")
    byte = np.frombuffer(_STRING.sub(b"", content), np.uint8)
    opening = (byte == ord("[")) | (byte == ord("{"))
    closing = (byte == ord("]")) | (byte == ord("}"))
    if np.cumsum(opening.astype(np.int32) - closing).max(initial=0) > MAX_NESTING:
        raise Refused(f"has JSON nested deeper than {MAX_NESTING} levels")
    try:
        document = json.loads(
            content.decode("ascii"),
            object_pairs_hook=_unique_keys,
            parse_int=_bounded_integer,
            parse_float=_finite_float,
            parse_constant=_refuse_constant,
        )
    except ValueError as error:
        raise Refused(f"has JSON that is not valid ({error})") from error
    if not isinstance(document, dict):
        raise Refused("has JSON that holds no dictionary")
    return document


def _encode(document: dict) -> bytes:
    try:
        text = json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(
            f"its document holds what JSON cannot ({error}); expected plain values: finite "
            "numbers, strings, booleans, lists, dictionaries"
        ) from error
    if len(text) > MAX_JSON_BYTES:
        raise Refused(f"its document has {len(text)} bytes; at most {MAX_JSON_BYTES}")
    return text.encode("ascii")


def _hash(document: dict) -> str:
    return hashlib.sha256(_encode(document)).hexdigest()


def _entry(name: str, value: object) -> ArrayEntry:
    check_name(name)
    if not isinstance(value, dict) or set(value) != {"shape", "dtype", "bytes", "sha256"}:
        raise Refused(f"describes array {name!r} wrongly; expected shape, dtype, bytes and sha256")
    shape, dtype, sha256 = value["shape"], value["dtype"], value["sha256"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise Refused(f"gives array {name!r} the type {dtype!a:.40}; expected one of {[*DTYPES]}")
    if (
        not isinstance(shape, list)
        or len(shape) > MAX_RANK
        or not all(type(axis) is int and 0 <= axis <= MAX_AXIS for axis in shape)
    ):
        raise Refused(f"gives array {name!r} the shape {shape!a:.60}; expected a few whole numbers")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise Refused(f"gives array {name!r} no valid sha256")
    entry = ArrayEntry(name, tuple(shape), dtype, sha256)
    if type(value["bytes"]) is not int or value["bytes"] != entry.size:
        raise Refused(f"gives array {name!r} {value['bytes']!a:.40} bytes instead of {entry.size}")
    return entry


def check_name(name: str) -> None:
    """Refuse an array name outside the known groups."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise Refused(
            f"names an array {name!a:.80}; expected generator/, training_generator/, "
            "discriminator/, optimizer/ or state/ and plain words"
        )


def _unique_keys(pairs: list[tuple[str, object]]) -> dict:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _bounded_integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise ValueError("a whole number is out of range")
    return int(text)


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")
