"""What is lost if the power fails now? At most a few minutes: the callback that saves the state."""

import logging
import time

import keras

from dcgan.errors import ModelFileError, RunError
from dcgan.state import to_arrays

CHECKPOINT_SECONDS = 300
CHECKPOINT_STEPS = 5000

logger = logging.getLogger("dcgan")


class Checkpoints(keras.callbacks.Callback):
    """Saves the whole state every so many minutes or steps, and at the end of training.

    A save that fails (a full disk) is said and tried again at the next turn; training goes on.

    Args:
        run: the run folder.
        seconds, steps: after how many of either to save.
    """

    def __init__(self, run, seconds: float = CHECKPOINT_SECONDS, steps: int = CHECKPOINT_STEPS):
        super().__init__()
        self.run = run
        self.seconds = seconds
        self.steps = steps
        self.failed = None  # the error of the last save, if it failed

    def on_train_begin(self, logs=None):
        """Count from here."""
        self._saved = (self.model.record["step"], time.monotonic())

    def on_epoch_begin(self, epoch, logs=None):
        """Remember the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Save when it is time."""
        step, moment = self._saved
        due = self.model.record["step"] - step >= self.steps
        if due or time.monotonic() - moment >= self.seconds:
            self.save()

    def on_train_end(self, logs=None):
        """Save the end, also as `last.dcgan`."""
        self.save()
        try:
            self.model.save(self.run.last_path)
        except ModelFileError as error:
            self._failed(error)

    def save(self) -> None:
        """Save the state now."""
        record = self.model.record
        self._saved = (record["step"], time.monotonic())
        state = {"record": dict(record), "given_rates": list(self.model.given_rates)}
        try:
            self.run.save_checkpoint(record["step"], to_arrays(self.model), state)
            self.failed = None
        except RunError as error:
            self._failed(error)

    def _failed(self, error) -> None:
        self.failed = error
        logger.error("Not saved at step %d: %s Trying again later.", self._saved[0], error)
