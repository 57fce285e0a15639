"""The schedule of a training: it counts every step, and calls tasks when they are due."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import compress

import keras
from keras import ops

from dcgan.backend.devices import processes
from dcgan.storage.run_folder import RunFolder
from dcgan.training.callbacks.rollback import roll_back_if_broken
from dcgan.training.processes import agreed
from dcgan.training.signals import StopRequest
from dcgan.training.state import Learner, assign

CHECK_STEPS = 50  # between two looks at whether a loss was not finite

logger = logging.getLogger("dcgan")


class Task:
    """Something that is done every so many steps or seconds; meant to be subclassed.

    Args:
        every_steps: steps of the run between two calls of `act`, or None.
        every_seconds: seconds between two calls of `act`, or None.

    Attributes:
        by_clock: whether `is_due` may depend on more than the step, so that several processes must
            agree on it.
        cuts: whether `act` ends a call of Keras's `fit`, for `fit` to begin another.
    """

    by_clock, cuts = True, False

    def __init__(self, every_steps: int | None = None, every_seconds: float | None = None):
        self.every_steps = every_steps
        self.every_seconds = every_seconds
        self.last_step = 0
        self.last_moment = 0.0

    def begin(self, step: int) -> None:
        """Count from here. Called once, before the first step."""
        self.last_step, self.last_moment = step, time.monotonic()

    def is_due(self, step: int, now: float) -> bool:
        """Whether to act after this step; must not touch the device."""
        passed = self.every_steps and step // self.every_steps > self.last_step // self.every_steps
        waited = self.every_seconds is not None and now - self.last_moment >= self.every_seconds
        return bool(passed or waited)

    def act(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Do it, in an epoch (from 1), with the means of the epoch so far."""
        raise NotImplementedError

    def finish(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Do what is left when training ends; nothing by default."""


class Schedule(keras.callbacks.Callback):
    """Counts steps, images and seconds, calls tasks when they are due, and ends training in time.

    On all other steps nothing is copied from the device and `self.model` is not touched, which on
    JAX alone would write all variables back.

    Args:
        tasks: in the order in which they are called.
        batch_size: images per step.
        run: the run folder, with states to roll back to where losses are not finite.
        stop: whether the user or a scheduler asked to stop.
        deadline: `time.monotonic()` at which training ends, or None.
        means: arrays of the running means to restore, where training resumes within an epoch.
    """

    def __init__(
        self,
        learner: Learner,
        tasks: list[Task],
        batch_size: int,
        run: RunFolder,
        stop: StopRequest,
        deadline: float | None = None,
        means: Mapping | None = None,
    ):
        super().__init__()
        self.learner = learner
        self.state = learner.state
        self.tasks = tasks
        self.batch_size = batch_size
        self.run = run
        self.stop = stop
        self.deadline = deadline
        self.means = means or {}
        self.began = self.ended = False
        self.cut = False  # a task has ended a call of Keras's `fit` within an epoch
        self.epoch = self.state.epochs  # of those begun, the last: from 1, as users count
        self.last_logs: dict[str, float] = {}
        self._first_step = self._checked = 0

    def on_train_begin(self, logs=None):
        """Count from here."""
        self._checked = self.state.step
        self._marked = time.monotonic()
        for task in self.tasks:
            task.begin(self.state.step)
        self.began = True

    def on_epoch_begin(self, epoch, logs=None):
        """Note where the epoch starts, and restore the means that Keras has just reset."""
        self.epoch, self._first_step = epoch + 1, self.state.step
        assign(self.learner.variables, self.means)
        self.means = {}

    def after_batch(self, batch: int, logs: Mapping) -> None:
        """Count, and act where something is due; `logs` may still be on the device."""
        state, now = self.state, time.monotonic()
        step = self._first_step + batch + 1
        state.images_seen += (step - state.step) * self.batch_size
        state.phase_step += step - state.step
        state.step = step
        state.seconds += now - self._marked
        self._marked = now
        ends = self.stop.requested or (self.deadline is not None and now >= self.deadline)
        to_check = step - self._checked >= CHECK_STEPS
        due = [task.is_due(step, now) for task in self.tasks]
        if processes() > 1:
            known = [task for task in compress(self.tasks, due) if not task.by_clock]
            if not (to_check or known):  # all act at the same step, or none does
                return
            ends, due = agreed(ends, due)
        if any(due) or ends or to_check:
            self._act(list(compress(self.tasks, due)), logs, ends)

    def _act(self, due: list[Task], logs: Mapping, ends: bool) -> None:
        model = self.model  # on JAX this writes the variables back
        asked_to_stop = model.stop_training  # by a callback of the user's
        self._checked = self.state.step
        self.last_logs = {name: float(value) for name, value in logs.items()}
        roll_back_if_broken(self.learner, self.run)
        for task in due:
            task.act(self.epoch, self.last_logs)
            task.last_step, task.last_moment = self.state.step, time.monotonic()
        self.cut = not asked_to_stop and any(task.cuts for task in due)
        if ends:
            self.ended = model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        """Add the latest estimates to the epoch's means, for all callbacks, and keep both."""
        if logs is not None:
            logs.update(self.state.health.estimates())
        self.last_logs = dict(logs or {})
        if not self.model.stop_training:  # else it may have been cut short
            self.state.epochs = epoch + 1

    def keep_means(self) -> None:
        """Let the running means go on in the next call of Keras's `fit`, which resets them."""
        named = self.learner.variables.items()
        self.means = {n: ops.convert_to_numpy(v) for n, v in named if n.startswith("state/mean/")}

    def finish(self) -> None:
        """Let every task that has begun do what is left."""
        if not self.began:
            return
        _ = self.model  # on JAX this writes the variables back, which an error has kept from it
        roll_back_if_broken(self.learner, self.run)
        for task in self.tasks:
            task.finish(self.epoch, self.last_logs)


class CallbackList(keras.callbacks.CallbackList):
    """Keras's list of a user's callbacks, with the schedule in front of them.

    Keras converts the logs of every step for any callback with a batch hook, which waits for the
    device. The schedule gets them unconverted; the conversion is made only where a callback of the
    user's has such a hook. One list serves several calls of Keras's `fit`, as one training.
    """

    def __init__(self, schedule: Schedule, callbacks: list, model: keras.Model, **params):
        super().__init__([schedule, *callbacks], add_history=True, model=model, **params)
        self._schedule = schedule
        self._hooked = any(_has_batch_hook(callback) for callback in callbacks)

    def on_train_begin(self, logs=None):
        """Begin once, however many calls of Keras's `fit` there are."""
        if not self._schedule.began:
            super().on_train_begin(logs)

    def on_train_end(self, logs=None):
        """Wait for `end`."""

    def on_epoch_begin(self, epoch, logs=None):
        """Begin an epoch; users' callbacks are not told again of one that was cut."""
        if self._schedule.cut:
            self._schedule.cut = False
            self._schedule.on_epoch_begin(epoch, logs)
        else:
            super().on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        """End an epoch, unless the next call of Keras's `fit` continues it."""
        if self._schedule.ended or not self._schedule.cut:
            super().on_epoch_end(epoch, logs)

    def end(self, logs=None) -> None:
        """Tell the callbacks that training has ended."""
        super().on_train_end(logs)

    def on_train_batch_end(self, batch, logs=None):
        """Count; call the user's callbacks where one wants to be called."""
        self._schedule.after_batch(batch, logs)
        if self._hooked:
            super().on_train_batch_end(batch, logs)


def _has_batch_hook(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback wants to be called after every batch."""
    plain = keras.callbacks.Callback
    names = ("on_batch_end", "on_train_batch_end")
    own = (getattr(callback, name) for name in names)
    return any(
        getattr(hook, "__func__", hook) is not getattr(plain, name)
        for hook, name in zip(own, names, strict=True)
    )


@contextmanager
def keep_training(what: str) -> Iterator[None]:
    """Log that `what` could not be written, and let training continue: a full disk may be freed."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        logger.error("Not written: %s (%s). Training continues.", what, reason)
