"""A user's own batches as a stream that says where it is, and continues from there."""

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from dcgan.errors import MAX_POSITION_BYTES, DataError

COUNT_BYTES = 8  # of a number at the start of a position
MAX_SKIPPED = 1_000_000  # batches; a checkpoint comes every few thousand
_KEPT = 4  # batches that Keras may ask for again, after a look at the shapes
_NEAR_END = 100  # batches

logger = logging.getLogger("dcgan")


class Stream(keras.utils.PyDataset):
    """Endless batches of a user's dataset, which begins anew whenever it ends.

    Item `i` is the batch of training step `first_step + i`. Keras asks ahead of training, so where
    training is cannot be read off the dataset when a checkpoint is saved. It is read off once
    after each checkpoint instead, and a position is such a state with the number of batches that
    training has had since.

    Args:
        begin_pass: makes an iterator of batches with `get_state` and `set_state`; a state is bytes,
            or what JSON can hold.
        length: batches of a pass, or None where that is unknown.
        keeps_states: False for iterators without states, which have no positions.

    Attributes:
        first_step: the training step of item 0.
    """

    num_batches = None  # Keras's word for a stream without end

    def __init__(
        self, begin_pass: Callable[[], Any], length: int | None = None, keeps_states: bool = True
    ):
        super().__init__()
        self.begin_pass, self.length, self.keeps_states = begin_pass, length, keeps_states
        self.first_step = 0
        self._lock = threading.Lock()  # Keras may read from threads
        self.begin(0)

    def begin(self, step: int, position: bytes | None = None) -> None:
        """Let the next batch be that of a training step.

        Args:
            step: training steps so far.
            position: what `position(step)` gave in the run to resume. None, or one that the
                dataset does not take: the dataset begins anew.
        """
        iterator, skipped = self.begin_pass(), 0
        if position is not None:
            try:
                skipped = int.from_bytes(position[:COUNT_BYTES], "little")
                if skipped > MAX_SKIPPED:
                    raise ValueError(f"it is {skipped} batches back")
                restore_state(iterator, position[COUNT_BYTES:])
            except Exception as error:  # the dataset's own
                logger.warning(
                    "The dataset begins anew, since it does not take the position that the run "
                    "has stored: %.300s",
                    error,
                )
                iterator, skipped = self.begin_pass(), 0
        self._stand(iterator, step - skipped)
        self._states = {self._next: state_of(iterator)} if self.keeps_states else {}
        self._wants_state = False

    def from_step(self, first_step: int) -> "Stream":
        """The same stream, with item 0 the batch of a training step."""
        self.first_step = first_step
        return self

    def position(self, step: int) -> bytes | None:
        """Where training is after `step` steps, or None where the dataset cannot say it."""
        with self._lock:
            if (base := self._newest_state(step)) is None:
                return None
            self._states = {at: state for at, state in self._states.items() if at >= base}
            self._wants_state = True
            return (step - base).to_bytes(COUNT_BYTES, "little") + self._states[base]

    def __getitem__(self, index: int) -> np.ndarray:
        """The images of step `first_step + index`."""
        step = self.first_step + index
        with self._lock:
            if step < self._next and step not in self._recent:
                self._go_back(step)
            while self._next <= step:
                self._read()
            return self._recent[step]

    def _stand(self, iterator: Any, step: int) -> None:
        self._iterator, self._next = iterator, step
        self._recent: dict[int, np.ndarray] = {}

    def _newest_state(self, step: int) -> int | None:
        return max((at for at in self._states if at <= step), default=None)

    def _go_back(self, step: int) -> None:
        base = self._newest_state(step)
        if base is None:  # then what was read ahead is lost
            return self._stand(self._iterator, step)
        iterator = self.begin_pass()
        restore_state(iterator, self._states[base])
        self._stand(iterator, base)

    def _is_near_end(self) -> bool:
        """Whether a pass ends soon, or just has: TensorFlow's state then lacks the next order."""
        if self.length is None:
            return False
        left = -self._next % self.length
        return left < min(_NEAR_END, self.length // 2)

    def _read(self) -> None:
        if self._wants_state and not self._is_near_end():
            self._wants_state = False
            try:
                self._states[self._next] = state_of(self._iterator)
            except Exception as error:  # the dataset's own
                self._states = {}
                logger.warning("Where the dataset is can no longer be stored: %.300s", error)
        batch = next(self._iterator, None)
        if batch is None:
            self._iterator = self.begin_pass()
            batch = next(self._iterator, None)
        if batch is None:
            raise DataError("The dataset has no batches.")
        self._recent[self._next] = images_of_batch(batch)
        self._recent.pop(self._next - _KEPT, None)
        self._next += 1


def images_of_batch(batch: Any) -> np.ndarray:
    """The images of a batch `(images, labels)`, `(images,)` or images."""
    return keras.ops.convert_to_numpy(keras.utils.unpack_x_y_sample_weight(batch)[0])


def state_of(iterator: Any) -> bytes:
    """The state of an iterator as bytes, which are JSON where the iterator has other than bytes.

    Raises:
        ValueError, TypeError: it is too large, or JSON cannot hold it. Or what the iterator raises.
    """
    state = iterator.get_state()
    content = state if isinstance(state, bytes) else json.dumps(state).encode()
    if len(content) > MAX_POSITION_BYTES:
        raise ValueError(
            f"its position has {len(content) / 1e6:.0f} MB, of which at most "
            f"{MAX_POSITION_BYTES / 1e6:.0f} are stored: shuffle fewer images at once, or before "
            "they are decoded"
        )
    return content


def restore_state(iterator: Any, content: bytes) -> None:
    """Put back what `state_of` gave; raises what the iterator raises for other content."""
    plain = not isinstance(iterator.get_state(), bytes)
    iterator.set_state(json.loads(content) if plain else content)
