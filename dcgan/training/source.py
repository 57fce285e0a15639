"""Sources of training images: folders, arrays, and a user's own datasets of batches."""

import hashlib
import logging
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dcgan.augment import RAMP_PASSES, strength_for
from dcgan.backend.devices import gather_from_processes, process_id, processes
from dcgan.data.batches import Batches
from dcgan.data.decode import ImageSet
from dcgan.data.image_set import Subset, open_images, split
from dcgan.data.own_batches import Share, Source, is_stream, open_batches
from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import ArgumentError, DataError
from dcgan.inspection.advice import enlarged, expectation
from dcgan.options import Options
from dcgan.storage.run_folder import SAMPLE_SET
from dcgan.training.state import DataFacts

logger = logging.getLogger("dcgan")

SAMPLE_SET_COUNT = 1_000


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
            raise DataError(f"{str(x)!r} cannot be a path: it holds a null character.")
        name = Path(x).resolve().name
        return re.sub(r"(\.(npy|npz|gz|idx\d-ubyte))+$", "", name) or "images"
    if is_stream(x):
        return "dataset"
    try:  # other images are another run
        return f"array-{hashlib.sha256(np.ascontiguousarray(x).data).hexdigest()[:8]}"
    except (ValueError, TypeError):
        return "array"  # opening it says what is wrong


def open_source(
    x: object, options: Options, *, steps=None, validation_data=None, run_path=None, verbose=0
) -> Source:
    """Open what `fit` was given.

    Args:
        x: see `DCGAN.fit`.
        options: of the model.
        steps: batches that make an epoch, as the user has given it, or None.
        validation_data: images to hold out instead of a part of `x`, or None.
        run_path: the run folder, whose own images are not trained on.
        verbose: 0 shows no progress bar.

    Raises:
        DataError: the images cannot be used.
    """
    if is_stream(x):
        return _of_batches(x, options, steps)
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


def _of_batches(x: object, options: Options, steps: int | None) -> Source:
    own = open_batches(x, options.img_size, steps)
    if processes() == 1:
        return own
    shortest = int(gather_from_processes([own.steps_per_epoch or 0]).min()) or None
    if not (steps or shortest):
        raise ArgumentError(
            "steps_per_epoch must be given, since several processes must take the same number of "
            "steps, and the datasets do not all say how many batches make an epoch."
        )
    share = options.batch_size // processes()
    return replace(
        own,
        batches=lambda first: Share(own.batches(first), share),
        batch_size=options.batch_size,
        steps_per_epoch=shortest,
    )


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
        options.batch_size,
        batches(0).steps_per_epoch,
        strength_for(len(images)),
        RAMP_PASSES * len(train),
        images=images,
        train=Subset(images.pixels, train),
        held_out=held_out,
        path=path,
    )
