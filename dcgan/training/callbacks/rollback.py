"""What if training breaks? Back to the last good state with lower learning rates, a few times."""

import logging
import math

import keras

from dcgan.errors import TrainingError
from dcgan.training.state import assign_arrays

MOST_RETURNS = 3  # a run that breaks more often needs other settings
SLOWER = 0.5  # times both learning rates, at each return

logger = logging.getLogger("dcgan")


class Guard(keras.callbacks.Callback):
    """Watches the losses at every step, and takes training back when it has gone wrong.

    Args:
        run: the run folder, with the states to go back to.
        returns: how often the run has gone back already.
    """

    def __init__(self, run, returns: int = 0):
        super().__init__()
        self.run = run
        self.returns = returns

    def on_train_batch_end(self, batch, logs=None):
        """Go back when a loss is no number."""
        if not all(math.isfinite(value) for value in logs.values()):
            losses = ", ".join(f"{name} {float(value):.3g}" for name, value in logs.items())
            self.go_back(
                f"the losses at step {self.model.record['step']} are not finite ({losses})"
            )

    def go_back(self, reason: str, arrays: dict | None = None) -> None:
        """Put a good state into the model and lower both learning rates.

        The count of steps and the random streams go on, so that it does not all happen again.

        Args:
            reason: what went wrong, for the person.
            arrays: the state; None: the newest checkpoint's.

        Raises:
            TrainingError: it has gone wrong too often, or there is no state to go back to.
        """
        if arrays is None:
            checkpoint = self.run.checkpoints.newest()
            arrays = checkpoint.arrays if checkpoint else {}
        rates = [rate * SLOWER for rate in self.model.optimizer.rates]
        kept = {name: array for name, array in arrays.items() if not name.startswith("state/")}
        assign_arrays(self.model, kept, whole=False)
        self.model.optimizer.rates = rates
        self.model.reset_metrics()
        if self.returns == MOST_RETURNS or not kept:
            best = "best.dcgan and " * self.run.best_path.exists()
            raise TrainingError(
                f"Training was stopped: {reason}, after {self.returns} returns to a good state. "
                f"The last good states are in {best}the checkpoints. Try a lower learning "
                f"rate (optimizer={rates[0]:.1g}), a weaker discriminator "
                f"(discriminator_optimizer={rates[1] / 4:.1g}), or more images."
            )
        self.returns += 1
        logger.warning(
            "Went back to the last good state, since %s. Learning rates are now %.2g and %.2g "
            "(return %d of at most %d).",
            reason,
            *rates,
            self.returns,
            MOST_RETURNS,
        )
