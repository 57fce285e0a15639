"""What may stand in a model file's `model.json`, and which arrays does it announce?"""

import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

FORMAT = "dcgan-model"
VERSION = 1
GENERATOR_GROUP = "generator/"  # the arrays that make images; the only ones in a file for sharing
NETWORK_GROUPS = (GENERATOR_GROUP, "training_generator/", "discriminator/")

MAX_JSON_BYTES = 1 << 20  # ten times what our own need; the worst MiB is parsed in < 100 MB
MAX_DEPTH = 12  # our own documents nest 5 deep; Python's parser recurses, so it is bounded first
MAX_INTEGER = 2**64 - 1  # the widest counter or seed there is
MAX_ARRAYS = 5_000  # a plan of 12 stages has a few hundred
MAX_NAME = 200  # characters
MAX_RANK = 8  # a convolution's kernel has 4 axes
MAX_AXIS = 2**31 - 1
MAX_PREVIEW_BYTES = 8 << 20  # a grid of 64 images of 256x256 pixels, uncompressed, is 12 MB
MAX_STATE_BYTES = 1 << 20  # of one `state/` array: seeds, counters and positions are tiny
MAX_OPTIMIZER_COPIES = 4  # Adam keeps 2 numbers per weight, the hungriest optimizers 4
MAX_OPTIMIZER_SCALARS = 10_000  # step counts, learning rates

DTYPES = {  # numpy's name: its code in a .npy header. Little-endian, plain numbers, nothing else
    "float32": "<f4",
    "float64": "<f8",
    "int32": "<i4",
    "int64": "<i8",
    "uint32": "<u4",
    "uint64": "<u8",
    "uint8": "|u1",
    "bool": "|b1",
}
_KEYS = {"format", "version", "config", "training", "data", "arrays", "preview"}
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"  # begins with no dot: neither `..` nor hidden names
_NAME = re.compile(
    rf"(generator|training_generator|discriminator|optimizer|state)(/{_PART})+", re.ASCII
)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# A string, or the rest where its end is missing: never tried again from within, so time is linear.
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
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Bytes of the array itself."""
        return self.values * int(DTYPES[self.dtype][2])


def encode(document: dict) -> bytes:
    """The document as JSON, in the one form that is accepted when read.

    Raises:
        Refused: a value is no plain JSON value, or a number is not finite.
    """
    try:
        text = json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(
            f"its document holds what JSON cannot ({error}); expected plain values: finite "
            "numbers, strings, booleans, lists, dictionaries"
        ) from error
    return text.encode("ascii")


def parse(content: bytes) -> dict:
    """Read what `encode` wrote, and nothing else: bounded before it is parsed.

    Raises:
        Refused: too long, too deep, no JSON, or JSON in another form than ours.
    """
    if len(content) > MAX_JSON_BYTES:
        raise Refused(
            f"has a model.json of {len(content)} bytes; at most {MAX_JSON_BYTES} are read"
        )
    _check_depth(content)
    try:
        document = json.loads(
            content.decode("ascii"),
            object_pairs_hook=_unique_keys,
            parse_int=_bounded_integer,
            parse_float=_finite_float,
            parse_constant=_refuse_constant,
        )
    except ValueError as error:
        raise Refused(f"has a model.json that is not valid JSON ({error})") from error
    if not isinstance(document, dict):
        raise Refused("has a model.json that holds no dictionary")
    return document


def check_version(document: dict) -> None:
    """Refuse a document of another format, or of a version made after this program."""
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


def check_document(document: dict) -> list[ArrayEntry]:
    """Check everything but the config's meaning; returns the arrays in the order of the file."""
    if set(document) != _KEYS:
        difference = sorted(set(document) ^ _KEYS)[:5]
        raise Refused(f"has other parts in its model.json than it should: {difference!a:.200}")
    for key in ("config", "training", "data", "arrays"):
        if not isinstance(document[key], dict):
            raise Refused(f"has a {key!r} in its model.json that is no dictionary")
    preview_size(document)
    if len(document["arrays"]) > MAX_ARRAYS:
        raise Refused(f"lists {len(document['arrays'])} arrays; at most {MAX_ARRAYS} are read")
    entries = [_entry(name, document["arrays"][name]) for name in sorted(document["arrays"])]
    if not any(entry.name.startswith(GENERATOR_GROUP) for entry in entries):
        raise Refused("holds no generator: no array's name begins with 'generator/'")
    _check_bounds(entries)
    return entries


def preview_size(document: dict) -> int | None:
    """The announced size of the preview image in bytes, or None where there is none."""
    preview = document["preview"]
    if preview is None:
        return None
    if not isinstance(preview, dict) or set(preview) != {"size", "sha256"}:
        raise Refused("describes its preview wrongly; expected its size and sha256")
    size = preview["size"]
    if type(size) is not int or not 8 <= size <= MAX_PREVIEW_BYTES:
        raise Refused(
            f"announces a preview of {size!a:.40} bytes; up to {MAX_PREVIEW_BYTES} can be"
        )
    return size


def hash_of_generator(entries: Iterable[ArrayEntry]) -> str:
    """One SHA-256 for what makes the images: equal in a full file and in a generator-only one."""
    parts = [
        [entry.name, list(entry.shape), entry.dtype, entry.sha256]
        for entry in entries
        if entry.name.startswith(GENERATOR_GROUP)
    ]
    return hashlib.sha256(json.dumps(sorted(parts)).encode("ascii")).hexdigest()


def check_values(name: str, array: np.ndarray) -> None:
    """Refuse what nothing can be computed with: NaN, infinities, a bool that is neither."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise Refused(f"holds numbers that are not finite in {name!r}: the training had failed")
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise Refused(f"holds a bool that is neither true nor false in {name!r}")


def check_name(name: str) -> None:
    """Refuse an array name that is outside the known groups or unsafe as a member's path."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise Refused(
            f"names an array {name!a:.80}; expected generator/, training_generator/, "
            "discriminator/, optimizer/ or state/ and plain words"
        )


def _entry(name: str, value: object) -> ArrayEntry:
    check_name(name)
    if not isinstance(value, dict) or set(value) != {"shape", "dtype", "sha256"}:
        raise Refused(f"describes array {name!r} wrongly; expected its shape, dtype and sha256")
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
    return ArrayEntry(name, tuple(shape), dtype, sha256)


def _check_bounds(entries: list[ArrayEntry]) -> None:
    """Bound what no plan describes: an optimizer's arrays by the weights, a state by a constant."""
    weights = [entry.values for entry in entries if entry.name.startswith(NETWORK_GROUPS)]
    left = MAX_OPTIMIZER_COPIES * sum(weights) + MAX_OPTIMIZER_SCALARS
    for entry in entries:
        if entry.name.startswith("state/") and entry.size > MAX_STATE_BYTES:
            raise Refused(f"has {entry.size} bytes in {entry.name!r}; at most {MAX_STATE_BYTES}")
        if entry.name.startswith("optimizer/"):
            left -= entry.values
            if entry.values > max(weights) or left < 0:
                raise Refused(f"has more in {entry.name!r} than an optimizer of its networks can")


def _check_depth(content: bytes) -> None:
    byte = np.frombuffer(_STRING.sub(b"", content), np.uint8)
    opening = (byte == ord("[")) | (byte == ord("{"))
    closing = (byte == ord("]")) | (byte == ord("}"))
    depth = np.cumsum(opening.astype(np.int32) - closing)
    if depth.max(initial=0) > MAX_DEPTH:
        raise Refused(f"has a model.json nested deeper than {MAX_DEPTH} levels")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _bounded_integer(text: str) -> int:
    if len(text) > 21 or abs(int(text)) > MAX_INTEGER:
        raise ValueError("a whole number is out of range")
    return int(text)


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")
