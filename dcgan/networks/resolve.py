"""The plan that options ask for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dcgan.errors import ArgumentError, refuse
from dcgan.networks.plan import DEEP, Pair, Plan, Stage, check_plan, plan_from_dict, shrunk
from dcgan.options import MAX_DEPTH, Options, in_groups, table


def resolve(options: Options) -> tuple[Options, Plan]:
    """The plan that the options ask for, and the options with the sizes of that plan.

    It is their `network_plan`, or made from the other options that shape the networks.

    Raises:
        ArgumentError: the plan cannot be built, or an option next to `network_plan` contradicts it.
    """
    if options.network_plan is None:
        return options, make_plan(**{name: getattr(options, name) for name in in_groups("network")})
    plan = options.network_plan
    if not isinstance(plan, Plan):
        if not isinstance(plan, Mapping):
            refuse("network_plan", "a Plan, its dict, or None", plan)
        plan = plan_from_dict(plan)
    for name in in_groups("network"):
        given, planned = getattr(options, name), getattr(plan, name, None)
        if given not in (table()[name].default, planned):
            fixed = "" if planned is None else f" to {name}={planned}"
            raise ArgumentError(
                f"{name} contradicts network_plan, which lays the networks down{fixed}. "
                f"Received: {name}={given!r:.100}. Leave one of the two out."
            )
    size, length = plan.img_size, plan.input_size
    return replace(options, network_plan=plan, img_size=size, input_size=length), plan


def with_batch_size(options: Options, plan: Plan) -> Options:
    """The options with the batch size of such networks, if none is given."""
    size = options.batch_size or usual_batch_size(len(plan.discriminator))
    return replace(options, batch_size=size)


def usual_batch_size(depth: int) -> int:
    """Images per step where none are given: from depth 5 on, fewer, for more steps in a time."""
    return 8 if depth >= DEEP else 16


def make_plan(
    *,
    img_size: tuple[int, int, int],
    depth: int,
    increment: int,
    kernel_size: Pair,
    stride: Pair,
    dropout: float,
    input_size: int,
    upsampling: str = "antialiased",
    discriminator_norm: str | None = None,
) -> Plan:
    """Plan two networks: D shrinks 150 > 75 > 38, and G enlarges 38 > 75 > 150 as its mirror.

    Widths are `increment, 2 * increment, ...` from the image inwards. As Radford et al. 2016
    advise, G's output and D's input layer have no BatchNorm; None leaves it out of a deep D. G
    draws details with a stage of `increment` filters at full size and a last convolution, without
    a counterpart in D: a step takes about half as long again, and as many steps give much better
    images (benchmarks/QUALITY.md). The latent scales the channels of G's stages, and
    maps made from it are added to the inner ones, so that it need not pass through all of them.
    `dropout` acts in D only: in G it would make the image of a latent a matter of chance while
    training.

    Raises:
        ArgumentError: the image cannot be shrunk `depth` times; the message names the deepest.
    """
    height, width, channels = img_size
    sizes: list[Pair] = [(height, width)]
    for _ in range(depth):
        sizes.append(shrunk(sizes[-1], stride))
    if depth > (most := deepest(img_size, stride)):
        raise ArgumentError(
            f"depth={depth} is too deep: an image of {height}x{width} pixels can be shrunk at most "
            f"{most} times by stride {tuple(stride)}. Use depth={most} or less, or larger images."
        )
    norm = discriminator_norm or ("none" if depth >= DEEP else "batch")
    generator = [
        Stage(sizes[level], increment * max(level, 1), kernel_size, stride)
        for level in reversed(range(depth))
    ]
    image = Stage(sizes[0], channels, (3, 3), (1, 1), norm="none", bias=True, slope=1.0)
    discriminator = [
        Stage(
            sizes[level],
            increment * level,
            kernel_size,
            stride,
            norm="none" if level == 1 else norm,
            bias=level == 1 or norm == "none",
            slope=0.2,
            dropout=dropout,
        )
        for level in range(1, depth + 1)
    ]
    plan = Plan(
        img_size=img_size,
        input_size=input_size,
        base=Stage(sizes[depth], increment * depth, (1, 1), (1, 1)),
        generator=(*generator, image),
        discriminator=tuple(discriminator),
        upsampling=upsampling,
        initializer="bilinear",
        self_modulation=True,
        latent_maps=True,
    )
    check_plan(plan)
    return plan


def deepest(img_size: Sequence[int], stride: Pair) -> int:
    """How often every strided axis of the image can be shrunk before it is one pixel."""
    depths = []
    for side, step in zip(img_size[:2], stride, strict=True):
        depth = 0
        while step > 1 and side > 1:
            side, depth = math.ceil(side / step), depth + 1
        if step > 1:
            depths.append(depth)
    return min(depths, default=MAX_DEPTH)
