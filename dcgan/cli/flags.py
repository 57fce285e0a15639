"""Flags made from the table of options, the DCGAN that they ask for, and options as flags."""

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dcgan.errors import (
    MAX_SEED,
    ArgumentError,
    Choice,
    Color,
    ImageSize,
    Pair,
    Real,
    Switch,
    Unchecked,
    Whole,
)
from dcgan.options import table, to_plain

MAX_SEEDS = 100_000  # of one list
TITLES = {
    "network": "networks",
    "training": "training",
    "data": "how images are read",
    "run": "run folder",
}
# What messages of the library name as arguments, besides the options: the flag of each.
OTHER_FLAGS = {"resume": "--new", "n": "-n"} | {
    name: f"--{name}"
    for name in ("epochs", "minutes", "network", "preset", "recipe", "seeds", "truncation")
}


def add_option_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each option of the table, in the table's groups.

    A flag that is not given stays out of the namespace, so that a default stands in the table only.
    """
    groups = {name: parser.add_argument_group(title) for name, title in TITLES.items()}
    for name, row in _rows().items():
        text = row.metadata["help"]
        if row.default is None:
            text = text.replace("None: ", "Default: ")
        elif isinstance(row.default, bool):
            text = f"{text.replace('False: ', 'Off: ')} Default: {'on' if row.default else 'off'}."
        else:
            text += f" Default: {_typed(row.default)}."
        groups[row.metadata["group"]].add_argument(
            flag(name),
            dest=name,
            default=argparse.SUPPRESS,
            help=text.replace("%", "%%"),
            **_reading(row.metadata["kind"]),
        )


def given_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options among parsed arguments, by name."""
    given = {name: value for name, value in vars(arguments).items() if name in _rows()}
    if "img_size" in given:
        given["img_size"] = size_of(given["img_size"])
    return given


def size_of(typed: Sequence[int]) -> Any:
    """What `--img-size` means: a side of a square, height and width in color, or all three."""
    return typed[0] if len(typed) == 1 else (*typed, 3) if len(typed) == 2 else typed


def make_gan(
    arguments: argparse.Namespace, images: str | None, folder: str | None, defaults: Mapping
) -> tuple[Any, int | None]:
    """The DCGAN that the flags of `train` ask for, and its preset's epochs, if it has any.

    A run that is resumed has the options that it was begun with, but for those given now.

    Args:
        arguments: what was parsed.
        images: path of the images, or None.
        folder: the run folder that was given in place of images, or None.
        defaults: options in place of the table's, where a run is begun.
    """
    options, epochs = given_options(arguments), None
    if folder is not None:
        options["save_path"] = folder
    if arguments.dataset == "mnist":
        options.setdefault("save_path", "Results/mnist")
    if arguments.preset is not None:
        from dcgan.networks.presets import find_preset

        preset = find_preset(arguments.preset)  # a wrong name is refused before Keras is imported
        epochs = preset.epochs if arguments.recipe == "original" else None
    from dcgan import DCGAN  # imports Keras, which takes seconds
    from dcgan.backend.devices import use_devices
    from dcgan.training.resume import choose_folder, run_options

    use_devices(arguments.devices)
    if arguments.preset is not None:
        return DCGAN.from_preset(arguments.preset, recipe=arguments.recipe, **options), epochs
    earlier: dict[str, Any] = {}
    if not arguments.new:
        path, resume = choose_folder(images, options.get("save_path"), resume=True)
        earlier = run_options(path) if resume else {}
        if images is not None:  # without, a run folder would name its own images
            options["save_path"] = str(path)  # chosen, and said, once
    if arguments.start is not None and earlier:
        from dcgan.cli.console import say  # which imports this file

        say(f"--from is not used: the run in {path} has begun, and has weights. --new begins one.")
    if arguments.start is None or earlier:
        return DCGAN(**{**defaults, **earlier, **options}), epochs
    known = to_plain(DCGAN.load(arguments.start).options, "network")
    gan = DCGAN(**{**known, **options})
    gan.start_from(arguments.start)
    return gan, epochs


def flag(name: str) -> str:
    """`kernel_size` as `--kernel-size`."""
    return f"--{name.replace('_', '-')}"


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument MODEL, which `console.find_model` reads."""
    parser.add_argument(
        "model", metavar="MODEL", help="a .dcgan file, a run folder, or the name of a run"
    )


def add_truncation(parser: argparse.ArgumentParser) -> None:
    """Add the flag of `DCGAN.generate`'s truncation."""
    parser.add_argument(
        "--truncation",
        metavar="X",
        type=float,
        default=1.0,
        help="from 0 to 1; smaller gives more typical images that are more alike (default: 1)",
    )


def seed_list(text: str) -> list[int]:
    """Seeds as they are typed: `3,9,100-140`.

    Raises:
        ArgumentError: it is no such list, or a long one.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        last = last if dash else first
        good = first.isdecimal() and last.isdecimal() and int(first) <= int(last) <= MAX_SEED
        if not good or int(last) - int(first) + len(seeds) >= MAX_SEEDS:
            raise ArgumentError(
                f"--seeds must be at most {MAX_SEEDS:,} whole numbers and ranges, such as "
                f"3,9,100-140. Received: {text[:200]!r}"
            )
        seeds += range(int(first), int(last) + 1)
    return seeds


def as_flags(options: Mapping[str, object]) -> str:
    """Options as the words that give them on the command line: `--depth 3 --batch-size 8`."""
    return " ".join(f"{flag(name)} {_typed(value)}" for name, value in options.items())


def with_flags(message: str) -> str:
    """A message of the library in one line, and the flags of the arguments that it names."""
    flags = {name: flag(name) for name in _rows()} | OTHER_FLAGS
    named = dict.fromkeys(flags[word] for word in re.findall(r"\b(\w+)=", message) if word in flags)
    line = " ".join(message.split())
    if not named:
        return line
    return f"{line.removesuffix('.')}. On the command line: {', '.join(named)}."


def _rows() -> dict[str, Any]:
    return {name: row for name, row in table().items() if row.metadata["flag"]}


def _rate_or_name(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


# How argparse reads each kind of value
_READING: dict[type, dict[str, Any]] = {
    Switch: {"action": argparse.BooleanOptionalAction},
    Pair: {"type": int, "nargs": 2, "metavar": ("H", "W")},
    ImageSize: {"type": int, "nargs": "+", "metavar": "N"},
    Color: {"type": int, "nargs": 3, "metavar": ("R", "G", "B")},
    Whole: {"type": int, "metavar": "N"},
    Real: {"type": float, "metavar": "X"},
    Unchecked: {"type": _rate_or_name, "metavar": "RATE|NAME"},
}


def _reading(kind: object) -> dict[str, Any]:
    if isinstance(kind, Choice):
        return {"choices": kind.choices}
    return _READING.get(type(kind), {"metavar": "PATH"})


def _typed(value: object) -> str:
    """A value as it is typed after its flag."""
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
