"""Checkpoints: the whole training, saved every few minutes, after rollbacks and at the end."""

import logging

import numpy as np

from dcgan.data.stream import Stream
from dcgan.errors import ModelFileError, RunError
from dcgan.storage.document import POSITION
from dcgan.storage.run_folder import RunFolder
from dcgan.training.callbacks.rollback import roll_back
from dcgan.training.callbacks.schedule import Task
from dcgan.training.processes import gather_position
from dcgan.training.saving import save_model
from dcgan.training.state import Learner, capture

CHECKPOINT_STEPS = 5000

logger = logging.getLogger("dcgan")


class Checkpointing(Task):
    """Saves checkpoints, and at the end the model as `last.dcgan`.

    A save that fails (a full disk) is logged and tried again later; training continues.

    Args:
        stream: what knows where training is in a user's own batches, or None.

    Attributes:
        failed: the error of the last save, if it failed.
        model_hash: SHA-256 of the generator in `last.dcgan`, once it is written.
    """

    def __init__(self, learner: Learner, run: RunFolder, stream: Stream | None = None):
        super().__init__(CHECKPOINT_STEPS, learner.options.checkpoint_seconds)
        self.learner = learner
        self.run = run
        self.stream = stream
        self.failed: Exception | None = None
        self.model_hash: str | None = None
        self._rollbacks = learner.state.rollbacks  # when it was last saved

    def begin(self, step):
        """Count from here. A new run saves its start, so that there is a state to roll back to."""
        super().begin(step)
        if not self.run.checkpoints.latest():
            self.save()

    def is_due(self, step, now):
        """Also after a rollback: only the newest state can be rolled back to."""
        return super().is_due(step, now) or self.learner.state.rollbacks != self._rollbacks

    def act(self, epoch, logs):
        """Save a checkpoint."""
        self.save()

    def finish(self, epoch, logs):
        """Save the end, also as `last.dcgan`."""
        self.save()
        try:
            self.model_hash = save_model(self.learner, self.run.last_path)
        except ModelFileError as error:
            self._log_failure(error)

    def save(self) -> None:
        """Save a checkpoint now."""
        document, arrays = self.mend()
        step = self.learner.state.step
        self._rollbacks = self.learner.state.rollbacks
        if self.stream is not None:
            position = gather_position(self.stream.position(step))
            if position is not None:
                arrays[POSITION] = np.frombuffer(position, np.uint8)
        try:
            self.run.restore()
            self.run.checkpoints.save(step, document, arrays)
            self.failed = None
        except RunError as error:
            self._log_failure(error)

    def mend(self) -> tuple[dict, dict[str, np.ndarray]]:
        """Roll back weights that are not finite; returns what `capture` gives then.

        Only networks of the phase that was saved last can be rolled back.
        """
        document, arrays = capture(self.learner)
        if broken := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
            step = self.learner.state.step
            reason = f"weights at step {step} are not finite ({broken[0]})"
            roll_back(self.learner, self.run, reason)
            document, arrays = capture(self.learner)
        return document, arrays

    def _log_failure(self, error: Exception) -> None:
        self.failed = error
        step = self.learner.state.step
        logger.error("Not saved at step %d: %s Trying again later.", step, error)
