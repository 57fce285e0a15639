"""The phases of a training: it begins with small networks, and grows them during its first half."""

import logging
import time

import numpy as np
from keras import ops

from dcgan.images import chunks
from dcgan.networks.growing import grow_discriminator, grow_generator
from dcgan.training.callbacks.schedule import Task
from dcgan.training.request import Length
from dcgan.training.resume import position
from dcgan.training.state import Learner

STATISTICS = 256  # generated images, from which new normalizations take their statistics

logger = logging.getLogger("dcgan")


class Growth(Task):
    """Ends a call of Keras's `fit` where a phase is over; `grow` then begins the next one.

    The last phase has half of the run, the one before it a quarter, and so on.

    Args:
        length: how long to train. A phase does not end with an epoch, so that none is cut to
            nothing.
        deadline: `time.monotonic()` at which the run ends, or None.
    """

    cuts = True

    def __init__(self, learner: Learner, length: Length, deadline: float | None):
        super().__init__()
        self.learner = learner
        self.length = length
        self.by_clock = deadline is not None
        self._end = None  # of the run, in seconds of training
        if deadline is not None:
            self._end = learner.state.seconds + deadline - time.monotonic()

    def is_due(self, step, now):
        """Whether the phase has had its share of the run."""
        left = len(self.learner.phases) - 1 - self.learner.state.phase
        if left == 0:
            return False
        place, steps, total = position(self.learner), self.length.steps, self.length.total
        of_steps = place / total if total else 0.0
        of_time = self.learner.state.seconds / self._end if self._end else 0.0
        return max(of_steps, of_time) >= 0.5**left and (steps is None or place % steps > 0)

    def is_late(self) -> bool:
        """Whether the phase should have ended with the last step that was taken."""
        return self.is_due(self.learner.state.step, time.monotonic())

    def act(self, epoch, logs):
        """End the call of Keras's `fit`, and let `grow` begin the next phase."""
        self.learner.model.stop_training = True


def begin_small(learner: Learner) -> None:
    """Begin with the first phase, if the networks are new and may grow."""
    if learner.options.growing and learner.state.fresh and learner.state.phase > 0:
        learner.enter(0)
        _say(learner)
    learner.state.fresh = False


def grow(learner: Learner) -> None:
    """Begin the next phase, with networks that give what those of this phase give."""
    old = learner.networks
    learner.enter(learner.state.phase + 1)
    learner.state.phase_step = 0
    learner.state.health.start_anew()
    plan, new = learner.phases[learner.state.phase], learner.networks
    random = np.random.default_rng(learner.options.seed)
    latents = random.standard_normal((STATISTICS, plan.input_size), "float32")
    images = np.concatenate([
        ops.convert_to_numpy(learner.model.predict_here(old["generator"], latents[chunk]))
        for chunk in chunks(STATISTICS, learner.plan.img_size)
    ])  # fmt: skip
    for name in ("generator", "training_generator"):
        grow_generator(old[name], new[name], plan, latents)
    grow_discriminator(old["discriminator"], new["discriminator"], plan, images)
    _say(learner)


def _say(learner: Learner) -> None:
    height, width, _ = learner.phases[learner.state.phase].img_size
    number, count = learner.state.phase + 1, len(learner.phases)
    logger.info("Phase %d of %d: images of %d x %d.", number, count, height, width)
