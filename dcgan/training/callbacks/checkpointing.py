"""What is lost if the power fails now? At most a few minutes: the callback that saves the state."""

import logging
import time

import keras
import numpy as np

from dcgan.errors import ModelFileError, RunError
from dcgan.training.state import to_arrays

CHECKPOINT_SECONDS = 300
CHECKPOINT_STEPS = 5000

logger = logging.getLogger("dcgan")


class Checkpoints(keras.callbacks.Callback):
    """Saves the whole state every so many minutes or steps, and at the end of training.

    A save that fails (a full disk) is said and tried again at the next turn; training goes on.

    Args:
        run: the run folder.
        guard: the run's `Guard`, for a state that is not worth saving.
        watch: the run's `HealthWatch`, whose state is saved too, or None.
        seconds, steps: after how many of either to save.
    """

    def __init__(
        self, run, guard, watch, seconds: float = CHECKPOINT_SECONDS, steps: int = CHECKPOINT_STEPS
    ):
        super().__init__()
        self.run = run
        self.guard = guard
        self.watch = watch
        self.seconds = seconds
        self.steps = steps
        self.failed = None  # the error of the last save, if it failed

    def on_train_begin(self, logs=None):
        """Count from here; a new run saves its start, so that there is a state to go back to."""
        self._saved = (self.model.record["step"], time.monotonic(), self.guard.returns)
        if not self.run.checkpoints.exist():
            self.save()

    def on_train_batch_end(self, batch, logs=None):
        """Save when it is time, and what was gone back to, lest what broke stays the newest."""
        step, moment, returns = self._saved
        due = self.model.record["step"] - step >= self.steps or self.guard.returns != returns
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
        self._saved = (record["step"], time.monotonic(), self.guard.returns)
        arrays = to_arrays(self.model)
        if broken := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
            self.guard.go_back(f"weights at step {record['step']} are not finite ({broken[0]})")
            return
        state = {"record": dict(record), "given_rates": list(self.model.given_rates)}
        state["returns"] = self.guard.returns
        if self.watch is not None:
            state |= self.watch.state_dict()
        try:
            self.run.save_checkpoint(record["step"], arrays, state)
            self.failed = None
        except RunError as error:
            self._failed(error)

    def _failed(self, error) -> None:
        self.failed = error
        logger.error("Not saved at step %d: %s Trying again later.", self._saved[0], error)
