"""Features: each image as a row of numbers, by a named network."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcgan.errors import ArgumentError
from dcgan.metrics.random_network import random_features

BATCH_SIZE = 64  # images at a time: bounds the memory; the features do not depend on it
BEHIND = 128  # the gray seen through transparent pixels: neither black nor white shapes vanish
MIN_INCEPTION_SIDE = 75  # pixels: the smallest side that Keras's InceptionV3 takes


@dataclass(frozen=True)
class FeatureNetwork:
    """A named function from images, uint8 (n, H, W, 3), to features, float (n, d).

    Args:
        name: stands beside every estimate; estimates of different names are not comparable.
        function: what computes the features, row by row.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]


def features(
    images: np.ndarray,
    network: str | os.PathLike[str] | Callable[..., Any] | FeatureNetwork = "random",
) -> np.ndarray:
    """Turn images into features.

    Args:
        images: uint8 (n, H, W, C), C of 1 (gray), 3 (color) or 4 (color and straight alpha).
        network: what `load_network` takes, or what it returned.

    Returns:
        float32 (n, d).

    Raises:
        ArgumentError: `network` cannot be used.
    """
    network = load_network(network)
    rows = []
    for start in range(0, len(images), BATCH_SIZE):
        batch = _to_color(np.asarray(images[start : start + BATCH_SIZE]))
        made = np.asarray(network.function(batch), np.float32)
        if made.ndim != 2 or len(made) != len(batch):
            raise ArgumentError(
                f"A feature network must turn {len(batch)} images into an array "
                f"({len(batch)}, features). Received: {made.shape} from network={network.name!r}. "
                "Average over the image, or flatten, inside the network."
            )
        if not np.isfinite(made).all():
            raise ArgumentError(
                "Features must be finite. Received: NaN or infinity from "
                f"network={network.name!r}. Use another feature network."
            )
        rows.append(made)
    return np.concatenate(rows)


def load_network(
    network: str | os.PathLike[str] | Callable[..., Any] | FeatureNetwork = "random",
) -> FeatureNetwork:
    """Find the feature network that is meant.

    Args:
        network: "random", the built-in one; "inception", Keras's InceptionV3 with ImageNet
            weights; the path of a `.keras` model that takes float images (n, H, W, 3) in
            [0, 255]; or a function from uint8 (n, H, W, 3) to (n, d).

    Raises:
        ArgumentError: there is no such network, or it cannot be had.
    """
    if isinstance(network, FeatureNetwork):
        return network
    if network == "random":
        return FeatureNetwork("random", random_features)
    if network == "inception":
        return FeatureNetwork("inception", _load_inception())
    if isinstance(network, (str, os.PathLike)):
        model, content = _load_keras_file(Path(network)), Path(network).read_bytes()
        name = f"{Path(network).name} ({hashlib.sha256(content).hexdigest()[:8]})"
        return FeatureNetwork(name, model)
    if callable(network):
        name = getattr(network, "__name__", "<lambda>")
        if name in ("<lambda>", "random", "inception"):  # which several functions may have
            name = f"{type(network).__name__} {id(network):x}"
        return FeatureNetwork(name, network)
    raise ArgumentError(
        "network must be 'random', 'inception', the path of a .keras file or a function. "
        f"Received: network={network!r:.200}"
    )


def scaling(real: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """How features are scaled so that each counts: centered, and divided by the real ones' spread.

    A feature that hardly varies among the real images (a corner that is always black) is not
    blown up: a tenth of the root mean square of all spreads is added, in quadrature.

    Args:
        real: features of real images, (n, d), that are the same for all that is compared.

    Returns:
        a function from features (m, d) to scaled ones, float64 (m, d).
    """
    mean, variance = real.mean(0, dtype=np.float64), real.var(0, dtype=np.float64)
    spread = np.sqrt(variance + 0.01 * variance.mean())
    spread = np.where(spread > 0, spread, 1.0)  # all real images are equal
    return lambda rows: (rows - mean) / spread


def _to_color(images: np.ndarray) -> np.ndarray:
    """uint8 (n, H, W, 3): gray three times over, transparency laid on gray."""
    if images.shape[3] == 4:
        alpha = images[..., 3:] / np.float32(255)
        images = np.rint(images[..., :3] * alpha + BEHIND * (1 - alpha)).astype(np.uint8)
    return np.broadcast_to(images, (*images.shape[:3], 3))


def _load_inception() -> Callable[[np.ndarray], np.ndarray]:
    import keras

    try:
        model = keras.applications.InceptionV3(include_top=False, pooling="avg")
    except Exception as error:  # Keras raises bare exceptions of several kinds for a failed URL
        raise ArgumentError(
            "The ImageNet weights of InceptionV3 are not on this computer and could not be "
            "fetched. Connect to the internet once; or put Keras's file "
            "'inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5' into "
            "~/.keras/models; or use network='random', which needs no download. "
            f"Keras said: {error!s:.200}"
        ) from error

    def inception(images: np.ndarray) -> np.ndarray:
        images = keras.ops.cast(images, "float32")
        sides = [max(side, MIN_INCEPTION_SIDE) for side in images.shape[1:3]]
        if tuple(sides) != tuple(images.shape[1:3]):
            images = keras.ops.image.resize(images, sides, interpolation="bicubic")
        return keras.ops.convert_to_numpy(model(images / 127.5 - 1, training=False))

    return inception


def _load_keras_file(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    import keras

    if path.suffix != ".keras" or not path.is_file():
        raise ArgumentError(
            "network must be 'random', 'inception' or the path of a .keras file that exists. "
            f"Received: network={str(path)!r}"
        )
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for a damaged or refused file
        raise ArgumentError(
            f"The feature network {str(path)!r} cannot be loaded. Expected: a whole .keras file "
            f"of known layers, without Python code. Keras said: {error!s:.300}"
        ) from error

    def own(images: np.ndarray) -> np.ndarray:
        images = keras.ops.cast(images, "float32")
        try:
            sides = model.input_shape[1:3]
            if None not in sides and sides != tuple(images.shape[1:3]):
                images = keras.ops.image.resize(images, sides, interpolation="bicubic")
            return keras.ops.convert_to_numpy(model(images, training=False))
        except Exception as error:  # Keras raises many kinds for what does not fit
            raise ArgumentError(
                f"The feature network {str(path)!r} cannot take these images. Expected: a model "
                f"of images (n, height, width, 3). Keras said: {error!s:.300}"
            ) from error

    return own
