"""Images as an endless stream of uint8 batches for Keras, from any step on."""

from functools import lru_cache

import keras
import numpy as np

from dcgan.data.image_set import Subset
from dcgan.errors import DataError


class Batches(keras.utils.PyDataset):
    """Batches of images; item `i` is the batch of training step `first_step + i`, without end.

    Nothing here remembers where training is: a batch is a pure function of the seed and the step.
    Keras may ask ahead, twice, or for a look at the shapes, and a resumed run sees what an
    uninterrupted one would have seen. The stream has no end, so Keras must be told how long an
    epoch is: `fit(batches, steps_per_epoch=batches.steps_per_epoch, shuffle=False)`. One call of
    `fit` makes all its epochs equally long, so what is left of an epoch that was stopped in its
    middle is a call of its own.

    Args:
        pixels: uint8 (count, height, width, channels), in memory or memory-mapped.
        batch_size: images per batch; the last batch of a pass is filled up from its start.
        seed: decides the order of every pass.
        horizontal_flip: flip about half of the images left to right, chosen anew each pass.
        first_step: the training step of the first batch, counted from 0 over the whole run.
        indices: which of the images to use; all of them by default.
        share: (which, of how many) equal parts of each batch to read.

    Attributes:
        error: why the images could not be read, which frameworks bury in errors of their own.
    """

    num_batches = None  # Keras's word for a stream without end

    def __init__(
        self,
        pixels: np.ndarray,
        batch_size: int,
        *,
        seed: int = 0,
        horizontal_flip: bool = False,
        first_step: int = 0,
        indices: np.ndarray | None = None,
        share: tuple[int, int] = (0, 1),
    ):
        super().__init__()
        self.images = Subset(pixels, indices)
        self.batch_size = batch_size
        self.share = share
        self.seed = seed
        self.horizontal_flip = horizontal_flip
        self.first_step = first_step
        self.steps_per_epoch = -(-len(self.images) // batch_size)
        self.error: DataError | None = None

    def __getitem__(self, index: int) -> np.ndarray:
        """This share of the batch of step `first_step + index`: uint8 (n, H, W, C)."""
        epoch, step = divmod(self.first_step + index, self.steps_per_epoch)
        positions = self.steps_per_epoch * self.batch_size
        order, flipped = epoch_order(len(self.images), self.seed, epoch, positions)
        which, shares = self.share
        count = self.batch_size // shares
        first = step * self.batch_size + which * count
        part = slice(first, first + count)
        try:
            images = self.images.take(order[part])
        except DataError as error:
            self.error = error
            raise
        if self.horizontal_flip:
            for turned in np.flatnonzero(flipped[part]):
                for channel in range(images.shape[3]):  # a plane each: 4 times the speed of all
                    images[turned, :, :, channel] = images[turned, :, ::-1, channel]
        return images


@lru_cache(2)  # Keras may read from threads, some of them in the next epoch already
def epoch_order(count: int, seed: int, epoch: int, positions: int) -> tuple[np.ndarray, np.ndarray]:
    """Which image stands at each position of an epoch, and whether it is flipped there.

    Only Philox's raw numbers are used: NumPy keeps those in all versions, but not its shuffles.

    Args:
        count: how many images there are.
        seed, epoch: what decides the order.
        positions: how many are asked for; beyond `count` the order starts again, so that the last
            batch of an epoch is full and a folder smaller than a batch trains.

    Returns:
        image indices, int64 (positions,), and flip flags, bool (positions,).
    """
    numbers = np.random.Philox(key=np.array([seed % 2**64, epoch], np.uint64))
    order = np.argsort(numbers.random_raw(count), kind="stable")
    flipped = (numbers.random_raw(positions) & 1).astype(bool)
    return order[np.arange(positions) % count], flipped
