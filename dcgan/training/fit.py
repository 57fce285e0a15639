"""What `DCGAN.fit` does around Keras's `fit`: source, run folder, resume, tasks, and the end."""

import logging
import math
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import keras
from keras import ops

from dcgan.augment import augmented_copies
from dcgan.backend.devices import check_devices, process_id, processes
from dcgan.backend.idle_gpu import warn_of_idle_gpu
from dcgan.data.memory import check_memory
from dcgan.data.own_batches import Source, is_stream
from dcgan.errors import ArgumentError, RunError, TrainingError, is_out_of_memory
from dcgan.images import RUN_IMAGE, enlarged_grid, evenly, save_png, straight_alpha
from dcgan.networks.plan import training_bytes
from dcgan.storage.run_folder import RunFolder
from dcgan.training.callbacks.checkpointing import Checkpointing
from dcgan.training.callbacks.loss_log import LossLog
from dcgan.training.callbacks.monitor import MIN_MEASURED, HealthMonitor
from dcgan.training.callbacks.notebook import NotebookProgress, in_notebook
from dcgan.training.callbacks.previews import SAMPLE_COUNT, Previews
from dcgan.training.callbacks.progress import Progress
from dcgan.training.callbacks.run_page import RunPage
from dcgan.training.callbacks.schedule import CallbackList, Schedule, Task
from dcgan.training.phases import Growth, begin_small, grow
from dcgan.training.processes import check_alike, ends_together, lost_process, open_run, watchdog
from dcgan.training.request import NO_LIMIT, Length, Request
from dcgan.training.resume import choose_folder, images_of, position, resume_run, settle
from dcgan.training.signals import StopRequest
from dcgan.training.source import ImageSource, open_source
from dcgan.training.state import GENERATOR_ONLY, Learner

logger = logging.getLogger("dcgan")


@ends_together()
def fit(
    learner: Learner, keras_fit: Callable, x: object, request: Request
) -> tuple[keras.callbacks.History, Path, str | None]:
    """Do what `DCGAN.fit` promises; `keras_fit` is the `fit` of the model's Keras parent.

    Returns Keras's history, the run folder, and the hash of the last model that was saved.
    """
    if learner.optimizers is None:
        raise ArgumentError(GENERATOR_ONLY)
    batch_size = learner.options.batch_size
    check_devices(learner.model, batch_size)
    began = time.monotonic()
    deadline = None if request.minutes is None else began + 60 * request.minutes
    verbose = request.verbose if process_id() == 0 else 0  # one shows progress for all
    with show_messages(verbose):
        warn_of_idle_gpu()
        x = images_of(x, learner.options.save_path)
        if not is_stream(x):
            check_step(learner, batch_size, "Use a smaller batch_size")
        path, resume = choose_folder(x, learner.options.save_path, request.resume)
        source = open_source(
            x,
            learner.options,
            steps=request.steps_per_epoch,
            validation_data=request.validation_data,
            run_path=path,
            verbose=verbose,
        )
        if is_stream(x):
            check_step(learner, source.batch_size, "Make smaller batches in the dataset")
        with open_run(path, resume) as run, StopRequest() as stop, watchdog(learner.state):
            # Processes have read the same images, if these numbers are alike
            mark = int(source.images.fingerprint[:7], 16) if isinstance(source, ImageSource) else 0
            steps = request.steps_per_epoch or source.steps_per_epoch
            check_alike([run.checkpoints.latest(), mark, source.stream is not None, steps or 0])
            source = settle(learner, run, source)
            steps = request.steps_per_epoch or source.steps_per_epoch
            length = Length(steps, request.last_epoch(steps))
            means = resume_run(learner, run, source, steps, request.initial_epoch)
            warn_if_done(learner, length)
            begin_small(learner)
            write_previews(run, source, learner)
            saving = Checkpointing(learner, run, source.stream)
            tasks = make_tasks(learner, run, source, length, deadline, request)
            growth = Growth(learner, length, deadline)
            if growth.is_late():  # killed after the last step of a phase
                grow(learner)
                saving.save()
            # Saving comes last, so that it saves what the others have done
            tasks += [growth, RunPage(run, learner.options.sample_steps), saving]
            check_alike([len(tasks), learner.state.phase])
            schedule = Schedule(learner, tasks, source.batch_size, run, stop, deadline, means)
            history = train(learner, keras_fit, source, schedule, saving, length, request)
            finish(run, saving, stop, resume)
    return history, run.path if process_id() == 0 else path, saving.model_hash


def check_step(learner: Learner, batch_size: int, advice: str) -> None:
    """Refuse a step of more images than there is memory for."""
    advice = f"{advice} than {batch_size}, or use a smaller img_size."
    check_memory(training_bytes(learner.plan, batch_size), "Training", advice)


@contextmanager
def show_messages(verbose):
    """Show what the library logs of a run, where logging has not been set up otherwise."""
    # What a notebook gets on stderr has a red background
    stream = sys.stdout if in_notebook() else sys.stderr
    unseen = sys.stderr is None or sys.stderr.closed
    if not verbose or unseen or logger.level != logging.NOTSET:
        yield
        return
    handler = logging.StreamHandler(stream)
    logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        logger.addHandler(handler)
    try:
        with redirect_stderr(stream):
            yield
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)


def warn_if_done(learner: Learner, length: Length) -> None:
    """Say that nothing is left to train, where that is so."""
    if _first_epoch(learner, length) >= length.last_epoch:
        logger.warning(
            "All %d epochs are done (%d steps); ask for more epochs, or minutes, to continue.",
            length.last_epoch,
            learner.state.step,
        )


def write_previews(run: RunFolder, source: Source, learner: Learner) -> None:
    """Show the images as the networks will see them: `real.png` and `augmented.png`."""
    if not isinstance(source, ImageSource):
        return
    reals = source.images.pixels[evenly(len(source.images), SAMPLE_COUNT)]
    save_png(run.path / "real.png", enlarged_grid(straight_alpha(reals)), RUN_IMAGE)
    if strength := float(ops.convert_to_numpy(learner.augment.strength)):
        seen = straight_alpha(augmented_copies(reals, strength))
        save_png(run.path / "augmented.png", enlarged_grid(seen), RUN_IMAGE)


def make_tasks(learner, run, source, length, deadline, request) -> list[Task]:
    """What is done now and then, besides growing, the page and saving, which follow these."""
    tasks: list[Task] = []
    if isinstance(source, ImageSource) and len(source.train) >= MIN_MEASURED:
        tasks.append(HealthMonitor(learner, run, source))
    tasks.append(Previews(run, learner, request.user_callbacks()))
    tasks.append(LossLog(run, learner.state, learner.numbers))
    if request.verbose in (1, "auto"):
        total = length.total and length.total + learner.state.step - position(learner)
        shown = (learner.state, source.batch_size, total, deadline)
        tasks.append(NotebookProgress(run, *shown) if in_notebook() else Progress(*shown))
    return tasks


def train(
    learner: Learner,
    keras_fit: Callable,
    source: Source,
    schedule: Schedule,
    saving: Checkpointing,
    length: Length,
    request: Request,
) -> keras.callbacks.History:
    """Call Keras's `fit`: again where training resumes within an epoch, or the networks grow."""
    callbacks = CallbackList(
        schedule,
        request.user_callbacks(),
        learner.model,
        add_progbar=request.verbose == 2 and process_id() == 0,
        verbose=request.verbose,
        epochs=length.last_epoch if length.last_epoch < NO_LIMIT else math.inf,
        steps=length.steps,
    )
    batches = None
    try:
        calls = _calls(learner, length)
        while calls:
            first, initial_epoch, epochs, steps = calls.pop(0)
            batches = source.batches(first)
            history = keras_fit(
                learner.model.stream(batches) if isinstance(source, ImageSource) else batches,
                epochs=epochs,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps,
                callbacks=callbacks,
                verbose=0,
                shuffle=False,
            )
            if schedule.cut and not schedule.ended:
                schedule.keep_means()
                saving.mend()
                grow(learner)
                saving.save()
                calls = _calls(learner, length)
            elif learner.model.stop_training:
                break
    except Exception as error:  # of a user's callback, say
        if is_out_of_memory(error):  # the device may have lost the weights: checkpoints have not
            raise TrainingError(_too_large(learner, source)) from None
        if gone := lost_process(error, learner.state.step):  # nothing can be saved without it
            raise gone from None
        if processes() > 1:
            saving.stream = None  # its position takes all processes to know, and some may be gone
        try:
            schedule.finish()  # what was trained is saved before the error passes on
        except Exception as second:
            logger.error("The end of the training could not be saved: %s", second)
        if reason := getattr(batches, "error", None):
            raise reason from None
        raise
    schedule.finish()
    callbacks.end(schedule.last_logs)
    return history


def _too_large(learner: Learner, source: Source) -> str:
    """What to try where a step did not fit in memory."""
    batch_size, (height, width, channels) = source.batch_size, learner.plan.img_size
    needed = training_bytes(learner.plan, batch_size) / 1e9
    if batch_size > 1:
        half = batch_size // 2
        smaller = f"batch_size={half}" if isinstance(source, ImageSource) else f"batches of {half}"
        advice = f"Use {smaller}, which resumes from the last checkpoint"
    else:
        advice = f"Use img_size=({height // 2}, {width // 2}, {channels}), which is another run"
    return (
        f"Memory ran out after step {learner.state.step}: batch_size={batch_size} of {height} x "
        f"{width} pixels needs {needed:.1f} GB or more. {advice}."
    )


def _first_epoch(learner: Learner, length: Length) -> int:
    """The epoch to start in, from 0."""
    return position(learner) // length.steps if length.steps else learner.state.epochs


def _calls(learner: Learner, length: Length) -> list[tuple[int, int, int, int | None]]:
    """(first step, first epoch, last epoch, steps per epoch) of each call of Keras's `fit`.

    Keras keeps one length for all epochs of a call, so the rest of an epoch is a call of its own.
    """
    steps, epochs, first = length.steps, length.last_epoch, position(learner)
    epoch, within = _first_epoch(learner, length), first % steps if steps else 0
    if steps is None or not within or epoch >= epochs:
        return [(first, epoch, epochs, steps)]
    rest = steps - within
    return [(first, epoch, epoch + 1, rest), (first + rest, epoch + 1, epochs, steps)]


def finish(run: RunFolder, saving: Checkpointing, stop: StopRequest, resume: bool) -> None:
    """Say how to resume, and end as a signal would have, if one came.

    Raises:
        RunError: the end of the training could not be saved.
        KeyboardInterrupt, SystemExit: the user or a scheduler asked to stop.
    """
    if saving.failed is not None:
        raise RunError(
            f"The end of the training could not be saved: {saving.failed}"
        ) from saving.failed
    again = "The same call resumes" if resume else f"save_path={str(run.path)!r} resumes"
    if stop.requested:
        logger.warning("Stopped and saved in %s. %s from here.", run.path, again)
        stop.leave()
    if not resume:
        logger.info("%s this run.", again)
