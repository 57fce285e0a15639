"""A user's own datasets of batches: checked by a look at the first one, and made to continue."""

import logging
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from dcgan.backend.devices import check_batches, processes
from dcgan.data.stream import Stream, images_of_batch
from dcgan.errors import DataError

MAX_LENGTH = 10**9  # batches; an endless dataset of grain says the largest number there is

logger = logging.getLogger("dcgan")


@dataclass(frozen=True)
class Source:
    """What there is to train on. Nothing here changes a model or a run.

    Attributes:
        batches: from the first step to what Keras's `fit` takes.
        batch_size: images per step; of a user's own batches, those in the first.
        steps_per_epoch: batches that make an epoch, or None where that is unknown.
        augmentation: the strength that is proposed for so many images.
        ramp_images: images until it is reached.
        stream: what knows where training is in a user's own batches, or None where nothing does.
    """

    batches: Callable[[int], Any]
    batch_size: int
    steps_per_epoch: int | None
    augmentation: float = 0.0
    ramp_images: float = 1.0
    stream: Stream | None = None


def is_stream(x: object) -> bool:
    """Whether `x` gives batches itself, in an order of its own."""
    keras_knows = isinstance(x, keras.utils.PyDataset) or _is_tensorflow(x) or _is_torch(x)
    return keras_knows or hasattr(x, "state_dict") or _has_states(x)


def open_batches(x: Any, img_size: tuple[int, int, int], steps: int | None) -> Source:
    """A user's own batches, after a look at the first.

    Args:
        x: what `is_stream` knows.
        img_size: (height, width, channels) of the model.
        steps: batches that make an epoch, as the user has given it, or None.

    Raises:
        DataError: these are no batches of images, or not of this size.
    """
    numbered = isinstance(x, keras.utils.PyDataset)
    first = x[0] if numbered else next(iter(x), None)
    if _is_torch(x) and not isinstance(first, tuple | list):
        raise DataError(
            "The DataLoader must give tuples, such as (images, labels) or (images,), since Keras "
            f"takes no other. Received: {type(first).__name__}"
        )
    count = 0
    if first is not None:
        images = images_of_batch(first)
        if images.dtype.kind == "f" and images.size and images.min() >= 0 and images.max() > 2:
            x, images = _scaled(x), images / 127.5 - 1  # as image_dataset_from_directory gives them
        _check_batch(images, img_size)
        count = len(images)
        spec = keras.tree.flatten(getattr(x, "element_spec", None))[0]
        check_batches(count, spec is None or spec.shape[0] is not None)
    length = _length(x)
    if numbered:
        return Source(lambda first_step: _later(x, first_step), count, length)
    reason = "it does not say how many batches make an epoch, which steps_per_epoch would"
    if steps or length:
        try:
            stream = Stream(_passes(x), length)
            return Source(stream.from_step, count, length, stream=stream)
        except Exception as error:  # the dataset's own
            reason = f"{error}"[:300]
    logger.info("A resumed run begins this dataset anew, since %s.", reason)
    if processes() > 1:  # all take the same number of steps: no dataset may end
        endless = Stream(lambda: iter(x), length, keeps_states=False)
        return Source(endless.from_step, count, length)
    return Source(lambda first_step: x, count, length)


def _is_tensorflow(x: object) -> bool:
    """Whether `x` is a dataset of TensorFlow, without importing it."""
    return hasattr(x, "element_spec")


def _is_torch(x: object) -> bool:
    """Whether `x` is a `torch.utils.data.DataLoader`, without importing PyTorch."""
    return any(cls.__module__.startswith("torch.utils.data") for cls in type(x).__mro__)


def _has_states(x: object) -> bool:
    """Whether `x` is an iterable whose iterators say where they are, as grain's do."""
    other = isinstance(x, str | bytes | list | tuple | Iterator) or hasattr(x, "__array__")
    return not other and isinstance(x, Iterable) and hasattr(iter(x), "get_state")


def _passes(x: Any) -> Callable[[], Any]:
    """What begins a pass over a dataset, with an iterator that says where it is."""
    if _is_tensorflow(x):
        from dcgan.backend.tensorflow_iterator import DatasetIterator

        return lambda: DatasetIterator(x)
    if hasattr(x, "state_dict"):
        from dcgan.backend.torch_iterator import LoaderIterator

        return lambda: LoaderIterator(x)
    if not _has_states(x):
        raise TypeError(f"a {type(x).__name__} does not say where it is")
    return lambda: iter(x)


def _length(x: Any) -> int | None:
    if isinstance(x, keras.utils.PyDataset):
        length = x.num_batches
    else:
        length = int(x.cardinality()) if _is_tensorflow(x) else operator.length_hint(x)
    return length if length and 0 < length < MAX_LENGTH else None


def _later(x: keras.utils.PyDataset, first: int) -> keras.utils.PyDataset:
    """The dataset of a user from a batch of the whole run on."""
    count = x.num_batches
    first = first % count if count else first
    return _Later(x, first) if first or processes() > 1 else x


class _Wrapped(keras.utils.PyDataset):
    """Another dataset, read as its user has set it up."""

    def __init__(self, batches: keras.utils.PyDataset):
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self.batches = batches

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()


class _Later(_Wrapped):
    """The batches of another dataset from number `first` on, over and over."""

    num_batches = None  # Keras's word for a stream without end

    def __init__(self, batches: keras.utils.PyDataset, first: int):
        super().__init__(batches)
        self.first = first

    def __getitem__(self, index: int) -> Any:
        number, count = self.first + index, self.batches.num_batches
        return self.batches[number % count if count else number]


class Share(_Wrapped):
    """One process's shares of all batches, from a dataset without end.

    Processes with shares of other sizes would wait for each other without end.

    Args:
        batches: the dataset.
        count: images in each share.
    """

    num_batches = None

    def __init__(self, batches: keras.utils.PyDataset, count: int):
        super().__init__(batches)
        self.count = count

    def __getitem__(self, index: int) -> np.ndarray:
        images = images_of_batch(self.batches[index])
        if len(images) != self.count:
            raise DataError(
                f"Each batch of this process's dataset must have {self.count} images, its share. "
                f"Received: {len(images)}. A last batch that is smaller must be left out, as by "
                "dataset.batch(n, drop_remainder=True)."
            )
        return images


class _Scaled(_Wrapped):
    """The images of another dataset, from [0, 255] to [-1, 1]."""

    @property
    def num_batches(self) -> int | None:
        return self.batches.num_batches

    def __getitem__(self, index: int) -> Any:
        return _scale(self.batches[index])


def _scale(batch: Any) -> Any:
    return keras.utils.unpack_x_y_sample_weight(batch)[0] / 127.5 - 1


def _scaled(x: Any) -> Any:
    """The same dataset with images in [-1, 1] in place of [0, 255]."""
    if isinstance(x, keras.utils.PyDataset):
        return _Scaled(x)
    if not _is_tensorflow(x):
        raise DataError(
            f"The {type(x).__name__} gives floats in [0, 255]. Expected uint8, or floats in "
            "[-1, 1]: divide by 127.5 and subtract 1 in the dataset's transform."
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
