"""What happens between `DCGAN.fit` and Keras's `fit`? Images, run folder, resume, callbacks."""

import logging
import math
import os
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dcgan import options as arguments
from dcgan.animation import write_film
from dcgan.data import open_images
from dcgan.errors import ArgumentError, RunError, TrainingError
from dcgan.inspection.advice import USUAL_STEPS
from dcgan.storage.run_folder import RunFolder, folder_for
from dcgan.training.callbacks.checkpointing import Checkpoints
from dcgan.training.callbacks.loss_log import Log
from dcgan.training.callbacks.monitor import FEWEST_MEASURED, HealthWatch
from dcgan.training.callbacks.previews import SampleGrids
from dcgan.training.callbacks.progress import Progress
from dcgan.training.callbacks.rollback import Guard
from dcgan.training.callbacks.schedule import Clock, metric_arrays
from dcgan.training.signals import StopRequest
from dcgan.training.source import Feed, image_feed, is_stream, run_name, stream_feed
from dcgan.training.state import assign_arrays, run_options

logger = logging.getLogger("dcgan")

NO_LIMIT = 10**9  # epochs, where only the clock ends a run

# What shapes the networks: a checkpoint made with other values of these does not fit. (And the
# seed, since with another one the images held out would be others, already trained on.)
SHAPING = frozenset(
    "kernel_size stride input_size img_size dropout depth increment upsampling discriminator_norm "
    "network_plan optimizer discriminator_optimizer seed".split()
)


@dataclass(frozen=True)
class Limits:
    """How long to train: the arguments of `DCGAN.fit` that say so."""

    epochs: int | None
    minutes: float | None
    steps_per_epoch: int | None
    initial_epoch: int

    def __post_init__(self):
        if self.epochs is not None:
            arguments.whole("epochs", self.epochs, 1, NO_LIMIT)
        if self.minutes is not None:
            arguments.real("minutes", self.minutes, 1e-6, 1e6)
        if self.steps_per_epoch is not None:
            arguments.whole("steps_per_epoch", self.steps_per_epoch, 1, NO_LIMIT)
        arguments.whole("initial_epoch", self.initial_epoch, 0, NO_LIMIT)

    def last_epoch(self, steps: int | None) -> int:
        """The epoch to end after, where an epoch has `steps` steps."""
        if self.epochs is not None:
            return self.epochs
        if self.minutes is not None:
            return NO_LIMIT
        if steps is None:
            raise ArgumentError(
                "epochs or minutes must be given, since the data set does not say how many "
                "batches make an epoch."
            )
        return math.ceil(USUAL_STEPS / steps)  # neither was given


@contextmanager
def _told(verbose):
    """Show what the program says of the run, where logging has not been set up otherwise."""
    level, handler = logger.level, logging.StreamHandler()
    if not verbose or level != logging.NOTSET:
        yield
        return
    logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


def train(gan, keras_fit, x, limits: Limits, callbacks, verbose, resume):
    """Do what `DCGAN.fit` promises; `keras_fit` is the `fit` of the model's Keras parent.

    Returns:
        Keras's `History` of this call.
    """
    arguments.choice("verbose", verbose, (0, 1, 2, "auto"))
    with _told(verbose):
        return _train(gan, keras_fit, x, limits, callbacks, verbose, resume)


def _train(gan, keras_fit, x, limits: Limits, callbacks, verbose, resume):
    began = time.monotonic()
    callbacks = callbacks if isinstance(callbacks, list | tuple) else [callbacks] * bool(callbacks)
    _refuse_incomplete(gan)
    if isinstance(x, str | Path) and not os.path.exists(x):
        open_images(x, gan.img_size)  # says what is wrong, before a run folder is made
    path, stream = gan.options["save_path"] or Path("Results") / run_name(x), is_stream(x)
    if gan.options["save_path"] is None:
        resume = resume and not stream
        if resume and isinstance(x, str | Path):
            path = folder_for(path, str(Path(x).resolve()))
    with RunFolder.open(path, run_options(gan), shaping=SHAPING, resume=resume) as run:
        gan.run_path, gan.sha256, known = run.path, None, gan.data.get("sha256")
        feed = stream_feed(gan, x) if stream else image_feed(gan, x, run, verbose)
        steps = limits.steps_per_epoch or feed.steps_per_epoch
        last_epoch = limits.last_epoch(steps)
        elsewhere = known not in (None, gan.data.get("sha256"))
        means = _go_on(gan, run, feed, steps, limits.initial_epoch, elsewhere)
        calls = _calls(gan.record["step"], steps, last_epoch)
        if steps and gan.record["step"] >= steps * last_epoch:
            logger.warning(
                "All %d epochs are done (%d steps); ask for more epochs, or minutes, to go on.",
                last_epoch,
                gan.record["step"],
            )
        with StopRequest() as stop:
            clock = Clock(limits.minutes, stop, means, began)
            guard = Guard(run, feed.kept.get("returns", 0))
            watch = _watch(run, guard, feed)
            grids = SampleGrids(run)
            # the watch goes before what shows the state that it may go back to
            ours = [clock, guard, *([watch] if watch else []), grids, Log(run, steps)]
            if verbose in (1, "auto"):
                total = steps * last_epoch if steps and last_epoch < NO_LIMIT else None
                ours.append(Progress(total, clock, watch))
            # the checkpoints come last: they save what all the others have done
            saving = Checkpoints(run, guard, watch)
            everything = [*ours, *callbacks, saving]
            try:
                history = _fit(gan, keras_fit, feed, calls, everything, 2 * (verbose == 2))
            except TrainingError:  # the guard has put the last good state back
                grids.on_train_end()
                saving.on_train_end()
                write_film(run.path, gan.img_size)
                raise
        write_film(run.path, gan.img_size)
    again = "The same call goes" if resume else f"save_path={str(run.path)!r} (--save-path) goes"
    _leave(stop, f"Stopped and saved in {run.path}. {again} on from here.", saving.failed)
    if not resume:
        logger.info("%s on with this run.", again)
    return history


def _refuse_incomplete(gan) -> None:
    if not gan.complete:
        raise ArgumentError(
            "This model was loaded from a generator-only file, which lacks the discriminator and "
            "both optimizers, so it can generate but not be trained. Load the file that "
            "save(path) wrote without generator_only=True."
        )


def _go_on(gan, run, feed: Feed, steps: int | None, initial_epoch: int, elsewhere: bool) -> dict:
    """Put the run's newest checkpoint into the model, if it is the one to go on from.

    A model that was trained `elsewhere`, on other images, begins a run of its own in a new
    folder, counted from 0.

    Returns:
        The running means to go on with, where that is in the middle of an epoch.
    """
    checkpoint = run.checkpoints.newest()
    if checkpoint is not None and gan.record["run"] is not None:
        _check_same_run(gan, run, checkpoint)
    if checkpoint is None or checkpoint.step < gan.record["step"]:
        if gan.record["run"] is None or (checkpoint is None and elsewhere):
            first = initial_epoch * (steps or 0)
            gan.record.update({"step": first, "seconds": 0.0, "run": uuid.uuid4().hex})
        if checkpoint is None:
            run.log.cut_after(gan.record["step"] or -1)
        else:
            feed.kept = checkpoint.state
        return {}
    run.log.cut_after(checkpoint.step)
    assign_arrays(gan, checkpoint.arrays, whole=True)
    gan.record.update(checkpoint.state["record"])
    feed.kept = checkpoint.state
    if tuple(checkpoint.state["given_rates"]) != gan.given_rates:  # a person has changed them since
        gan.optimizer.rates = gan.given_rates
        feed.kept = feed.kept | {"returns": 0}  # these have not failed yet
    epoch, within = divmod(gan.record["step"], steps or NO_LIMIT)
    logger.info("Going on in %s from step %d (epoch %d).", run.path, checkpoint.step, epoch + 1)
    return metric_arrays(checkpoint.arrays) if steps and within else {}


def _check_same_run(gan, run, checkpoint) -> None:
    """A model that was trained elsewhere, or was loaded from an earlier state, has no place here.

    Raises:
        RunError: neither the model nor the folder's run is to be lost.
    """
    theirs = checkpoint.state["record"]
    if theirs["run"] == gan.record["run"] and theirs["step"] <= gan.record["step"]:
        return
    raise RunError(
        f"{str(run.path)!r} holds a training of {checkpoint.step} steps that is not this model's "
        f"(which has {gan.record['step']} steps). Use resume=False (--new) to go on with this "
        "model in a new numbered folder, another save_path, or a new DCGAN to go on with that of "
        "the folder."
    )


def _watch(run, guard: Guard, feed: Feed) -> HealthWatch | None:
    """What measures the samples; None where there are no real images to compare with."""
    if feed.images is None or len(feed.train) < FEWEST_MEASURED:
        return None
    watch = HealthWatch(run, guard, feed.images, feed.train, feed.held_out)
    watch.load_state_dict(feed.kept)
    return watch


def _calls(first: int, steps: int | None, epochs: int) -> list[tuple[int, int, int, int | None]]:
    """(first step, first epoch, last epoch, steps per epoch) of each call of Keras's `fit`.

    Two where training goes on within an epoch: Keras keeps one length for all epochs of a call.
    """
    epoch, within = divmod(first, steps) if steps else (0, 0)
    if not within or epoch >= epochs:
        return [(first, epoch, epochs, steps)]
    rest = steps - within
    return [(first, epoch, epoch + 1, rest), (first + rest, epoch + 1, epochs, steps)]


def _fit(gan, keras_fit, feed: Feed, calls: list, callbacks: list, verbose: int):
    """Call Keras's `fit` for each of `calls`; one `History` of all."""
    histories = []
    for first, initial_epoch, epochs, steps in calls:
        history = keras_fit(
            feed.make(first),
            epochs=epochs,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps,
            callbacks=list(callbacks),
            verbose=verbose,
            shuffle=False,
        )
        histories.append(history)
        if gan.stop_training:
            break
    for earlier in reversed(histories[:-1]):
        history.epoch = earlier.epoch + history.epoch
        for name, values in earlier.history.items():
            history.history[name] = values + history.history.get(name, [])
    return history


def _leave(stop: StopRequest, farewell: str, failed: Exception | None) -> None:
    """After Ctrl-C or SIGTERM, and everything saved: end as the signal would have."""
    if failed is not None:
        raise RunError(f"The end of the training could not be saved: {failed}") from failed
    if not stop.requested:
        return
    logger.warning(farewell)
    if stop.exit_code == 130:
        raise KeyboardInterrupt
    raise SystemExit(stop.exit_code)
