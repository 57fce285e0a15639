"""Rollbacks: the last good state with lower learning rates, where training has failed."""

import logging

from keras import ops

from dcgan.errors import TrainingError
from dcgan.storage.run_folder import RunFolder
from dcgan.training.state import Learner, assign

MAX_ROLLBACKS = 3  # a run that fails more often needs other settings
SLOWER = 0.5  # factor of both learning rates at each rollback

logger = logging.getLogger("dcgan")


def roll_back_if_broken(learner: Learner, run: RunFolder) -> None:
    """Roll back if a loss of some step was not finite.

    Raises:
        TrainingError: training has failed too often.
    """
    broken = learner.numbers.read_first_broken()
    if broken is not None:
        numbers = ", ".join(f"{name} {value:.3g}" for name, value in broken[1].items())
        taken = int(ops.convert_to_numpy(learner.pair.generator.iterations))
        step = learner.state.step - (taken - broken[0])
        roll_back(learner, run, f"the losses at step {step} are not finite ({numbers})")


def roll_back(learner: Learner, run: RunFolder, reason: str, arrays: dict | None = None) -> None:
    """Put a good state into the model and lower both learning rates.

    The step count and the random streams go on, so that it does not fail in the same way again.

    Args:
        learner: what is rolled back, a few times at most.
        run: the run folder, with the states to roll back to.
        reason: what went wrong, for the user.
        arrays: the good state. None: the newest checkpoint's.

    Raises:
        TrainingError: training has failed too often, or there is no good state.
    """
    state = learner.state
    if arrays is None:
        checkpoint = run.checkpoints.newest()
        arrays = checkpoint.arrays if checkpoint else {}
    rates = [rate * SLOWER for rate in learner.pair.rates]
    arrays = {name: array for name, array in arrays.items() if not name.startswith("state/")}
    assign(learner.variables, arrays)
    learner.pair.rates = rates
    learner.numbers.reset()
    if state.rollbacks == MAX_ROLLBACKS or not arrays:
        best = "best.dcgan and " if run.best_path.exists() else ""
        raise TrainingError(
            f"Training was stopped: {reason}, after {state.rollbacks} rollbacks. The last good "
            f"states are in {best}the checkpoints. Try a lower learning rate "
            f"(optimizer={rates[0]:.1g}), a weaker discriminator "
            f"(discriminator_optimizer={rates[1] / 4:.1g}), or more images."
        )
    state.rollbacks += 1
    logger.warning(
        "Rolled back to the last good state, since %s. Learning rates are now %.2g and %.2g "
        "(rollback %d of at most %d).",
        reason,
        *rates,
        state.rollbacks,
        MAX_ROLLBACKS,
    )
