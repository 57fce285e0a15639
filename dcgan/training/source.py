"""What is trained on? A folder, arrays or a person's own data set, as a stream of batches."""

import hashlib
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from dcgan.augment import RAMP_PASSES, augmented_copies, strength_for
from dcgan.data import open_images
from dcgan.data.batches import Batches
from dcgan.data.order import split
from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import DataError
from dcgan.images import RUN_IMAGE, grid, save_png, unpremultiply
from dcgan.inspection.advice import enlarged, expectation
from dcgan.training.callbacks.previews import SAMPLE_COUNT

logger = logging.getLogger("dcgan")

SAMPLE_SET_COUNT = 1_000


@dataclass
class Feed:
    """What is trained on, and how long an epoch of it is."""

    make: object  # from the first step to what Keras's fit takes
    steps_per_epoch: int | None
    images: object = None  # the `ImageSet`, if it is one
    train: np.ndarray | None = None  # which of them are trained on
    held_out: np.ndarray | None = None  # and which are never shown, to measure by
    kept: dict = field(default_factory=dict)  # the state beside the arrays of a checkpoint


def run_name(x) -> str:
    """The name of the run folder for what is trained on."""
    if x is None:
        return "seascapes"
    if isinstance(x, str | Path):
        name = Path(x).resolve().name
        return re.sub(r"(\.(npy|npz|gz|idx\d-ubyte))+$", "", name) or "images"
    if is_stream(x):
        return "dataset"
    try:  # other images are another run
        return f"array-{hashlib.sha256(np.ascontiguousarray(x)).hexdigest()[:8]}"
    except (ValueError, TypeError):
        return "array"  # of no images: opening them says why


def is_stream(x) -> bool:
    """Whether `x` hands out batches itself, so that its order is not ours to repeat."""
    return isinstance(x, keras.utils.PyDataset) or hasattr(x, "element_spec")


def stream_feed(gan, x) -> Feed:
    """A person's own batches, after a look at the first.

    Raises:
        DataError: they are not what the networks take.
    """
    first = x[0] if isinstance(x, keras.utils.PyDataset) else next(iter(x), None)
    if first is not None:
        images = keras.utils.unpack_x_y_sample_weight(first)[0]
        _check_batch(keras.ops.convert_to_numpy(images), gan.img_size)
    length = x.num_batches if isinstance(x, keras.utils.PyDataset) else int(x.cardinality())
    return Feed(lambda first_step: x, length if length and length > 0 else None)


def _check_batch(images: np.ndarray, img_size: tuple[int, int, int]) -> None:
    shape, kind = images.shape, images.dtype
    low, high = (float(images.min()), float(images.max())) if images.size else (0.0, 0.0)
    fits = len(shape) == 4 and tuple(shape[1:]) == tuple(img_size)
    whole = np.issubdtype(kind, np.integer)  # these are taken for 0 to 255
    least, most = (0, 255) if whole else (-1.001, 1.001)
    if not (fits and least <= low and high <= most):
        raise DataError(
            f"The data set must hand out batches (n, {', '.join(map(str, img_size))}) of uint8, or "
            f"of floats in [-1, 1]. Received: {shape} of {kind} from {low:.4g} to {high:.4g}. For "
            "floats in 0 to 255: dataset.map(lambda x: x / 127.5 - 1)."
        )
    if not whole and low >= 0:
        logger.warning(
            "The first batch has no value below 0. If the images are in [0, 1], and not in "
            "[-1, 1], they will come out pale: dataset.map(lambda x: x * 2 - 1)."
        )


def image_feed(gan, x, run, verbose) -> Feed:
    """Open the images, show them as the networks will see them, and note which they are."""
    source = str(Path(x).resolve()) if isinstance(x, str | Path) else None
    if x is None:
        logger.info("No images were given: a sample set of seascapes is drawn.")
        x = draw_seascapes(SAMPLE_SET_COUNT, gan.img_size, gan.seed)
    options = gan.options
    images = open_images(
        x,
        gan.img_size,
        resize=options["resize"],
        background=options["background"],
        exclude=run.path,
        cache_beside=run.path,
        verbose=verbose,
    )
    logger.info("%s. %s", images.summary(), expectation(len(images)))
    if warning := enlarged(images.originals, gan.img_size):
        logger.warning(warning)
    images.write_skipped(run.skipped_path)
    train, held_out = _split(gan, run, images)
    gan.data = {
        "images": len(images),
        "sha256": images.fingerprint,
        "held_out": len(held_out),
    }
    run.record_data(gan.data, source)
    if options["augmentation"] is None:
        gan.augmentation = strength_for(len(images))
    gan.ramp_steps = RAMP_PASSES * len(images) / gan.batch_size
    gan.train_function = None  # Keras's compiled step has the old numbers in it
    shown = np.linspace(0, len(images) - 1, min(SAMPLE_COUNT, len(images))).astype(int)
    reals = np.stack([images.pixels[index] for index in shown])
    _write_sheet(run.path / "real.png", reals)
    if gan.augmentation:
        _write_sheet(run.path / "augmented.png", augmented_copies(reals, gan.augmentation))

    def make(first_step):
        return Batches(
            images.pixels,
            gan.batch_size,
            seed=gan.seed,
            mirror=options["mirror"],
            first_step=first_step,
            indices=train,
        )

    return Feed(make, make(0).steps_per_epoch, images, train, held_out)


def _split(gan, run, images) -> tuple[np.ndarray, np.ndarray]:
    """Which images are trained on and which held out; none where this run has seen them all."""
    train, held_out = split(images.names, gan.seed)
    if run.checkpoints.exist() and run.data.get("held_out") == 0 and len(held_out):
        logger.info("As when this run began, no images are held out; a new run (--new) would.")
        return np.arange(len(images)), held_out[:0]
    return train, held_out


def _write_sheet(path: Path, images: np.ndarray) -> None:
    """Images, premultiplied where they have 4 channels, side by side as a PNG."""
    images = unpremultiply(images) if images.shape[-1] == 4 else images
    save_png(path, grid(images), RUN_IMAGE)
