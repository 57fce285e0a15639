"""The plan of both networks as plain numbers: what it is, its limits, and the sizes it implies."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dcgan.errors import ArgumentError, dataclass_from
from dcgan.options import (
    MAX_DEPTH,
    MAX_FILTERS,
    MAX_KERNEL,
    MAX_LATENT,
    MAX_SIDE,
    MIN_SIDE,
    UPSAMPLINGS,
)

Pair = tuple[int, int]

MAX_WEIGHTS = 80_000_000  # per network: a whole model file then stays below 4 GiB

NORMS = ("batch", "units", "none")  # "units": each unit of the first dense layer for itself
# Pixels of a map made from the latent; larger ones gained nothing. Model files depend on it
MAX_MAP = 2_500
DEEP = 5  # from this depth on, other defaults are better: benchmarks/QUALITY.md
INITIALIZERS = ("normal", "bilinear", "glorot")


@dataclass(frozen=True)
class Stage:
    """One convolution (or the generator's first dense layer) and what follows it.

    Attributes:
        size: height and width of the map it gives, in pixels.
        filters: channels of that map.
        kernel, stride: of the convolution, per axis.
        norm: "batch", "units" (first dense layer only) or "none".
        bias: whether the convolution has one.
        slope: of the leaky ReLU: 0 is the plain ReLU, 1 is no activation at all.
        dropout: share of activations dropped in training, after the activation.
    """

    size: Pair
    filters: int
    kernel: Pair
    stride: Pair
    norm: str = "batch"
    bias: bool = False
    slope: float = 0.0
    dropout: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Both networks as data. The defaults are the guidelines of Radford et al. 2016, section 3.

    Attributes:
        img_size: height, width, channels of an image.
        input_size: length of the latent vector.
        base: the generator's dense layer, reshaped to its `size` and `filters`.
        generator: stages from the base up to the image; the last one is followed by tanh.
        discriminator: stages from the image down; a dense layer to one logit follows.
        upsampling: "transposed" convolution; "antialiased", the same with a box blur as wide as the
            stride after each, which removes a grid of that period; or "resize", nearest neighbor
            and a convolution.
        activate_first: activation before normalization in the generator (two presets need it).
        initializer: "normal" is N(0, 0.02) (Radford et al. 2016, section 4), or He et al. 2015 in
            a discriminator without BatchNorm, where the signal would fade; "bilinear" the same,
            but transposed convolutions begin as bilinear interpolation; "glorot" is Keras's own.
        momentum: momentum of BatchNorm's moving statistics.
        logit_bias: whether the discriminator's last layer has a bias.
        self_modulation: whether the latent scales the channels of each of the generator's stages
            but the last (after Chen et al. 2019, arXiv 1810.01365, who also shift them).
        latent_maps: whether a map that is linear in the latent, times a factor for each channel, is
            added to each of the generator's inner stages of up to 2,500 pixels, so that the latent
            reaches them directly (after the skip-z of Brock et al. 2019, arXiv 1809.11096, sec. 3).
    """

    img_size: tuple[int, int, int]
    input_size: int
    base: Stage
    generator: tuple[Stage, ...]
    discriminator: tuple[Stage, ...]
    upsampling: str = "transposed"
    activate_first: bool = False
    initializer: str = "normal"
    momentum: float = 0.9
    logit_bias: bool = True
    self_modulation: bool = False  # files from before it do not name it
    latent_maps: bool = False  # nor this

    @property
    def discriminator_couples(self) -> bool:
        """Whether D's score of an image depends on the others of its batch, by BatchNorm."""
        return any(stage.norm != "none" for stage in self.discriminator)

    def has_latent_map(self, number: int) -> bool:
        """Whether a map made from the latent is added to this stage of the generator, from 1."""
        size = self.generator[number - 1].size
        inner = size != self.img_size[:2]
        return self.latent_maps and inner and math.prod(size) <= MAX_MAP


def plan_from_dict(values: Mapping) -> Plan:
    """Rebuild and check a plan from what `dataclasses.asdict` gave, or from a file.

    Raises:
        ArgumentError: a part is missing, unknown, of the wrong type, or out of bounds.
    """
    plan: Plan = dataclass_from(Plan, values)
    check_plan(plan)
    return plan


def check_plan(plan: Plan) -> None:
    """Refuse a plan whose numbers are out of bounds or do not fit each other.

    Raises:
        ArgumentError: names the part of the plan that is wrong.
    """
    height, width, channels = plan.img_size
    _require("img_size", plan.img_size, all(MIN_SIDE <= s <= MAX_SIDE for s in (height, width)))
    _require("img_size", plan.img_size, channels in (1, 3, 4))
    _require("input_size", plan.input_size, 1 <= plan.input_size <= MAX_LATENT)
    _require("upsampling", plan.upsampling, plan.upsampling in UPSAMPLINGS)
    _require("initializer", plan.initializer, plan.initializer in INITIALIZERS)
    _require("momentum", plan.momentum, 0 <= plan.momentum < 1)
    for name in ("generator", "discriminator"):
        count = len(getattr(plan, name))
        _require(f"number of {name} stages", count, 1 <= count <= MAX_DEPTH + 1)
    for stage in (plan.base, *plan.generator, *plan.discriminator):
        _check_stage(stage, plan.base)
    size = plan.base.size
    for stage in plan.generator:
        grown = (size[0] * stage.stride[0], size[1] * stage.stride[1])
        fits = grown[0] >= stage.size[0] and grown[1] >= stage.size[1]
        _require("generator stage's size", stage.size, fits)
        size = stage.size
    last = plan.generator[-1]
    _require("generator's output", last, (*last.size, last.filters) == plan.img_size)
    size = (height, width)
    for stage in plan.discriminator:
        size = shrunk(size, stage.stride)
        _require("discriminator stage's size", stage.size, stage.size == size)
    for network in ("generator", "discriminator"):
        count = count_weights(plan, network)
        if count > MAX_WEIGHTS:
            raise ArgumentError(
                f"The {network} would have {count:,} weights, of at most {MAX_WEIGHTS:,}. Use "
                "a smaller img_size, increment, kernel_size or input_size, larger stride or depth."
            )


def shrunk(size: Pair, stride: Pair) -> Pair:
    """Size of a map after a convolution of that stride."""
    return math.ceil(size[0] / stride[0]), math.ceil(size[1] / stride[1])


def _check_stage(stage: Stage, base: Stage) -> None:
    _require("size", stage.size, all(1 <= side <= MAX_SIDE for side in stage.size))
    _require("filters", stage.filters, 1 <= stage.filters <= MAX_FILTERS)
    _require("kernel", stage.kernel, all(1 <= side <= MAX_KERNEL for side in stage.kernel))
    _require("stride", stage.stride, all(1 <= step <= MAX_KERNEL for step in stage.stride))
    _require("norm", stage.norm, stage.norm in NORMS and (stage.norm != "units" or stage is base))
    _require("slope", stage.slope, 0 <= stage.slope <= 1)
    _require("dropout", stage.dropout, 0 <= stage.dropout < 1)


def _require(name: str, received: object, good: bool) -> None:
    if not good:
        raise ArgumentError(
            f"The network plan cannot be built: {name} is out of bounds. Received: {received}"
        )


def weight_shapes(plan: Plan, network: str) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of `network` ("generator" or "discriminator"), by arithmetic.

    Names are `layer/weight`; nothing is allocated.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    if network == "generator":
        height, width = plan.base.size
        units = height * width * plan.base.filters
        _add_layer(shapes, "base", (plan.input_size, units), units, plan.base)
        previous = plan.base.filters
    else:
        previous = plan.img_size[2]
    for number, stage in enumerate(getattr(plan, network), 1):
        channels = (previous, stage.filters)
        if network == "generator" and plan.upsampling != "resize":
            channels = channels[::-1]
        _add_layer(shapes, f"stage_{number}", (*stage.kernel, *channels), stage.filters, stage)
        if network == "generator" and plan.has_latent_map(number):
            shapes[f"stage_{number}_latent_map/kernel"] = (plan.input_size, math.prod(stage.size))
            shapes[f"stage_{number}_latent_channels/kernel"] = (1, 1, 1, stage.filters)
        if network == "generator" and plan.self_modulation and number < len(plan.generator):
            shapes[f"stage_{number}_scale/kernel"] = (plan.input_size, stage.filters)
            shapes[f"stage_{number}_scale/bias"] = (stage.filters,)
        previous = stage.filters
    if network == "discriminator":
        height, width = plan.discriminator[-1].size
        shapes["logit/kernel"] = (height * width * previous, 1)
        if plan.logit_bias:
            shapes["logit/bias"] = (1,)
    return shapes


def _add_layer(shapes: dict, name: str, kernel: tuple, outputs: int, stage: Stage) -> None:
    shapes[f"{name}/kernel"] = kernel
    if stage.bias:
        shapes[f"{name}/bias"] = (outputs,)
    if stage.norm != "none":
        units = outputs if stage.norm == "units" else stage.filters
        for weight in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"{name}_norm/{weight}"] = (units,)


def widest_map(plan: Plan, network: str) -> int:
    """Numbers in the largest map of `network` for one image."""
    stages = (plan.base, *plan.generator) if network == "generator" else plan.discriminator
    return max(stage.size[0] * stage.size[1] * stage.filters for stage in stages)


def training_bytes(plan: Plan, batch_size: int) -> int:
    """Rough bytes of memory of a training step: weights, optimizers, maps and their gradients."""
    maps = 0
    for passes, stages in ((1, (plan.base, *plan.generator)), (2, plan.discriminator)):
        maps += passes * sum(math.prod(stage.size) * stage.filters for stage in stages)
    weights = sum(count_weights(plan, network) for network in ("generator", "discriminator"))
    return 4 * (3 * batch_size * maps + 5 * weights)


def dropout_layers(plan: Plan, network: str) -> list[str]:
    """Names of the dropout layers of `network`, each of which has a random state."""
    stages = [("base", plan.base)] if network == "generator" else []
    stages += [(f"stage_{n}", stage) for n, stage in enumerate(getattr(plan, network), 1)]
    return [f"{name}_dropout" for name, stage in stages if stage.dropout]


def count_weights(plan: Plan, network: str) -> int:
    """Number of weights of `network`, BatchNorm's statistics included, as Keras counts them."""
    return sum(math.prod(shape) for shape in weight_shapes(plan, network).values())
