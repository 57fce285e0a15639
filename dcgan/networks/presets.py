"""Which known networks can I have by name? Each as a plan and its original training; data only."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dcgan.networks.plan import Plan, Stage

KERAS_MOMENTUM = 0.99  # of BatchNorm, where a system leaves Keras's default


@dataclass(frozen=True)
class Preset:
    """A system that others built.

    Attributes:
        source: who built it, in a few words.
        plan: both networks.
        training: `DCGAN`'s arguments that make the training the original one.
        note: where its code, its text and its published counts differ, and what was taken.
        epochs: passes over the images of the original training, where it says so.
    """

    source: str
    plan: Plan
    training: Mapping
    note: str
    epochs: int | None = None


def _stage(size: tuple[int, int], filters: int, kernel: int, stride: int = 2, **rest) -> Stage:
    return Stage(size, filters, (kernel, kernel), (stride, stride), **rest)


def _training(batch_size: int, optimizer: float | str | Mapping, **rest) -> dict:
    # None of these systems augments or averages; all update their networks in turn.
    original = {"augmentation": 0.0, "average": 0.0, "one_stage": False}
    return {"batch_size": batch_size, "optimizer": optimizer, **original, **rest}


_IMAGE = {"norm": "none", "slope": 1.0}  # G's last stage: tanh alone follows


def class_system(img_size: tuple[int, int, int], base: tuple[int, int], depth: int) -> Plan:
    """Widths grow by 32 inwards; maps double from the base, and the last is cropped."""
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
        momentum=0.9,
    )


_MNIST_UPSAMPLE = Plan(
    img_size=(28, 28, 1),
    input_size=100,
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
    initializer="glorot",
    momentum=KERAS_MOMENTUM,
)

_MNIST_PAPER = Plan(
    img_size=(28, 28, 1),
    input_size=100,
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
    initializer="glorot",
    momentum=KERAS_MOMENTUM,
)

_MNIST_TUTORIAL = Plan(
    img_size=(28, 28, 1),
    input_size=100,
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
    initializer="glorot",
    momentum=KERAS_MOMENTUM,
)

_MNIST_SMALL = Plan(
    img_size=(28, 28, 1),
    input_size=100,
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
    initializer="glorot",
    momentum=KERAS_MOMENTUM,
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
    "Its README says depth 4 and learning rate 2e-4 for both players, its code depth 3 and 5e-5 "
    "for the discriminator: the README was taken, whose depth has the count. The code left real "
    "images at 0..255 and trained on uniform latents but sampled normal ones: here images are "
    "in [-1, 1] and latents normal. Dropout before the leaky ReLU or after it is the same."
)
_FACES_NOTE = (
    "The original could not build it: it sized both axes by the height. Here the same arithmetic "
    "goes by axis; the counts are this project's. Otherwise as sea."
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
        "Slimco86/DCGAN, 2019: the faces, deeper and quicker",
        class_system((200, 180, 3), (4, 3), depth=6),
        _training(32, 8e-4),
        _FACES_NOTE,
    ),
    "mnist-upsample": Preset(
        "a Keras DCGAN with UpSampling2D, by its layer tables",
        _MNIST_UPSAMPLE,
        _training(128, 2e-4),
        "Known by its layer tables and their counts. Assumed, since they do not say: slope 0.2 and "
        "no dropout in the discriminator; batch 128 and Adam 2e-4 with beta_1 0.5 as in Radford et "
        "al. 2016. The count needs one mean per channel, not per unit, after the dense layer.",
    ),
    "mnist-paper": Preset(
        "shvmshri/DCGAN_Tensorflow, 2020",
        _MNIST_PAPER,
        _training(128, 2e-4),
        "Its text gives Adam's beta_1 as 0.5 and its code left 0.9: the text was taken. Its code "
        "says use_bias='False', which is true, so biases are on, and the count has them. Its first "
        "BatchNorm had momentum 0.5; here all have Keras's 0.99.",
        epochs=50,
    ),
    "mnist-tutorial": Preset(
        "TensorFlow's DCGAN tutorial, as others copied it",
        _MNIST_TUTORIAL,
        _training(256, {"class_name": "Adam", "config": {"learning_rate": 1e-4, "beta_1": 0.9}}),
        "The count has a bias in the generator's last layer, which TensorFlow's own tutorial has "
        "not (2,330,944 weights). LeakyReLU has the slope 0.3, Keras's default then.",
        epochs=50,
    ),
    "mnist-small": Preset(
        "elvinaqa/DCGAN-Keras, 2020: two Sequential networks",
        _MNIST_SMALL,
        _training(32, {"class_name": "Adam", "config": {"learning_rate": 1e-3, "beta_1": 0.9}}),
        "Its first dense layer has no activation. It was trained on the digit 0 alone, with real "
        "and generated images in one batch of the discriminator; here each has its own.",
        epochs=20,
    ),
    "dcgan-64": Preset(
        "the PyTorch examples' dcgan, after Radford et al. 2016",
        _DCGAN_64,
        _training(64, 2e-4),
        "PyTorch counts trained weights only: 3,576,704 and 2,765,568; with BatchNorm's statistics "
        "as Keras counts them it is 1,920 and 1,792 more. BatchNorm's scales start at 1 here, "
        "there at N(1, 0.02); its epsilon is Keras's 1e-3, there 1e-5.",
        epochs=25,
    ),
}
