"""JSON document of a model file: its bounds, and what it says of every array."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcgan.errors import MAX_POSITION_BYTES

FORMAT = "dcgan-model"
VERSION = 1
PARTS = ("options", "plan", "optimizers", "training")  # what the caller puts in
CARD = "card"  # an optional part: what people say of the model, by `CARD_FIELDS`
CARD_FIELDS = ("author", "license", "data", "note")
MAX_CARD_TEXT = 2_000  # characters
GENERATOR_GROUP = "generator/"  # the arrays that generate images; files to share hold no others
NETWORK_GROUPS = (GENERATOR_GROUP, "training_generator/", "discriminator/")
OPTIMIZER_GROUP = "optimizer/"
PREVIEW = "preview"  # uint8 (H, W, C)
POSITION = "state/position"  # in checkpoints: bytes of the user's dataset, for it alone

MAX_HEADER_BYTES = 4 << 20  # our own have about 100 kB
MAX_TOKENS = 500_000  # quotes, commas and brackets; parsed in about a tenth of a second
MAX_NESTING = 12  # our own documents nest 6 deep; Python's parser recurses, so it is bounded first
MAX_INTEGER = 2**53  # larger whole numbers have no exact JSON
MAX_ARRAYS = 5_000  # a plan of 12 stages has a few hundred
MAX_NAME = 200  # characters
MAX_RANK = 8  # a convolution's kernel has 4 axes
MAX_AXIS = 2**31 - 1
MAX_PREVIEW_BYTES = 4 << 20
MAX_OPTIMIZER_COPIES = 4  # Adam keeps 2 numbers per weight, the largest optimizers 4
MAX_OPTIMIZER_SCALARS = 10_000  # step counts, learning rates

DTYPES = {  # NumPy's name: that of safetensors
    "float32": "F32",
    "float64": "F64",
    "int32": "I32",
    "int64": "I64",
    "uint32": "U32",
    "uint8": "U8",
    "bool": "BOOL",
}
_KEYS = {"format", "version", "sha256", "arrays", *PARTS}
_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"  # begins with no dot: neither `..` nor hidden names
_NAME = re.compile(
    rf"preview|(generator|training_generator|discriminator|optimizer|state)(/{_WORD})+", re.ASCII
)
# A string, or the rest where its end is missing; possessive, so that time is linear.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_LEVELS = np.zeros(256, np.int8)
_LEVELS[list(b"[{")], _LEVELS[list(b"]}")] = 1, -1


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

    def to_plain(self) -> dict[str, Any]:
        """The entry as it stands in the document."""
        shape = list(self.shape)
        return {"shape": shape, "dtype": self.dtype, "bytes": self.size, "sha256": self.sha256}


def build_document(parts: Mapping[str, object], entries: Iterable[ArrayEntry]) -> str:
    """The document of these parts and arrays, in the one form that is accepted when read.

    Raises:
        Refused: it holds what JSON cannot.
    """
    arrays = {entry.name: entry.to_plain() for entry in entries}
    document = {"format": FORMAT, "version": VERSION, "arrays": arrays, **parts}
    return encode({**document, "sha256": _hash(document)})


def read_document(content: str) -> tuple[dict[str, Any], list[ArrayEntry]]:
    """The parts and the arrays of a document, checked.

    Raises:
        Refused: it is not what `build_document` would have written.
    """
    document = parse(content.encode("ascii", "backslashreplace"))
    if document.get("format") != FORMAT:
        raise Refused(f"is not a DCGAN model: its format is not {FORMAT!r}")
    unsigned = {key: value for key, value in document.items() if key != "sha256"}
    if document.get("sha256") != _hash(unsigned) or encode(document) != content:
        raise Refused("is damaged or was edited: its document does not match its checksum")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise Refused(f"has no valid file version; expected a whole number from 1 to {VERSION}")
    if version > VERSION:
        raise Refused(
            f"was made by a newer dcgan (file version {version}, this program reads up to "
            f"{VERSION}): update with `pip install -U dcgan`"
        )
    if set(document) - {CARD} != _KEYS:
        raise Refused(f"has other parts than it should: {sorted(set(document) ^ _KEYS)[:5]!a:.200}")
    check_card(document.get(CARD, {}))
    for key in (*PARTS, "arrays"):
        if not isinstance(document[key], dict):
            raise Refused(f"has {key!r} that is no dictionary")
    if "save_path" in document["options"]:
        raise Refused("names a folder to write to, save_path, in its options, which no file may")
    arrays = document["arrays"]
    if len(arrays) > MAX_ARRAYS:
        raise Refused(f"lists {len(arrays)} arrays; at most {MAX_ARRAYS} are read")
    entries = [_entry(name, arrays[name]) for name in sorted(arrays)]
    _check_bounds(entries)
    if not is_generator_only(arrays) and not (document["training"] and document["optimizers"]):
        raise Refused("holds more than a generator, but not the training state or the optimizers")
    return {key: document[key] for key in (*PARTS, CARD) if key in document}, entries


def check_card(card: object) -> None:
    """Refuse a card that holds other than a few texts.

    Raises:
        Refused: it has an unknown field, or a text that is no short string.
    """
    texts = card.items() if isinstance(card, dict) else [("", None)]
    for name, text in texts:
        if name not in CARD_FIELDS or not isinstance(text, str) or len(text) > MAX_CARD_TEXT:
            raise Refused(
                f"has a card with {name!r:.50}; expected texts of at most {MAX_CARD_TEXT:,} "
                f"characters by the names {', '.join(CARD_FIELDS)}"
            )


def encode(value: Mapping[str, object]) -> str:
    """The value as JSON in its one form: sorted, compact, ASCII.

    Raises:
        Refused: it holds what JSON cannot.
    """
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(
            f"has a document of other than plain values ({error!s:.100}); expected finite numbers, "
            "strings, booleans, lists, dictionaries"
        ) from error


def is_generator_only(names: Iterable[str]) -> bool:
    """Whether arrays of these names are a generator without what training needs."""
    return all(name.startswith(GENERATOR_GROUP) or name == PREVIEW for name in names)


def hash_of_generator(entries: Iterable[ArrayEntry]) -> str:
    """One SHA-256 for what generates the images: equal in a full file and a generator-only one."""
    parts = [
        [entry.name, list(entry.shape), entry.dtype, entry.sha256]
        for entry in entries
        if entry.name.startswith(GENERATOR_GROUP)
    ]
    return hashlib.sha256(json.dumps(sorted(parts)).encode("ascii")).hexdigest()


def check_name(name: str) -> None:
    """Refuse an array name outside the known groups."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise Refused(
            f"names an array {name!a:.80}; expected generator/, training_generator/, "
            "discriminator/, optimizer/ or state/ and plain words"
        )


def parse(content: bytes) -> dict[str, Any]:
    """Parse JSON of bounded size, depth and numbers, without repeated keys.

    Raises:
        Refused: it is too long or too deep, or no such JSON.
    """
    tokens = sum(content.count(mark) for mark in (b'"', b",", b"[", b"{"))
    if len(content) > MAX_HEADER_BYTES or tokens > MAX_TOKENS:
        raise Refused(f"has a header that is too long ({len(content)} bytes, {tokens} tokens)")
    levels = _LEVELS[np.frombuffer(_STRING.sub(b"", content), np.uint8)]
    if levels.cumsum(dtype=np.int32).max(initial=0) > MAX_NESTING:
        raise Refused(f"has a header nested deeper than {MAX_NESTING} levels")
    try:
        document = json.loads(
            content.decode("ascii"),
            object_pairs_hook=_unique_keys,
            parse_int=_bounded_integer,
            parse_float=_finite_float,
            parse_constant=_finite_float,
        )
    except ValueError as error:
        raise Refused(f"is damaged: its header is not valid JSON ({error!s:.100})") from error
    if not isinstance(document, dict):
        raise Refused("is damaged: its header is no dictionary")
    return document


def _check_bounds(entries: list[ArrayEntry]) -> None:
    """Bound what no plan describes: the optimizers' arrays, the preview, and the position."""
    weights = [entry.values for entry in entries if entry.name.startswith(NETWORK_GROUPS)]
    if not any(entry.name.startswith(GENERATOR_GROUP) for entry in entries):
        raise Refused("holds no generator: no array's name begins with 'generator/'")
    left = MAX_OPTIMIZER_COPIES * sum(weights) + MAX_OPTIMIZER_SCALARS
    for entry in entries:
        if entry.name.startswith(OPTIMIZER_GROUP):
            left -= entry.values
            if entry.values > max(weights) or left < 0:
                raise Refused(f"has more in {entry.name!r} than an optimizer of its networks can")
        if entry.name == POSITION:
            content = entry.dtype == "uint8" and len(entry.shape) == 1
            if not content or entry.size > MAX_POSITION_BYTES:
                raise Refused(
                    f"has a position in the dataset that is none: {entry.dtype} {entry.shape}"
                )
        if entry.name == PREVIEW:
            image = entry.dtype == "uint8" and len(entry.shape) == 3 and entry.shape[2] in (1, 3, 4)
            if not image or not 0 < entry.size <= MAX_PREVIEW_BYTES:
                raise Refused(f"has a preview that is no image: {entry.dtype} {entry.shape}")


def _entry(name: str, value: Any) -> ArrayEntry:
    check_name(name)
    if not isinstance(value, dict) or value.keys() != {"shape", "dtype", "bytes", "sha256"}:
        raise Refused(f"describes array {name!r} wrongly; expected shape, dtype, bytes and sha256")
    shape, dtype = value["shape"], value["dtype"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise Refused(f"gives array {name!r} the type {dtype!a:.40}; expected one of {[*DTYPES]}")
    good = isinstance(shape, list) and len(shape) <= MAX_RANK
    if not good or not all(type(axis) is int and 0 <= axis <= MAX_AXIS for axis in shape):
        raise Refused(f"gives array {name!r} the shape {shape!a:.60}; expected a few whole numbers")
    entry = ArrayEntry(name, tuple(shape), dtype, value["sha256"])
    if encode(entry.to_plain()) != encode(value):
        raise Refused(f"gives array {name!r} {value['bytes']!a:.40} bytes instead of {entry.size}")
    return entry


def _hash(document: dict[str, Any]) -> str:
    return hashlib.sha256(encode(document).encode("ascii")).hexdigest()


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, Any]:
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
