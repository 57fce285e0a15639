"""Presets: networks of known systems by name, each as a plan and its original training."""

import copy
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dcgan.errors import ArgumentError
from dcgan.networks.plan import Plan, Stage, count_weights
from dcgan.options import table

RECIPES = ("original", "own")
KERAS_MOMENTUM = 0.99  # of BatchNorm, where a system leaves Keras's default


@dataclass(frozen=True)
class Preset:
    """A system that others built.

    Attributes:
        source: who built it, in a few words.
        plan: both networks.
        training: arguments of `DCGAN` that make the training the original one.
        note: where its code, its text and its published counts differ, and which was taken.
        epochs: passes over the images of the original training; None where it is not known.
    """

    source: str
    plan: Plan
    training: Mapping[str, Any]
    note: str
    epochs: int | None = None

    @property
    def weights(self) -> tuple[int, int]:
        """Numbers of weights of the generator and the discriminator, as Keras counts them."""
        return count_weights(self.plan, "generator"), count_weights(self.plan, "discriminator")


def list_presets() -> dict[str, Preset]:
    """All presets by name, as a copy.

    Examples:
        >>> list_presets()["dcgan-64"].plan.img_size
        (64, 64, 3)
    """
    return copy.deepcopy(PRESETS)


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ArgumentError: there is none; the message lists all and names the closest.
    """
    if isinstance(name, str) and name in PRESETS:
        return PRESETS[name]
    close = difflib.get_close_matches(str(name), PRESETS, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise ArgumentError(
        f"preset must be one of {', '.join(PRESETS)}. Received: preset={name!r:.100}.{meant}"
    )


def preset_options(
    name: str, recipe: str = "original", changes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The arguments of `DCGAN` that make a preset.

    Args:
        name: of the preset.
        recipe: "original" trains as the preset's authors did: their optimizer, their batch size, no
            augmentation, no moving average. "own" takes their networks, and this package's defaults
            for the training.
        changes: arguments of `DCGAN` that replace the preset's.

    Raises:
        ArgumentError: the name or recipe is unknown, or a change contradicts the preset's networks.
    """
    preset = find_preset(name)
    if recipe not in RECIPES:
        raise ArgumentError(f"recipe must be 'original' or 'own'. Received: recipe={recipe!r:.100}")
    shaping = {option for option, row in table().items() if row.metadata["group"] == "network"}
    kept = {option: value for option, value in (changes or {}).items() if option not in shaping}
    for option in sorted(shaping & (changes or {}).keys()):
        _check_repeated(name, preset.plan, option, (changes or {})[option])
    training = preset.training if recipe == "original" else {}
    # Keras changes an optimizer's config while it reads it: it gets a copy
    return copy.deepcopy(dict(training)) | kept | {"network_plan": preset.plan}


def _check_repeated(name: str, plan: Plan, option: str, given: object) -> None:
    """Refuse an option that shapes the networks, unless it says what the plan says."""
    planned = plan if option == "network_plan" else getattr(plan, option, None)
    if planned is not None and (tuple(given) if isinstance(given, list) else given) == planned:
        return
    where = f" with {option}={planned}" if isinstance(planned, int | str | tuple) else ""
    raise ArgumentError(
        f"The preset {name!r} comes with its networks{where}, and {option} cannot change them. "
        f"Received: {option}={given!r:.100}. Leave it out, or build DCGAN({option}=...) without a "
        "preset."
    )


def _stage(size: tuple[int, int], filters: int, kernel: int, stride: int = 2, **rest: Any) -> Stage:
    return Stage(size, filters, (kernel, kernel), (stride, stride), **rest)


def _training(batch_size: int, optimizer: float | Mapping[str, Any]) -> dict[str, Any]:
    # None of these systems has augmentation or an EMA; all update their networks in turn.
    original = {"augmentation": 0.0, "ema_momentum": 0.0, "one_stage": False}
    return {"batch_size": batch_size, "optimizer": optimizer, **original}


_IMAGE: dict[str, Any] = {"norm": "none", "slope": 1.0}  # generator's last stage: only tanh follows


def class_system(img_size: tuple[int, int, int], base: tuple[int, int], depth: int) -> Plan:
    """Networks of Slimco86/DCGAN for any size of image.

    Filters grow by 32 per stage from the image inwards. The generator's maps double from `base`,
    (height, width) in pixels, and the last one is cropped to the image.
    """
    height, width, channels = img_size
    generator = [
        _stage((base[0] << level, base[1] << level), 32 * (depth + 1 - level), 3, bias=True)
        for level in range(1, depth)
    ]
    discriminator = [
        _stage(
            (math.ceil(height / 2**level), math.ceil(width / 2**level)),
            32 * level,
            3,
            bias=True,
            slope=0.2,
            dropout=0.4,
        )
        for level in range(1, depth + 1)
    ]
    return Plan(
        img_size=img_size,
        input_size=200,
        base=_stage(base, 32 * depth, 1, 1, norm="units", bias=True, dropout=0.4),
        generator=(*generator, _stage((height, width), channels, 3, bias=True, **_IMAGE)),
        discriminator=tuple(discriminator),
        initializer="glorot",
    )


_MNIST: dict[str, Any] = {
    "img_size": (28, 28, 1),
    "input_size": 100,
    "initializer": "glorot",
    "momentum": KERAS_MOMENTUM,
}

_MNIST_UPSAMPLE = Plan(
    **_MNIST,
    base=_stage((7, 7), 128, 1, 1, bias=True, slope=0.2),
    generator=(
        _stage((14, 14), 64, 3, bias=True, slope=0.2),
        _stage((28, 28), 1, 3, bias=True, **_IMAGE),
    ),
    discriminator=(
        _stage((14, 14), 64, 3, norm="none", bias=True, slope=0.2),
        _stage((7, 7), 128, 3, norm="none", bias=True, slope=0.2),
    ),
    upsampling="resize",
    activate_first=True,
)

_MNIST_PAPER = Plan(
    **_MNIST,
    base=_stage((7, 7), 256, 1, 1, norm="units", bias=True),
    generator=(
        _stage((7, 7), 128, 3, 1, bias=True),
        _stage((14, 14), 64, 3, bias=True),
        _stage((28, 28), 1, 3, bias=True, **_IMAGE),
    ),
    discriminator=(
        _stage((14, 14), 64, 3, norm="none", bias=True, slope=0.2, dropout=0.3),
        _stage((7, 7), 128, 3, bias=True, slope=0.2, dropout=0.3),
        _stage((4, 4), 256, 3, bias=True, slope=0.2, dropout=0.3),
        _stage((2, 2), 512, 3, bias=True, slope=0.2, dropout=0.3),
    ),
)

_MNIST_TUTORIAL = Plan(
    **_MNIST,
    base=_stage((7, 7), 256, 1, 1, norm="units", slope=0.3),
    generator=(
        _stage((7, 7), 128, 5, 1, slope=0.3),
        _stage((14, 14), 64, 5, slope=0.3),
        _stage((28, 28), 1, 5, bias=True, **_IMAGE),
    ),
    discriminator=(
        _stage((14, 14), 64, 5, norm="none", bias=True, slope=0.3, dropout=0.3),
        _stage((7, 7), 128, 5, norm="none", bias=True, slope=0.3, dropout=0.3),
    ),
)

_MNIST_SMALL = Plan(
    **_MNIST,
    base=_stage((7, 7), 128, 1, 1, bias=True, slope=1.0),
    generator=(
        _stage((14, 14), 64, 5, bias=True),
        _stage((28, 28), 1, 5, bias=True, **_IMAGE),
    ),
    discriminator=(
        _stage((14, 14), 64, 5, norm="none", bias=True, slope=0.3, dropout=0.5),
        _stage((7, 7), 128, 5, norm="none", bias=True, slope=0.3, dropout=0.5),
    ),
    activate_first=True,
)

_DCGAN_64 = Plan(
    img_size=(64, 64, 3),
    input_size=100,
    base=_stage((4, 4), 512, 1, 1),
    generator=(
        _stage((8, 8), 256, 4),
        _stage((16, 16), 128, 4),
        _stage((32, 32), 64, 4),
        _stage((64, 64), 3, 4, **_IMAGE),
    ),
    discriminator=(
        _stage((32, 32), 64, 4, norm="none", slope=0.2),
        _stage((16, 16), 128, 4, slope=0.2),
        _stage((8, 8), 256, 4, slope=0.2),
        _stage((4, 4), 512, 4, slope=0.2),
    ),
    logit_bias=False,
)

_SEA_NOTE = (
    "Its README says depth 4 and learning rate 2e-4 for both networks, its code depth 3 and 5e-5 "
    "for the discriminator; the README was taken, since its depth gives the published count. The "
    "code left real images at 0 to 255, and trained on uniform latents but sampled normal ones; "
    "here images are in [-1, 1] and latents are normal."
)
_FACES_NOTE = (
    "The original could not build it, since it computed both axes from the height. Here each axis "
    "is computed from its own side, and the counts are this project's. The rest is as for sea."
)

PRESETS = {
    "sea": Preset(
        "Slimco86/DCGAN, 2019: the sea images of its README",
        class_system((150, 150, 3), (10, 10), depth=4),
        _training(32, 2e-4),
        _SEA_NOTE,
    ),
    "faces": Preset(
        "Slimco86/DCGAN, 2019: the faces of its README",
        class_system((200, 180, 3), (7, 6), depth=5),
        _training(32, 2e-4),
        _FACES_NOTE,
    ),
    "faces-deep": Preset(
        "Slimco86/DCGAN, 2019: the faces, with more stages and a higher learning rate",
        class_system((200, 180, 3), (4, 3), depth=6),
        _training(32, 8e-4),
        _FACES_NOTE,
    ),
    "mnist-upsample": Preset(
        "a Keras DCGAN with UpSampling2D, from its layer tables",
        _MNIST_UPSAMPLE,
        _training(128, 2e-4),
        "Only its layer tables with their counts are known. Assumed: slope 0.2 and no dropout in "
        "the discriminator; batches of 128 and Adam 2e-4 with beta_1 0.5 as in Radford et al. "
        "2016. The counts show one mean per channel, not per unit, after the dense layer.",
    ),
    "mnist-paper": Preset(
        "shvmshri/DCGAN_Tensorflow, 2020",
        _MNIST_PAPER,
        _training(128, 2e-4),
        "Its text gives Adam's beta_1 as 0.5, its code left 0.9; the text was taken. Its code says "
        "use_bias='False', a string that counts as true, so there are biases, as the published "
        "count shows. Its first BatchNorm had momentum 0.5; here all have Keras's 0.99.",
        epochs=50,
    ),
    "mnist-tutorial": Preset(
        "TensorFlow's DCGAN tutorial, as others copied it",
        _MNIST_TUTORIAL,
        _training(256, {"class_name": "Adam", "config": {"learning_rate": 1e-4, "beta_1": 0.9}}),
        "The generator's last layer has a bias, as the published count shows; without it, as in "
        "TensorFlow's own tutorial, there are 2,330,944 weights. LeakyReLU has the slope 0.3, "
        "Keras's default at that time.",
        epochs=50,
    ),
    "mnist-small": Preset(
        "elvinaqa/DCGAN-Keras, 2020: two Sequential networks",
        _MNIST_SMALL,
        _training(32, {"class_name": "Adam", "config": {"learning_rate": 1e-3, "beta_1": 0.9}}),
        "Its first dense layer has no activation. It was trained on the digit 0 alone, with real "
        "and generated images in one batch of the discriminator; here each have their own.",
        epochs=20,
    ),
    "dcgan-64": Preset(
        "the PyTorch examples' dcgan, after Radford et al. 2016",
        _DCGAN_64,
        _training(64, 2e-4),
        "PyTorch counts trained weights only: 3,576,704 and 2,765,568. Keras counts BatchNorm's "
        "statistics too, 1,920 and 1,792 more. BatchNorm's scales start at 1 here, at N(1, 0.02) "
        "there; its epsilon is 1e-3 here, 1e-5 there.",
        epochs=25,
    ),
}
