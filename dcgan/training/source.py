"""Sources of training images: folders, arrays, and a user's own datasets of batches."""

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcgan.augment import RAMP_PASSES, strength_for
from dcgan.backend.devices import check_batches, process_id, processes
from dcgan.data.batches import Batches
from dcgan.data.image_set import ImageSet, Subset, open_images, split
from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import DataError, printable
from dcgan.inspection.advice import enlarged, expectation
from dcgan.options import Options
from dcgan.storage.run_folder import SAMPLE_SET
from dcgan.training.state import DataFacts

logger = logging.getLogger("dcgan")

SAMPLE_SET_COUNT = 1_000


@dataclass(frozen=True)
class Source:
    """What there is to train on. Nothing here changes a model or a run.

    Attributes:
        batches: from the first step to what Keras's `fit` takes.
        steps_per_epoch: batches that make an epoch, or None where that is unknown.
        augmentation: the strength that is proposed for so many images.
        ramp_steps: training steps until it is reached.
    """

    batches: Callable[[int], object]
    steps_per_epoch: int | None
    augmentation: float = 0.0
    ramp_steps: float = 1.0


@dataclass(frozen=True)
class ImageSource(Source):
    """Opened images, of which some are held out.

    Attributes:
        images: the opened images.
        train, held_out: those to train on, and those to measure by.
        path: where they come from, or None.
    """

    images: ImageSet = field(kw_only=True)
    train: Subset = field(kw_only=True)
    held_out: Subset = field(kw_only=True)
    path: str | None = field(kw_only=True)

    @property
    def facts(self) -> DataFacts:
        """What the images are, for the run folder and model files."""
        own = self.held_out.pixels is self.images.pixels
        held_out = len(self.held_out) if own else 0
        return DataFacts(len(self.images), self.images.fingerprint, held_out)


def run_name(x: object) -> str:
    """Name of the run folder for what is trained on."""
    if x is None:
        return "seascapes"
    if isinstance(x, str | Path):
        if "\0" in str(x):
            raise DataError(f"{printable(str(x))!r} cannot be a path: it holds a null character.")
        name = Path(x).resolve().name
        return re.sub(r"(\.(npy|npz|gz|idx\d-ubyte))+$", "", name) or "images"
    if is_stream(x):
        return "dataset"
    try:  # other images are another run
        return f"array-{hashlib.sha256(np.ascontiguousarray(x).data).hexdigest()[:8]}"
    except (ValueError, TypeError):
        return "array"  # opening it says what is wrong


def is_stream(x: object) -> bool:
    """Whether `x` gives batches itself, in an order that cannot be repeated from here."""
    return isinstance(x, keras.utils.PyDataset) or hasattr(x, "element_spec") or _is_loader(x)


def _is_loader(x: object) -> bool:
    """Whether `x` is a `torch.utils.data.DataLoader`, without importing PyTorch."""
    return any(cls.__module__.startswith("torch.utils.data") for cls in type(x).__mro__)


def open_source(
    x: object, options: Options, *, validation_data=None, run_path=None, verbose=0
) -> Source:
    """Open what `fit` was given.

    Args:
        x: see `DCGAN.fit`.
        options: of the model.
        validation_data: images to hold out instead of a part of `x`, or None.
        run_path: the run folder, whose own images are not trained on.
        verbose: 0 shows no progress bar.

    Raises:
        DataError: the images cannot be used.
    """
    if is_stream(x):
        return _open_stream(x, options.img_size)
    fitting = {"resize": options.resize, "background": options.background, "verbose": verbose}
    shown: Any = x
    if x is None:
        logger.info("No images were given: a sample set of seascapes is drawn.")
        shown = draw_seascapes(SAMPLE_SET_COUNT, options.img_size, options.seed)
    images = open_images(
        shown, options.img_size, exclude=run_path, cache_beside=run_path, **fitting
    )
    logger.info("%s. %s", images.summary(), expectation(len(images)))
    if warning := enlarged(images.originals, options.img_size):
        logger.warning(warning)
    if validation_data is None:
        train, others = split(images.names, options.seed)
        held_out = Subset(images.pixels, others)
    else:
        if isinstance(validation_data, tuple):  # Keras's (images, labels)
            validation_data = validation_data[0]
        given = open_images(validation_data, options.img_size, **fitting)
        train, held_out = np.arange(len(images)), Subset(given.pixels)
    path = str(Path(x).resolve()) if isinstance(x, str | Path) else None
    path = SAMPLE_SET if x is None else path
    return _of_images(images, train, held_out, options, path)


def without_held_out(source: ImageSource, options: Options) -> ImageSource:
    """The same images, all of them to train on."""
    nothing = Subset(source.images.pixels, np.arange(0))
    return _of_images(source.images, np.arange(len(source.images)), nothing, options, source.path)


def _of_images(
    images: ImageSet, train: np.ndarray, held_out: Subset, options: Options, path: str | None
) -> ImageSource:
    def batches(first_step: int) -> Batches:
        return Batches(
            images.pixels,
            options.batch_size,
            seed=options.seed,
            horizontal_flip=options.horizontal_flip,
            first_step=first_step,
            indices=train,
            share=(process_id(), processes()),
        )

    return ImageSource(
        batches,
        batches(0).steps_per_epoch,
        strength_for(len(images)),
        RAMP_PASSES * len(images) / options.batch_size,
        images=images,
        train=Subset(images.pixels, train),
        held_out=held_out,
        path=path,
    )


def _open_stream(x, img_size) -> Source:
    """A user's own batches, after a look at the first."""
    first = x[0] if isinstance(x, keras.utils.PyDataset) else next(iter(x), None)
    if _is_loader(x) and not isinstance(first, tuple | list):
        raise DataError(
            "The DataLoader must give tuples, such as (images, labels) or (images,), since Keras "
            f"takes no other. Received: {type(first).__name__}"
        )
    if first is not None:
        images = keras.utils.unpack_x_y_sample_weight(first)[0]
        images = keras.ops.convert_to_numpy(images)
        if images.dtype.kind == "f" and images.size and images.min() >= 0 and images.max() > 2:
            x, images = _scaled(x), images / 127.5 - 1  # as image_dataset_from_directory gives them
        _check_batch(images, img_size)
        spec = keras.tree.flatten(getattr(x, "element_spec", None))[0]
        check_batches(len(images), spec is None or spec.shape[0] is not None)
    if isinstance(x, keras.utils.PyDataset):
        length = x.num_batches
    else:
        length = len(x) if _is_loader(x) else int(x.cardinality())
    return Source(lambda first_step: x, length if length and length > 0 else None)


class _Scaled(keras.utils.PyDataset):
    """The images of another dataset, from [0, 255] to [-1, 1]."""

    def __init__(self, batches: keras.utils.PyDataset):
        super().__init__(workers=batches.workers, use_multiprocessing=batches.use_multiprocessing)
        self.batches = batches

    @property
    def num_batches(self):
        return self.batches.num_batches

    def __getitem__(self, index):
        return _scale(self.batches[index])

    def on_epoch_end(self):
        self.batches.on_epoch_end()


def _scale(batch):
    return keras.utils.unpack_x_y_sample_weight(batch)[0] / 127.5 - 1


def _scaled(x):
    """The same dataset with images in [-1, 1] in place of [0, 255]."""
    if isinstance(x, keras.utils.PyDataset):
        return _Scaled(x)
    if _is_loader(x):
        raise DataError(
            "The DataLoader gives floats in [0, 255]. Expected uint8, or floats in [-1, 1]: divide "
            "by 127.5 and subtract 1 in the dataset's transform."
        )
    return x.map(lambda *batch: _scale(batch[0]))


def _check_batch(images: np.ndarray, img_size: tuple[int, int, int]) -> None:
    height, width, channels = img_size
    if images.shape[1:] == (channels, height, width) != tuple(img_size):
        raise DataError(
            f"The dataset must give channels last: (n, {height}, {width}, {channels}). Received: "
            f"{images.shape}. In PyTorch: images.permute(0, 2, 3, 1)."
        )
    shape, kind = images.shape, images.dtype
    low, high = (float(images.min()), float(images.max())) if images.size else (0.0, 0.0)
    fits = len(shape) == 4 and tuple(shape[1:]) == tuple(img_size)
    whole = np.issubdtype(kind, np.integer)  # taken as 0 to 255
    least, most = (0, 255) if whole else (-1.001, 1.001)
    if not (fits and least <= low and high <= most):
        raise DataError(
            f"The dataset must give batches (n, {', '.join(map(str, img_size))}) of uint8, or of "
            f"floats in [-1, 1] or [0, 255]. Received: {shape} of {kind} from {low:.4g} to "
            f"{high:.4g}."
        )
    if not whole and low >= 0:
        logger.warning(
            "The first batch has no value below 0. Images in [0, 1] instead of [-1, 1] come out "
            "pale; convert them: dataset.map(lambda x: x * 2 - 1)."
        )
