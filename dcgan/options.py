"""The table of options: name, default, limits, group and help of everything a user can set.

The constructor's checks and `get_config`, the command line's flags, the comparison of a resumed run
and the manual's table are all read from `Options`. No framework is imported here.
"""

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from dcgan.errors import (
    MAX_SEED,
    ArgumentError,
    Choice,
    Color,
    Folder,
    ImageSize,
    ModelName,
    Pair,
    Real,
    Switch,
    Unchecked,
    Whole,
    refuse,
)

MIN_SIDE, MAX_SIDE = 4, 2048  # pixels; a DCGAN of larger images fits no machine its users have
MAX_DEPTH = 12  # 2048 halves eleven times
MAX_FILTERS = 8192
MAX_LATENT = 65_536
MAX_KERNEL = 31
MAX_BATCH = 65_536
MAX_MODEL_SEED = MAX_SEED // 1000  # each layer takes a seed of its own after the model's
MAX_STEPS = 10**9
PRECISIONS = ("float32", "mixed_bfloat16")
UPSAMPLINGS = ("antialiased", "transposed", "resize")
DISCRIMINATOR_NORMS = ("batch", "none")
RESIZE_RULES = ("crop", "stretch", "pad")


def option(
    default: Any, kind: Any, group: str, help: str, *, fixed: str = "", flag: bool = True
) -> Any:
    """One row of the table.

    Args:
        default: the value where none is given; where it is None, None is always accepted.
        kind: one of the kinds in `errors`; its `check(name, value)` returns the value in one form.
        group: "network", "training" and "data" are stored in model files; "run" is not.
        help: what it does, in sentences.
        fixed: why a resumed run cannot change it, as none of "network" can; empty where it can.
        flag: whether the command line has a flag of this name.
    """
    fixed = "it shapes the networks" if group == "network" else fixed
    metadata = {"kind": kind, "group": group, "help": help, "fixed": fixed, "flag": flag}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Options:
    """Every option of `DCGAN` with the value that was given, checked.

    Raises:
        ArgumentError: a value is out of its limits; the message names the option.
    """

    # fmt: off
    save_path: str | os.PathLike[str] | None = option(None, Folder(), "run",
        "Run folder for samples, checkpoints and the log. None: a folder in Results with the name "
        "of the images.")
    kernel_size: tuple[int, int] = option((4, 4), Pair(1, MAX_KERNEL), "network",
        "Height and width of every convolution kernel, in pixels. A multiple of the stride avoids "
        "checkerboards (Odena et al. 2016, Distill).")
    stride: tuple[int, int] = option((2, 2), Pair(1, MAX_KERNEL), "network",
        "Height and width by which each convolution shrinks or enlarges its map.")
    input_size: int = option(100, Whole(1, MAX_LATENT), "network", "Length of the latent vector.")
    img_size: tuple[int, int, int] = option((150, 150, 3), ImageSize(MIN_SIDE, MAX_SIDE), "network",
        "Height, width and channels of the images. Any height and width from 4 to 2048 pixels; "
        "channels 1 (gray), 3 (color) or 4 (color and alpha). One number is a square in color.")
    dropout: float = option(0.0, Real(0, 0.95), "network",
        "Share of the discriminator's activations that is dropped in training.")
    depth: int = option(4, Whole(1, MAX_DEPTH), "network",
        "Number of convolutions in the discriminator, and of upsampling ones in the generator.")
    increment: int = option(32, Whole(1, MAX_FILTERS), "network",
        "Filters added per stage: increment, 2 * increment, ... from the image inwards.")
    batch_size: int = option(None, Whole(1, MAX_BATCH), "training",
        "Images per training step. None: 16, or 8 from depth 5 on.")
    optimizer: object = option(None, Unchecked(), "training",
        "Optimizer of the generator: a learning rate for Adam with beta_1 0.5, or a "
        "Keras optimizer or its name. None: Adam with 2e-4 (Radford et al. 2016, section 4).")
    discriminator_optimizer: object = option(None, Unchecked(), "training",
        "Optimizer of the discriminator. None: the same settings as the generator's.")
    seed: int = option(0, Whole(0, MAX_MODEL_SEED), "training",
        "Seed of the initial weights, the latents, the augmentation, the order of the images and "
        "the choice of those held out.", fixed="it decides which images are held out")
    ema_momentum: float = option(0.999, Real(0, 0.999999), "training",
        "Momentum per step of the exponential moving average (EMA) of the generator's weights, "
        "which generates the images. 0 keeps the weights of the last step.")
    augmentation: float | None = option(None, Real(0, 1), "training",
        "Strength of the random changes under which the discriminator sees all images, reached "
        "after 200 passes. None: by the number of images (for a dataset of batches: 0).")
    horizontal_flip: bool = option(False, Switch(), "data",
        "Train on horizontally flipped images too.")
    resize: str = option("crop", Choice(RESIZE_RULES), "data",
        "How images of another shape are fitted: crop covers the size and cuts the rest off, "
        "stretch distorts, pad adds bars.")
    background: tuple[int, int, int] = option((255, 255, 255), Color(), "data",
        "Red, green and blue (0 to 255) behind transparent pixels and around padded images.")
    upsampling: str = option("antialiased", Choice(UPSAMPLINGS), "network",
        "How the generator enlarges its maps: antialiased, by transposed convolution and a blur, "
        "which leaves no grid; transposed, without the blur; resize, by nearest neighbor and a "
        "convolution.")
    discriminator_norm: str | None = option(None, Choice(DISCRIMINATOR_NORMS), "network",
        "Normalization in the discriminator. None: batch up to depth 4, none from depth 5 on.")
    one_stage: bool = option(True, Switch(), "training",
        "Train both networks from one pass of the discriminator over the generated images, where "
        "it has no BatchNorm (Shen et al. 2021). False: update them in turn.")
    growing: bool = option(True, Switch(), "training",
        "Where the shorter side has 160 pixels or more, begin with the inner stages and small "
        "images, and add the outer stages during the first half of the run (Karras et al. 2018). "
        "False: train the whole networks from the start.",
        fixed="it decides with which networks a run begins")
    precision: str | None = option(None, Choice(PRECISIONS), "training",
        "Number format of the networks in training. None: mixed_bfloat16 on hardware that "
        "multiplies it, else float32; a resumed run keeps its own. Images are made in float32.")
    network_plan: object = option(None, Unchecked(), "network",
        "A `Plan` (or its dict) in place of all options that shape the networks.", flag=False)
    sample_steps: int = option(200, Whole(1, MAX_STEPS), "run",
        "Training steps between two grids of samples.")
    checkpoint_seconds: float = option(300.0, Real(0, 1e9), "run",
        "Seconds between two checkpoints, at most.")
    measure_steps: int = option(250, Whole(1, MAX_STEPS), "run",
        "Training steps between two measurements of the samples, at least.")
    name: str = option("dcgan", ModelName(), "run", "Name of the Keras model.", flag=False)
    # fmt: on

    def __post_init__(self) -> None:
        if self.precision == "mixed_float16":
            refuse(
                "precision",
                "'float32' or 'mixed_bfloat16', since float16 needs loss scaling, which two "
                "networks with an optimizer each cannot share",
                self.precision,
            )
        for row in fields(self):
            given = getattr(self, row.name)
            if given is not None or row.default is not None:
                checked = row.metadata["kind"].check(row.name, given)
                object.__setattr__(self, row.name, checked)


def table() -> dict[str, Field[Any]]:
    """The rows of the table by name, in the order of the constructor's arguments."""
    return {row.name: row for row in fields(Options)}


def in_groups(*groups: str) -> list[str]:
    """Names of the options of these groups, optimizers and plan aside, which have own forms."""
    rows = [row for row in fields(Options) if not isinstance(row.metadata["kind"], Unchecked)]
    return [row.name for row in rows if row.metadata["group"] in groups]


def to_plain(options: Options, *groups: str) -> dict[str, object]:
    """The options of these groups as values that JSON can hold."""
    values = {name: getattr(options, name) for name in in_groups(*groups)}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def from_plain(values: Mapping[str, object]) -> Options:
    """Options from what `to_plain` gave, or from a file; what is missing or None is the default.

    Raises:
        ArgumentError: an option is unknown or out of its limits, or names a folder to write to.
    """
    if "save_path" in values:
        raise ArgumentError("save_path names a folder to write to, which no file may.")
    if unknown := sorted(values.keys() - table().keys()):
        raise ArgumentError(f"DCGAN has no argument {unknown[0]!r:.99}.")
    given = {name: value for name, value in values.items() if value is not None}
    return Options(**given)  # type: ignore[arg-type]


def describe_changes(earlier: Mapping[str, object], now: Mapping[str, object]) -> dict[str, str]:
    """What differs between two sets of plain options, in a line for each by name.

    Args:
        earlier, now: plain values by name, of a run folder and of this call.
    """
    lines = {}
    for name, row in table().items():
        if name in earlier and name in now and earlier[name] != now[name]:
            reason = f" ({row.metadata['fixed']})" if row.metadata["fixed"] else ""
            lines[name] = f"{name}: {earlier[name]!r} in the folder, {now[name]!r} now{reason}"
    return lines


def markdown_table() -> str:
    """The table of options for the manual."""
    lines = ["| option | default | group | what it does |", "|---|---|---|---|"]
    for name, row in table().items():
        default, meta = row.default, row.metadata
        lines.append(f"| `{name}` | `{default!r}` | {meta['group']} | {meta['help']} |")
    return "\n".join(lines) + "\n"
