"""How good a model's images are, which of two models is better, and which images are kept."""

from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from typing import Any, Protocol

import numpy as np

from dcgan.data.decode import ImageSet
from dcgan.data.image_set import open_images, split
from dcgan.errors import MAX_SEED, ArgumentError, whole
from dcgan.images import chunks, straight_alpha
from dcgan.metrics import report
from dcgan.metrics.features import FeatureNetwork, load_network
from dcgan.networks.plan import widest_map
from dcgan.options import Options

MIN_IMAGES = 10  # fewer have no neighbors to speak of
MAX_IMAGES = 50_000

Source = str | PathLike[str] | np.ndarray
Network = str | PathLike[str] | Callable[[np.ndarray], np.ndarray] | FeatureNetwork


class Model(Protocol):
    """What is needed of a model; a `DCGAN` has it."""

    img_size: tuple[int, int, int]
    options: Options
    state: Any  # a TrainingState

    def generate(self, n: int, seed: int) -> np.ndarray: ...


def evaluate(
    model: Model,
    images: Source,
    *,
    n: int = 1000,
    seed: int = 0,
    network: Network = "random",
    progress: Callable[[int], object] | None = None,
) -> report.Evaluation:
    """Measure a model's images against those that it was trained on.

    Args:
        model: a `DCGAN`.
        images: what `open_images` takes: a folder, an array file or an array.
        n: number of images to generate, from 10 to 50,000.
        seed: seed of the generated images.
        network: feature network: "random", which needs no download; "inception", Keras's
            InceptionV3; the path of a `.keras` model; or a function from uint8 (n, H, W, 3) to
            (n, d). Estimates compare only under the same network.
        progress: called with the number of images just measured, many times; None: nothing is
            shown, not even while a folder is decoded.

    Raises:
        ArgumentError: a number or the network cannot be used.
        DataError: the images cannot be used.

    Examples:
        >>> print(evaluate(DCGAN.load("sea.dcgan"), "sea/").text())  # doctest: +SKIP
    """
    counted = _counting(check_arguments(n, seed, network), progress)
    real = _open(model, images, progress)
    train, held_out = (straight_alpha(real.pixels[part]) for part in _split(model, real))
    generated = model.generate(n, seed=seed)
    measured = report.evaluate(generated, train, held_out, counted)
    known = _trained_on(model, real)
    return replace(measured, notes=_notes(known), of_training=known is not False)


def compare(
    first: Model,
    second: Model,
    images: Source,
    *,
    n: int = 1000,
    seed: int = 0,
    network: Network = "random",
    progress: Callable[[int], object] | None = None,
) -> report.Comparison:
    """Tell which of two models makes images more like the given ones, or that none can be told.

    Both are measured against the same real images, which both were trained on, so that small
    differences show and neither model is favored.

    Args:
        first, second: two `DCGAN`s of one image size.
        images: what `open_images` takes: a folder, an array file or an array.
        n: number of images that each generates, from 10 to 50,000.
        seed, network, progress: as for `evaluate`.

    Raises:
        ArgumentError: the image sizes differ, or a number or the network cannot be used.
        DataError: the images cannot be used.
    """
    counted = _counting(check_arguments(n, seed, network), progress)
    if first.img_size != second.img_size:
        raise ArgumentError(
            "Two models are compared on images of one size. Received: the first generates "
            f"{first.img_size}, the second {second.img_size}."
        )
    real = _open(first, images, progress)
    both = np.intersect1d(_split(first, real)[0], _split(second, real)[0])
    train = straight_alpha(real.pixels[both])
    generated = [model.generate(n, seed=seed) for model in (first, second)]
    measured = report.compare(generated[0], generated[1], train, counted)
    return replace(measured, notes=_notes_on_pair(first, second, real))


def as_logs(model: Model, images: Any, return_dict: bool, keras_arguments: dict) -> dict:
    """What `DCGAN.evaluate` returns: the estimates as Keras's logs are, None where withheld."""
    if images is None or not return_dict or set(keras_arguments) - {"verbose"}:
        raise ArgumentError(
            "DCGAN.evaluate takes images, return_dict=True and verbose alone. For other arguments "
            "use dcgan.evaluate(model, images, n=..., seed=..., network=...)."
        )
    estimates = evaluate(model, images).estimates
    return {name.lower(): estimate.value for name, estimate in estimates.items()}


def check_arguments(n: int, seed: int, network: Network) -> FeatureNetwork:
    """The feature network, after a check of all that needs no model.

    Raises:
        ArgumentError: a number is out of its limits, or the network cannot be used.
    """
    whole("n", n, MIN_IMAGES, MAX_IMAGES)
    whole("seed", seed, 0, MAX_SEED)
    return load_network(network)


def _counting(network: FeatureNetwork, progress: Callable[[int], object] | None) -> FeatureNetwork:
    """The same network, which also says how many images it has seen."""
    if progress is None:
        return network

    def function(images: np.ndarray) -> np.ndarray:
        features = network.function(images)
        progress(len(images))
        return features

    return FeatureNetwork(network.name, function)


def _open(model: Model, images: Source, progress: object) -> ImageSet:
    """The images as the model was trained on them."""
    options = model.options
    return open_images(
        images,
        model.img_size,
        resize=options.resize,
        background=options.background,
        verbose=int(progress is not None),
    )


def _split(model: Model, images: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the images to compare with and of those held out, split as training did.

    The names and the seed decide which images are held out. None is where training held none out
    of these images, or where it is not known.
    """
    train, held_out = split(images.names, model.options.seed)
    data = model.state.data
    if data is None or (_trained_on(model, images) and data.held_out != len(held_out)):
        return np.arange(len(images)), held_out[:0]
    return train, held_out


def _trained_on(model: Model, images: ImageSet) -> bool | None:
    """Whether the model was trained on these images; None where it is not known."""
    data = model.state.data
    return None if data is None else data.fingerprint == images.fingerprint


def _notes(known: bool | None) -> tuple[str, ...]:
    if known:
        return ()
    if known is None:
        return (
            "The model does not say which images it was trained on (a dataset of batches, or "
            "none), so no image is taken as held out, and the verdict on copying holds only if it "
            "was trained on these.",
        )
    return (
        "The model was not trained on these images (names, sizes, times or content differ), so "
        "nothing can be told about copying.",
    )


def _notes_on_pair(first: Model, second: Model, images: ImageSet) -> tuple[str, ...]:
    """What makes a comparison of two models less fair."""
    one, two = ((model.options.resize, model.options.background) for model in (first, second))
    if one != two:
        return (
            f"The second model was trained with resize={two[0]!r} and background={two[1]}, and "
            f"both are compared with images of resize={one[0]!r} and background={one[1]}, which "
            "favors the first.",
        )
    notes = []
    for name, model in (("first", first), ("second", second)):
        if not (known := _trained_on(model, images)):
            how = "does not say whether it was" if known is None else "was not"
            notes.append(f"The {name} model {how} trained on these images.")
    return tuple(notes)


def best_rows(model: Any, latents: np.ndarray, best_of: int) -> np.ndarray:
    """Of every `best_of` latents, find that whose image the discriminator takes most for real.

    Fewer images are malformed then, and rare kinds of images become rarer. It is the simplest form
    of what Azadi et al. (2019, arXiv 1810.06758) do, who keep the proportions of the kinds.

    Args:
        model: a `DCGAN`.
        latents: float32 `(n * best_of, input_size)`.
        best_of: how many latents each choice is among.

    Returns:
        int64 `(n,)`: rows of `latents`.

    Raises:
        ArgumentError: the model has no discriminator.
    """
    if best_of == 1:
        return np.arange(len(latents))
    if model.discriminator is None:  # of a generator-only file
        raise ArgumentError(
            "best_of needs the discriminator, which a generator-only file lacks. Use the file that "
            "save(path) wrote without generator_only=True, or a checkpoint."
        )
    logits = np.empty(len(latents), np.float32)
    widest = max(widest_map(model.plan, network) for network in ("generator", "discriminator"))
    for chunk in chunks(len(latents), (widest,)):
        images = model.predict_here(model.generator, latents[chunk])
        logits[chunk] = model.predict_here(model.discriminator, images)[:, 0]
    groups = logits.reshape(-1, best_of)
    return np.arange(len(groups)) * best_of + groups.argmax(axis=1)
