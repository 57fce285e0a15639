"""Which values may an argument have? Checks at the door, each naming the argument."""

import math
import numbers

from dcgan.errors import ArgumentError


def refuse(name: str, expected: str, received: object) -> None:
    """Raise `ArgumentError` in the house's words."""
    raise ArgumentError(f"{name} must be {expected}. Received: {name}={received!r:.200}")


def whole(name: str, value: object, low: int, high: int) -> int:
    """`value` as an int within [low, high]."""
    good = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not good or not low <= value <= high:
        refuse(name, f"a whole number from {low:,} to {high:,}", value)
    return int(value)


def real(name: str, value: object, low: float, high: float) -> float:
    """`value` as a finite float within [low, high]."""
    good = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or not low <= value <= high:
        refuse(name, f"a number from {low:g} to {high:g}", value)
    return float(value)


def pair(name: str, value: object, low: int, high: int) -> tuple[int, int]:
    """`value` as two ints within [low, high]; one int stands for both axes."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        value = (value, value)
    if not isinstance(value, list | tuple) or len(value) != 2:
        refuse(name, f"two whole numbers (height, width) from {low} to {high}", value)
    return tuple(whole(name, item, low, high) for item in value)


def picture_size(name: str, value: object, low: int, high: int) -> tuple[int, int, int]:
    """`value` as (height, width, channels), channels being 1, 3 or 4."""
    good = isinstance(value, list | tuple) and len(value) == 3
    good = good and all(
        isinstance(item, numbers.Integral) and not isinstance(item, bool) for item in value
    )
    if not good or not all(low <= side <= high for side in value[:2]) or value[2] not in (1, 3, 4):
        refuse(
            name,
            f"(height, width, channels), sides from {low} to {high} pixels and channels 1 (grey), "
            "3 (colour) or 4 (with alpha)",
            value,
        )
    return tuple(int(item) for item in value)


def choice(name: str, value: object, choices: tuple) -> object:
    """`value`, if it is one of `choices`."""
    if value not in choices:
        refuse(name, "one of " + ", ".join(map(repr, choices)), value)
    return value
