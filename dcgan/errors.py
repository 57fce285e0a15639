"""What can a caller catch? One base class, and a subclass for each kind of thing that fails."""


class DCGANError(Exception):
    """Anything this package refuses or cannot do. The message says what is wrong, what to do."""


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


def printable(name: str) -> str:
    """`name` with line breaks, control characters and broken unicode written as escapes."""
    return "".join(
        character if character.isprintable() else _escape(character) for character in name
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def counted(number: int, thing: str) -> str:
    """`1 image`, `2,000 images`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
