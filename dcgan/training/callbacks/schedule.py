"""Where is training, and is it time to stop? The one callback that counts."""

import logging
import time

import keras

from dcgan.training.state import METRIC_PREFIX, assign_arrays

logger = logging.getLogger("dcgan")


class Clock(keras.callbacks.Callback):
    """Keeps the model's record (steps and seconds of the run) and ends training when it is time.

    Args:
        minutes: of this call, after which to stop; None for no limit.
        stop: the run's `StopRequest`: Ctrl-C or SIGTERM.
        began: `time.monotonic()` of the call, from which the minutes count.
        means: arrays of the running means to go on with, where training starts within an epoch.
    """

    def __init__(self, minutes: float | None, stop, means: dict, began: float):
        super().__init__()
        self.minutes = minutes
        self.stop = stop
        self.means = means
        self.began = began
        self._marked = time.monotonic()

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the time limit, or None."""
        if self.minutes is None:
            return None
        return max(0.0, self.minutes * 60 - (time.monotonic() - self.began))

    def on_epoch_begin(self, epoch, logs=None):
        """Note where the epoch starts, and give the means back that Keras has just reset."""
        self._first_step = self.model.record["step"]
        if self.means:
            assign_arrays(self.model, self.means, whole=False)
            self.means = {}

    def on_train_batch_end(self, batch, logs=None):
        """Count, and look at the clock and for a signal."""
        record, now = self.model.record, time.monotonic()
        record["step"] = self._first_step + batch + 1
        record["seconds"] += now - self._marked
        self._marked = now
        if self.stop.requested or self.seconds_left == 0:
            self.model.stop_training = True

    def on_train_begin(self, logs=None):
        """Time between two calls of Keras's `fit` is not training time."""
        self._marked = time.monotonic()


def metric_arrays(arrays: dict) -> dict:
    """The running means among a checkpoint's arrays."""
    return {name: array for name, array in arrays.items() if name.startswith(METRIC_PREFIX)}


class EverySteps(keras.callbacks.Callback):
    """Meant to be subclassed: calls `act(logs)` each time `every` more steps of the run are done.

    Args:
        every: steps between two calls, counted from the run's start, also after a resume.
    """

    def __init__(self, every: int):
        super().__init__()
        self.every = every
        self.epoch = 0  # from 1, as people count
        self._last = 0

    def on_train_begin(self, logs=None):
        """Count from where training goes on."""
        self._last = self.model.record["step"]

    def on_epoch_begin(self, epoch, logs=None):
        """Keep the epoch, which Keras does not tell at a batch's end."""
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        """Act when a multiple of `every` was reached, or passed in one execution of many steps."""
        step = self.model.record["step"]
        if step // self.every > self._last // self.every:
            self.act(logs)
        self._last = step

    def act(self, logs: dict) -> None:
        """What a subclass does."""
        raise NotImplementedError
