"""Networks that grow: the plans of a training's phases, and how each is made from the one before.

Training begins with the innermost stages and small images, where a step costs little, and adds the
outer stages one by one (Karras et al. 2018, arXiv 1710.10196). They fade new stages in; here each
begins as what it replaces, an enlargement of the image or a mean of its pixels, so that growing
hardly changes what the networks give (Chen et al. 2016, arXiv 1511.05641).
"""

import math
import re
from dataclasses import replace

import keras
import numpy as np
from keras import ops

from dcgan.errors import ArgumentError
from dcgan.images import chunks
from dcgan.networks.build import triangle
from dcgan.networks.plan import Pair, Plan, Stage
from dcgan.networks.resolve import make_plan

MIN_SIDE_GROWN = 160  # pixels; at 150x150 images are worse for it, at 64x64 alike: QUALITY.md
MIN_SIDE_FIRST = 16  # pixels of the smallest images that a training begins with

Weights = dict[str, np.ndarray]  # by `layer/weight`


def phase_plans(plan: Plan) -> tuple[Plan, ...]:
    """The plans of a training's phases: small images first, `plan` itself last.

    Only networks as `make_plan` lays them out grow, and of large images; others have one phase.
    """
    phases = [plan]
    grows = min(plan.img_size[:2]) >= MIN_SIDE_GROWN and _can_grow(plan)
    for level in range(1, len(plan.discriminator)) if grows else ():
        stage = plan.discriminator[level - 1]
        if min(stage.size) < MIN_SIDE_FIRST or stage.filters < 2 * plan.img_size[2]:
            break
        phases.insert(0, _inner_plan(plan, level))
    return tuple(phases)


def _can_grow(plan: Plan) -> bool:
    """Whether the networks are as `make_plan` lays them out, and enlarge by interpolation."""
    first = plan.discriminator[0]
    whole_blocks = all(k >= s for k, s in zip(first.kernel, first.stride, strict=True))
    if plan.upsampling == "resize" or first.stride == (1, 1) or not whole_blocks:
        return False
    try:
        usual = make_plan(
            img_size=plan.img_size,
            depth=len(plan.discriminator),
            increment=first.filters,
            kernel_size=first.kernel,
            stride=first.stride,
            dropout=first.dropout,
            input_size=plan.input_size,
            upsampling=plan.upsampling,
            discriminator_norm=plan.discriminator[-1].norm,
        )
    except ArgumentError:
        return False
    ours = {name: getattr(plan, name) for name in ("self_modulation", "latent_maps")}
    return plan == replace(usual, **ours)


def _inner_plan(plan: Plan, level: int) -> Plan:
    """All but the outermost `level` stages, with 1x1 convolutions to and from the image."""
    stage = plan.discriminator[level - 1]
    point = (1, 1)
    to_image = replace(plan.generator[-1], size=stage.size, kernel=point, stride=point)
    from_image = replace(stage, kernel=point, stride=point, norm="none", bias=True)
    return replace(
        plan,
        img_size=(*stage.size, plan.img_size[2]),
        generator=(*plan.generator[: len(plan.discriminator) - level], to_image),
        discriminator=(from_image, *plan.discriminator[level:]),
    )


def shrink_to(images, size: Pair):
    """Shrink images `(n, H, W, C)` to `(n, *size, C)`: each pixel is the mean of a block.

    A block that reaches over the border repeats it, as 19 blocks of 2 do with 37 pixels.
    """
    if tuple(images.shape[1:3]) == tuple(size):
        return images
    for axis, side in enumerate(size, 1):
        large = images.shape[axis]
        block = -(-large // side)
        if side * block > large:
            places = np.minimum(np.arange(side * block), large - 1)
            images = ops.take(images, places, axis)
        shape = (*images.shape[1:axis], side, block, *images.shape[axis + 1 :])
        images = ops.mean(ops.reshape(images, (-1, *shape)), axis + 1)
    return images


def enlarge_to(images: np.ndarray, size: Pair) -> np.ndarray:
    """Enlarge float images `(n, h, w, C)` to `(n, *size, C)`, by bilinear interpolation."""
    if images.shape[1:3] == size:
        return images
    return ops.convert_to_numpy(ops.image.resize(images, size, data_format="channels_last"))


def grow_generator(old: keras.Model, new: keras.Model, plan: Plan, latents: np.ndarray) -> None:
    """Make `new`, a generator of the next phase, give the images of `old`, enlarged smoothly.

    Args:
        old, new: float32 generators of two phases that follow each other.
        plan: that of `new`.
        latents: float32 `(n, input_size)`; normalization takes its statistics from their images.
    """
    weights, fresh = _weights(old), _weights(new)
    outermost = max(n for n in range(len(plan.generator) + 1) if f"stage_{n}/kernel" in weights)
    name, stage = f"stage_{outermost}", plan.generator[outermost - 1]
    to_image, bias = weights.pop(f"{name}/kernel"), weights.pop(f"{name}/bias")
    enlarging = triangle(stage.kernel, stage.stride)[:, :, None, None] * to_image
    # ReLU lets x through as relu(x) - relu(-x), in two channels for each of the image's
    kernel = fresh[f"{name}/kernel"]
    kernel[:, :, : 2 * len(bias)] = np.concatenate([enlarging, -enlarging], 2)
    _let_through(fresh, f"{name}_norm", _outputs(old, -2, latents) - bias, sign=True)
    if plan.self_modulation:
        fresh[f"{name}_scale/kernel"][:, : 2 * len(bias)] = 0
    image, (height, width) = f"stage_{outermost + 1}", plan.generator[outermost].kernel
    around = ((height - 1) // 2, height // 2), ((width - 1) // 2, width // 2), (0, 0), (0, 0)
    grown = {
        f"{name}/kernel": kernel,
        f"{image}/kernel": np.pad(_signs(len(bias), stage.filters)[None, None], around),
        f"{image}/bias": bias,
    }
    _assign(new, {**fresh, **weights, **grown})


def grow_discriminator(old: keras.Model, new: keras.Model, plan: Plan, images: np.ndarray) -> None:
    """Make `new`, a discriminator of the next phase, score images as `old` scores them shrunk.

    Args:
        old, new: discriminators of two phases that follow each other.
        plan: that of `new`.
        images: float32 in [-1, 1] for `old`; normalization takes its statistics from them.
    """
    weights, fresh = _weights(old), _weights(new)
    from_image, bias = weights.pop("stage_1/kernel"), weights.pop("stage_1/bias")
    if plan.discriminator[0].stride != (1, 1):
        shrinking = _block_mean(plan.discriminator[0], plan.img_size[:2])[:, :, None, None]
        _assign(new, {**weights, "stage_1/kernel": shrinking * from_image, "stage_1/bias": bias})
        return
    # Leaky ReLU lets (1 + slope) * x through as the difference of its values at x and -x
    channels, (first, stage) = from_image.shape[2], plan.discriminator[:2]
    signs = _signs(channels, first.filters)
    shrinking = _block_mean(stage, first.size)[:, :, None, None]
    kernel = fresh["stage_1/kernel"]
    kernel[..., : 2 * channels] = signs[:, : 2 * channels]
    grown = {
        "stage_1/kernel": kernel,
        "stage_2/kernel": shrinking * (signs.T @ from_image[0, 0]) / (1 + first.slope),
    }
    if stage.norm == "none":
        grown["stage_2/bias"] = bias
    else:
        _let_through(fresh, "stage_2_norm", _outputs(old, 1, images) - bias)
        fresh["stage_2_norm/beta"][: len(bias)] += bias
    inner = {
        re.sub(r"^stage_(\d+)", lambda found: f"stage_{int(found[1]) + 1}", name): array
        for name, array in weights.items()
    }
    _assign(new, {**fresh, **inner, **grown})


def _signs(channels: int, filters: int) -> np.ndarray:
    """`(channels, filters)`: 1 in the first square, -1 in the next, else 0."""
    signs = np.zeros((channels, filters), "float32")
    signs[:, : 2 * channels] = np.hstack([np.eye(channels), -np.eye(channels)])
    return signs


def _block_mean(stage: Stage, size: Pair) -> np.ndarray:
    """The kernel with which a convolution takes the mean of each block of its stride."""
    taps = []
    for side, kernel, step, small in zip(size, stage.kernel, stage.stride, stage.size, strict=True):
        before = max((small - 1) * step + kernel - side, 0) // 2  # Keras's padding "same"
        place = np.arange(kernel) - before
        inside = (place >= 0) & (place < step)
        taps.append(inside / inside.sum())
    return np.multiply.outer(*taps).astype("float32")


def _let_through(fresh: Weights, norm: str, values: np.ndarray, sign: bool = False) -> None:
    """Set initial weights of a BatchNorm, so that it gives its first channels back as they are.

    Args:
        fresh: the initial weights.
        norm: name of the layer.
        values: `(n, H, W, channels)`, what these channels hold.
        sign: whether the same number of channels follows that hold the negated values.
    """
    mean, variance = values.mean((0, 1, 2)), values.var((0, 1, 2))
    if sign:
        mean, variance = np.r_[mean, -mean], np.r_[variance, variance]
    scale = np.sqrt(variance + keras.layers.BatchNormalization().epsilon)
    arrays = {"gamma": scale, "beta": mean, "moving_mean": mean, "moving_variance": variance}
    for weight, array in arrays.items():
        fresh[f"{norm}/{weight}"][: len(array)] = array


def _outputs(network: keras.Model, layer: int, inputs: np.ndarray) -> np.ndarray:
    """What a layer, by its number, gives for the inputs, as float32."""
    part = keras.Model(network.input, network.layers[layer].output)
    widest = max(math.prod(each.output.shape[1:]) for each in network.layers)
    return np.concatenate([
        ops.convert_to_numpy(ops.cast(part(inputs[chunk], training=False), "float32"))
        for chunk in chunks(len(inputs), (widest,))
    ])  # fmt: skip


def _weights(network: keras.Model) -> Weights:
    """Copies of all weights by `layer/weight`."""
    return {
        f"{layer.name}/{weight.name}": np.array(ops.convert_to_numpy(weight))
        for layer in network.layers
        for weight in layer.weights
    }


def _assign(network: keras.Model, weights: Weights) -> None:
    """Set the weights that are named."""
    for layer in network.layers:
        for weight in layer.weights:
            weight.assign(weights[f"{layer.name}/{weight.name}"])
