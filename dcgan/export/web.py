"""A generator as one page that makes new images in any browser, with its weights inside."""

import re
from collections.abc import Mapping

import keras
import numpy as np
from keras import layers

from dcgan.errors import MAX_SEED, ArgumentError, printable
from dcgan.pages.directions import find_directions, first_layer
from dcgan.pages.templating import render

DIRECTIONS = 8  # that have a slider
REACH = 3  # standard deviations to either end of a slider
# Numbers between -1 and 1 that HTML does not keep as characters: zero, a line end and "<", all of
# them below 4e-6. Each has a neighbor, or the other zero.
KEPT = {0x0000: 0x8000, 0x000D: 0x000E, 0x003C: 0x003D}
_MAP_PART = re.compile(r"stage_\d+_latent_(map|2d|channels)$")  # done with "addMap"


def web_page(generator: keras.Model, name: str, facts: Mapping[str, object]) -> bytes:
    """A page that runs a generator in JavaScript; it needs no network and no other file.

    The page is UTF-16, and each of its weights one character: the 16 bits of a float.

    Args:
        generator: latents `(n, input_size)` to images `(n, H, W, C)` in [-1, 1].
        name: title of the page.
        facts: plain values that describe the model, kept in the page: "img_size", "model",
            "license" and "latents" are shown.

    Raises:
        ArgumentError: a layer is none of those that `dcgan.networks.build` uses.
    """
    steps: list[dict] = []
    texts: list[str] = []
    for layer in generator.layers:
        for kind, numbers, arrays in _steps(layer, generator):
            written = [as_characters(array) for array in arrays]
            weights = [{"length": len(text), "scale": scale} for text, scale in written]
            steps.append({"kind": kind, **numbers, "weights": weights})
            texts += [text for text, _ in written]
    size = generator.input_shape[1]
    directions = find_directions(first_layer(generator), size, DIRECTIONS)
    text, scale = as_characters(directions.steps)
    page = render(
        "generator.html",
        name=printable(name),
        facts=facts,
        weight_count=f"{generator.count_params():,}",
        shares=directions.shares.tolist(),
        reach=REACH,
        max_seed=MAX_SEED,
        model={
            "name": printable(name),
            "inputSize": size,
            "image": generator.output_shape[1:],
            "layers": steps,
            "facts": facts,
            "directions": {"length": len(text), "scale": scale},
        },
        weights="".join([*texts, text]),
    )
    return ("\ufeff" + page).encode("utf-16-le")


def as_characters(array: np.ndarray) -> tuple[str, float]:
    """An array as one character per number, and the factor that they have to be multiplied by."""
    scale = float(np.abs(array).max()) or 1.0
    codes = (array.ravel() / scale).astype("<f2").view("<u2")
    for code, kept in KEPT.items():
        codes[codes == code] = kept
    return codes.tobytes().decode("utf-16-le"), scale


def _steps(layer: keras.Layer, generator: keras.Model) -> list[tuple[str, dict, list[np.ndarray]]]:
    """What the page does for a layer: the kind, its numbers and its weights, for each step."""
    arrays = [keras.ops.convert_to_numpy(weight) for weight in layer.weights]
    match layer:
        case layers.InputLayer() | layers.Dropout():
            return []
        case layers.Dense() | layers.Reshape() if layer.name.endswith(("_scale", "_factors")):
            return []  # part of what follows
        case layers.Dense() | layers.Reshape() | layers.Conv2D() if _MAP_PART.match(layer.name):
            return []
        case layers.Multiply() if layer.name.endswith("_scaled"):
            scale = generator.get_layer(layer.name.replace("_scaled", "_scale"))
            kernel, bias = map(keras.ops.convert_to_numpy, scale.weights)
            return [("modulate", {}, [kernel.T, bias])]
        case layers.Add() if layer.name.endswith("_latent_added"):
            names = (layer.name.replace("_added", part) for part in ("_map", "_channels"))
            found = [generator.get_layer(name).weights[0] for name in names]
            kernel, factors = map(keras.ops.convert_to_numpy, found)
            return [("addMap", {}, [kernel.T, factors.ravel()])]
        case layers.Dense():
            kernel = arrays[0].T  # (units, inputs)
            return [("dense", {"filters": len(kernel)}, [kernel]), *_bias(arrays)]
        case layers.Conv2DTranspose():  # its kernel is (height, width, filters, channels)
            excess = zip(layer.kernel_size, layer.strides, strict=True)
            pad = [max(side - step, 0) // 2 for side, step in excess]
            return [_convolution(arrays[0], layer.strides, pad), *_bias(arrays)]
        case layers.Conv2D():  # turned about, it is a transposed one of stride 1
            kernel = arrays[0][::-1, ::-1].transpose(0, 1, 3, 2)
            pad = [side // 2 for side in layer.kernel_size]
            return [_convolution(kernel, (1, 1), pad), *_bias(arrays)]
        case layers.BatchNormalization():
            gamma, beta, mean, variance = arrays
            factors = gamma / np.sqrt(variance + layer.epsilon)
            return [("affine", {}, [factors, beta - mean * factors])]
        case layers.Reshape():
            return [("reshape", {"shape": layer.target_shape}, [])]
        case layers.UpSampling2D():
            return [("resize", {"stride": layer.size}, [])]
        case layers.AveragePooling2D():
            return [("average", {"window": layer.pool_size}, [])]
        case layers.Cropping2D():
            (top, _), (left, _) = layer.cropping
            height, width = layer.output.shape[1:3]
            where = {"top": top, "left": left, "height": height, "width": width}
            return [("crop", where, [])]
        case layers.ReLU():
            return [("relu", {"slope": 0}, [])]
        case layers.LeakyReLU():
            return [("relu", {"slope": layer.negative_slope}, [])]
        case layers.Activation() if layer.activation is keras.activations.tanh:
            return [("tanh", {}, [])]
    raise ArgumentError(
        f"A page cannot run the layer {layer.name!r} of kind {type(layer).__name__}. Expected: a "
        "generator of this package. Choose another format."
    )


def _convolution(
    kernel: np.ndarray, stride: tuple[int, int], pad: list[int]
) -> tuple[str, dict, list[np.ndarray]]:
    numbers = {"kernel": kernel.shape[:2], "stride": stride, "pad": pad, "filters": kernel.shape[2]}
    return "convolve", numbers, [kernel]


def _bias(arrays: list[np.ndarray]) -> list[tuple[str, dict, list[np.ndarray]]]:
    """The step for the bias, if there is one."""
    return [("affine", {}, [np.ones_like(bias), bias]) for bias in arrays[1:]]
