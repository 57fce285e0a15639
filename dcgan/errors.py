"""Exceptions that a user can catch, and the checks of values that raise them."""

import numbers
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NoReturn, TypeVar, get_args, get_origin

Key = TypeVar("Key")

MAX_SEED = 2**31 - 1  # what every backend's random generators take
MAX_COUNT = 2**53  # larger whole numbers have no exact JSON
MAX_PARTS = 50  # of a list of plain values
MAX_POSITION_BYTES = 128 << 20  # in a user's dataset; a shuffle keeps its images in it


class DCGANError(Exception):
    """Anything this package refuses or cannot do. The message says what is wrong and what to do."""


class ArgumentError(DCGANError, ValueError):
    """An argument has a value that cannot work. Raised before any work is done."""


class DataError(DCGANError, ValueError):
    """The images cannot be used: missing, empty, not images, too many of them broken."""


class RunError(DCGANError, OSError):
    """A run folder cannot be used: locked, read-only, made with other settings, out of disk."""


class ModelFileError(DCGANError, ValueError):
    """A model file is missing, damaged, hostile, too new, or not a model file at all."""


class TrainingError(DCGANError, ArithmeticError):
    """Training cannot go on: the losses or weights are not finite, or a network has collapsed."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python or a framework had no memory left, which each says in its own way."""
    names = ("MemoryError", "ResourceExhaustedError", "OutOfMemoryError")
    words = ("RESOURCE_EXHAUSTED", "DefaultCPUAllocator")  # JAX; PyTorch on a processor
    return type(error).__name__ in names or any(word in str(error) for word in words)


def printable(name: str) -> str:
    """`name` with line breaks, control characters and broken unicode written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def ranked(counts: Mapping[Key, int]) -> list[tuple[Key, int]]:
    """Keys and their counts, the highest count first."""
    return sorted(counts.items(), key=lambda pair: -pair[1])


def counted(number: int, thing: str) -> str:
    """`1 image`, `2,000 images`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def refuse(name: str, expected: str, received: object) -> NoReturn:
    """Raise `ArgumentError` with the argument's name, what is expected and what was received."""
    raise ArgumentError(f"{name} must be {expected}. Received: {name}={received!r:.200}")


def whole(name: str, value: object, low: int, high: int) -> int:
    """`value` as an int within [low, high]; raises `ArgumentError` if it is none."""
    good = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not good or not low <= value <= high:  # type: ignore[operator]
        refuse(name, f"a whole number from {low:,} to {high:,}", value)
    return int(value)  # type: ignore[call-overload]


def real(name: str, value: object, low: float, high: float) -> float:
    """`value` as a finite float within [low, high]; raises `ArgumentError` if it is none."""
    good = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not good or not low <= value <= high:  # type: ignore[operator]
        refuse(name, f"a number from {low:g} to {high:g}", value)
    return float(value)  # type: ignore[arg-type]


def dataclass_from(kind: Any, values: object) -> Any:
    """A dataclass from plain values, as `asdict` or JSON has them; plain defaults fill gaps.

    Raises:
        ArgumentError: a part is unknown, of another kind than its field, or lacks a default.
    """
    rows = {row.name: row for row in fields(kind)}
    plain = int | float | str | None
    needed = {name for name, row in rows.items() if not isinstance(row.default, plain)}
    if not isinstance(values, Mapping) or not needed <= set(values) <= set(rows):
        raise ArgumentError(
            f"A {kind.__name__} has exactly the parts {', '.join(rows)}. Received: {values!r:.200}"
        )
    given = values.items()
    return kind(**{n: _part(f"{n} of a {kind.__name__}", rows[n].type, v) for n, v in given})


def _part(name: str, kind: Any, value: Any) -> Any:
    """`value` as what the annotation `kind` of a field names."""
    kinds = get_args(kind)
    if type(None) in kinds:
        return None if value is None else _part(name, kinds[0], value)
    if is_dataclass(kind):
        return dataclass_from(kind, value)
    if kinds and isinstance(value, list | tuple) and len(value) <= MAX_PARTS:
        if get_origin(kind) is list or kinds[-1] is ...:
            kinds = kinds[:1] * len(value)
        if len(kinds) == len(value):
            pairs = zip(kinds, value, strict=True)
            return get_origin(kind)(_part(name, each, part) for each, part in pairs)
    good = {
        int: type(value) is int and 0 <= value <= MAX_COUNT,
        float: type(value) in (int, float) and abs(value) < 1e300,  # and not NaN
        bool: type(value) is bool,
        str: isinstance(value, str) and len(value) <= 200,
    }
    if not good.get(kind):
        raise ArgumentError(
            f"The {name} is of a wrong kind or out of range. Received: {value!r:.200}"
        )
    return value


@dataclass(frozen=True)
class Whole:
    """A whole number within [low, high]."""

    low: int
    high: int

    def check(self, name: str, value: object) -> int:
        return whole(name, value, self.low, self.high)


@dataclass(frozen=True)
class Real:
    """A finite number within [low, high]."""

    low: float
    high: float

    def check(self, name: str, value: object) -> float:
        return real(name, value, self.low, self.high)


@dataclass(frozen=True)
class Pair:
    """(height, width), each within [low, high]; one whole number stands for both."""

    low: int
    high: int

    def check(self, name: str, value: object) -> tuple[int, int]:
        if isinstance(value, numbers.Integral) and not isinstance(value, bool):
            value = (value, value)
        if not isinstance(value, list | tuple) or len(value) != 2:
            refuse(name, f"whole numbers (height, width) from {self.low} to {self.high}", value)
        height, width = (whole(name, side, self.low, self.high) for side in value)
        return height, width


@dataclass(frozen=True)
class ImageSize:
    """(height, width, channels) of an image; one whole number is a square in color."""

    low: int
    high: int

    def check(self, name: str, value: object) -> tuple[int, int, int]:
        expected = (
            f"(height, width, channels), sides from {self.low} to {self.high} pixels and channels "
            "1 (gray), 3 (color) or 4 (with alpha)"
        )
        if isinstance(value, numbers.Integral) and not isinstance(value, bool):
            value = (value, value, 3)
        if not isinstance(value, list | tuple) or len(value) != 3:
            refuse(name, expected, value)
        try:
            height, width = (whole(name, side, self.low, self.high) for side in value[:2])
            channels = whole(name, value[2], 1, 4)
        except ArgumentError:
            refuse(name, expected, value)
        if channels == 2:
            refuse(name, expected, value)
        return height, width, channels


@dataclass(frozen=True)
class Color:
    """(red, green, blue), each from 0 to 255."""

    def check(self, name: str, value: object) -> tuple[int, int, int]:
        if not isinstance(value, list | tuple) or len(value) != 3:
            refuse(name, "(red, green, blue), each from 0 to 255", value)
        red, green, blue = (whole(name, part, 0, 255) for part in value)
        return red, green, blue


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    choices: tuple[str, ...]

    def check(self, name: str, value: object) -> str:
        if not isinstance(value, str) or value not in self.choices:
            refuse(name, "one of " + ", ".join(map(repr, self.choices)), value)
        return value


@dataclass(frozen=True)
class Switch:
    """True or False."""

    def check(self, name: str, value: object) -> bool:
        if not isinstance(value, bool):
            refuse(name, "True or False", value)
        return value


@dataclass(frozen=True)
class Folder:
    """The path of a folder."""

    def check(self, name: str, value: object) -> str:
        if not isinstance(value, str | os.PathLike) or not os.fspath(value):
            refuse(name, "the path of a folder, or None", value)
        return str(os.fspath(value))


@dataclass(frozen=True)
class ModelName:
    """A name that Keras takes for a model."""

    def check(self, name: str, value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z][\w.-]{0,63}", value, re.A):
            refuse(name, "up to 64 letters, digits and _.-, a letter first", value)
        return value


@dataclass(frozen=True)
class Unchecked:
    """An optimizer or a plan, which is checked where it is made."""

    def check(self, name: str, value: object) -> object:
        return value
