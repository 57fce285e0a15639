"""Which values may an argument have? Checks at the door, each naming the argument."""

import math
import numbers
import os
import re

import numpy as np

from dcgan.errors import ArgumentError
from dcgan.networks import plan

MAX_SEED = 2**31 - 1  # what every backend's random generators take
MAX_BATCH = 65_536
PRECISIONS = ("float32", "mixed_bfloat16")


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


def image_size(name: str, value: object, low: int, high: int) -> tuple[int, int, int]:
    """`value` as (height, width, channels), channels being 1, 3 or 4."""
    good = isinstance(value, list | tuple) and len(value) == 3
    good = good and all(
        isinstance(item, numbers.Integral) and not isinstance(item, bool) for item in value
    )
    if not good or not all(low <= side <= high for side in value[:2]) or value[2] not in (1, 3, 4):
        refuse(
            name,
            f"(height, width, channels), sides from {low} to {high} pixels and channels 1 (gray), "
            "3 (color) or 4 (with alpha)",
            value,
        )
    return tuple(int(item) for item in value)


def choice(name: str, value: object, choices: tuple) -> object:
    """`value`, if it is one of `choices`."""
    if value not in choices:
        refuse(name, "one of " + ", ".join(map(repr, choices)), value)
    return value


def check_options(options: dict) -> dict:
    """Check the constructor's arguments, optimizers aside, and bring them into one form.

    Raises:
        ArgumentError: names the first argument that cannot work.
    """
    network_plan = options["network_plan"]
    if isinstance(network_plan, dict):
        network_plan = plan.plan_from_dict(network_plan)
    elif network_plan is not None and not isinstance(network_plan, plan.Plan):
        refuse("network_plan", "a dcgan.networks.plan.Plan, its dict, or None", network_plan)
    save_path = options["save_path"]
    if save_path is not None:
        if not isinstance(save_path, str | os.PathLike) or not os.fspath(save_path):
            refuse("save_path", "the path of a folder, or None", save_path)
        save_path = os.fspath(save_path)
    if options["precision"] == "mixed_float16":
        refuse(
            "precision",
            "'float32' or 'mixed_bfloat16': float16 needs loss scaling, which two players that "
            "step by themselves cannot share",
            "mixed_float16",
        )
    checked = {
        "save_path": save_path,
        "kernel_size": pair("kernel_size", options["kernel_size"], 1, plan.MAX_KERNEL),
        "stride": pair("stride", options["stride"], 1, plan.MAX_KERNEL),
        "input_size": whole("input_size", options["input_size"], 1, plan.MAX_LATENT),
        "img_size": image_size("img_size", options["img_size"], plan.MIN_SIDE, plan.MAX_SIDE),
        "dropout": real("dropout", options["dropout"], 0, 0.95),
        "depth": whole("depth", options["depth"], 1, plan.MAX_DEPTH),
        "increment": whole("increment", options["increment"], 1, plan.MAX_FILTERS),
        "batch_size": whole("batch_size", options["batch_size"], 1, MAX_BATCH),
        "seed": whole("seed", options["seed"], 0, MAX_SEED // 1000),
        "average": real("average", options["average"], 0, 0.999999),
        "augmentation": None
        if options["augmentation"] is None
        else real("augmentation", options["augmentation"], 0, 1),
        "mirror": choice("mirror", options["mirror"], (False, True)),
        "resize": choice("resize", options["resize"], ("crop", "stretch", "pad")),
        "background": color("background", options["background"]),
        "upsampling": choice("upsampling", options["upsampling"], (None, *plan.UPSAMPLINGS)),
        "discriminator_norm": choice(
            "discriminator_norm", options["discriminator_norm"], (None, "batch", "none")
        ),
        "one_stage": choice("one_stage", options["one_stage"], (False, True)),
        "precision": choice("precision", options["precision"], PRECISIONS),
        "network_plan": network_plan,
        "name": options["name"],
    }
    if unknown := sorted(options.keys() - checked.keys()):
        raise ArgumentError(f"DCGAN has no argument {unknown[0]!r:.99}.")
    name = checked["name"]
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", name):
        refuse("name", "up to 64 letters, digits and _.-, a letter first", name)
    if network_plan is not None:
        checked["img_size"] = network_plan.img_size
        checked["input_size"] = network_plan.input_size
    return checked


def plain_options(options: dict) -> dict:
    """Checked options as values that JSON can hold."""
    network_plan = options["network_plan"]
    plain = {name: list(v) if isinstance(v, tuple) else v for name, v in options.items()}
    plain["network_plan"] = None if network_plan is None else plan.plan_to_dict(network_plan)
    return plain


def color(name: str, value: object) -> tuple[int, int, int]:
    """`value` as (red, green, blue), each from 0 to 255."""
    if not isinstance(value, list | tuple) or len(value) != 3:
        refuse(name, "(red, green, blue), each from 0 to 255", value)
    return tuple(whole(name, item, 0, 255) for item in value)


def latents(name: str, value: object, count: object, size: int) -> np.ndarray:
    """`value` as finite float32 latents `(count, size)`."""
    try:
        array = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        array = np.empty(0)
    good = array.ndim == 2 and array.shape[1] == size and np.isfinite(array).all()
    if not good or count not in (None, len(array)):
        wanted = "n" if count is None else count
        refuse(name, f"finite numbers of shape ({wanted}, {size})", getattr(value, "shape", value))
    return array
