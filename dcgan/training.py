"""What happens between `DCGAN.fit` and Keras's `fit`? Pictures, run folder, resume, callbacks."""

import logging
import math
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from dcgan import arguments
from dcgan.augment import RAMP_PASSES, strength_for
from dcgan.callbacks.checkpoints import Checkpoints
from dcgan.callbacks.clock import Clock, metric_arrays
from dcgan.callbacks.guard import Guard
from dcgan.callbacks.health import HealthWatch
from dcgan.callbacks.log import Log
from dcgan.callbacks.progress import Progress
from dcgan.callbacks.samples import SAMPLE_COUNT, SampleGrids
from dcgan.data import open_pictures
from dcgan.data.advice import expectation
from dcgan.data.alpha import unpremultiply
from dcgan.data.batches import Batches
from dcgan.data.order import split
from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import ArgumentError, RunError
from dcgan.film import write_film
from dcgan.images import RUN_PICTURE, grid, save_png
from dcgan.run.folder import RunFolder
from dcgan.run.signals import StopRequest
from dcgan.state import assign_arrays, run_options

logger = logging.getLogger("dcgan")

DEFAULT_STEPS = 12_000  # of a run where neither epochs nor minutes are given
SAMPLE_SET_COUNT = 1_000
NO_LIMIT = 10**9  # epochs, where only the clock ends a run

# What shapes the networks: a checkpoint made with other values of these does not fit.
SHAPING = frozenset(
    "kernel_size stride input_size img_size depth increment upsampling discriminator_norm "
    "network_plan optimizer discriminator_optimizer".split()
)


@dataclass
class Feed:
    """What is trained on, and how long an epoch of it is."""

    make: object  # from the first step to what Keras's fit takes
    steps_per_epoch: int | None
    pictures: object = None  # the `PictureSet`, if it is one
    train: np.ndarray | None = None  # which of them are trained on
    held_out: np.ndarray | None = None  # and which are never shown, to measure by
    health: dict | None = None  # the state of health that a checkpoint kept


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
        return math.ceil(DEFAULT_STEPS / steps)


def train(gan, keras_fit, x, limits: Limits, callbacks, verbose, resume):
    """Do what `DCGAN.fit` promises; `keras_fit` is the `fit` of the model's Keras parent.

    Returns:
        Keras's `History` of this call.
    """
    arguments.choice("verbose", verbose, (0, 1, 2, "auto"))
    _refuse_incomplete(gan)
    if isinstance(x, str | Path) and not Path(x).exists():
        open_pictures(x, gan.img_size)  # says what is wrong, before a run folder is made
    path = gan._options["save_path"] or Path("Results") / run_name(x)
    stream = _is_stream(x)
    resume = resume and not (stream and gan._options["save_path"] is None)
    with RunFolder.open(path, run_options(gan), shaping=SHAPING, resume=resume) as run:
        gan.run_path, gan.sha256 = run.path, None
        feed = _stream_feed(x) if stream else _picture_feed(gan, x, run, verbose)
        steps = limits.steps_per_epoch or feed.steps_per_epoch
        last_epoch = limits.last_epoch(steps)
        means = _go_on(gan, run, feed, steps, limits.initial_epoch)
        calls = _calls(gan.record["step"], steps, last_epoch)
        with StopRequest() as stop:
            clock = Clock(limits.minutes, stop, means)
            guard = Guard(run)
            watch = _watch(run, guard, feed)
            ours = [clock, guard, SampleGrids(run), Log(run, steps)]
            ours += [watch] if watch else []
            if verbose in (1, "auto"):
                total = steps * last_epoch if steps and last_epoch < NO_LIMIT else None
                ours.append(Progress(total, clock, watch))
            # the checkpoints come last: they save what all the others have done
            saving = Checkpoints(run, guard, watch)
            everything = [*ours, *(callbacks or []), saving]
            history = _fit(gan, keras_fit, feed, calls, everything, 2 * (verbose == 2))
        write_film(run.path, gan.img_size)
    _leave(stop, run.path, saving.failed)
    return history


def run_name(x) -> str:
    """The name of the run folder for what is trained on."""
    if x is None:
        return "seascapes"
    if isinstance(x, str | Path):
        name = Path(x).resolve().name
        return re.sub(r"(\.(npy|npz|gz|idx\d-ubyte))+$", "", name) or "pictures"
    return "array" if isinstance(x, np.ndarray) else "dataset"


def _is_stream(x) -> bool:
    """Whether `x` hands out batches itself, so that its order is not ours to repeat."""
    return isinstance(x, keras.utils.PyDataset) or hasattr(x, "element_spec")


def _stream_feed(x) -> Feed:
    length = x.num_batches if isinstance(x, keras.utils.PyDataset) else int(x.cardinality())
    return Feed(lambda first_step: x, length if length and length > 0 else None)


def _picture_feed(gan, x, run, verbose) -> Feed:
    """Open the pictures, show them as the networks will see them, and note which they are."""
    if x is None:
        x = draw_seascapes(SAMPLE_SET_COUNT, gan.img_size, gan.seed)
    options = gan._options
    pictures = open_pictures(
        x,
        gan.img_size,
        resize=options["resize"],
        background=options["background"],
        exclude=run.path,
        cache_beside=run.path,
        verbose=verbose,
    )
    logger.info("%s. %s", pictures.summary(), expectation(len(pictures)))
    pictures.write_skipped(run.skipped_path)
    run.record_data({"pictures": len(pictures), "sha256": pictures.fingerprint})
    gan.data = {"pictures": len(pictures), "sha256": pictures.fingerprint}
    if options["augmentation"] is None:
        gan.augmentation = strength_for(len(pictures))
    gan.ramp_steps = RAMP_PASSES * len(pictures) / gan.batch_size
    shown = np.linspace(0, len(pictures) - 1, min(SAMPLE_COUNT, len(pictures))).astype(int)
    reals = np.stack([pictures.pixels[index] for index in shown])
    reals = unpremultiply(reals) if gan.img_size[2] == 4 else reals
    save_png(run.path / "real.png", grid(reals), RUN_PICTURE)

    train, held_out = split(len(pictures), gan.seed)

    def make(first_step):
        return Batches(
            pictures.pixels,
            gan.batch_size,
            seed=gan.seed,
            mirror=options["mirror"],
            first_step=first_step,
            indices=train,
        )

    return Feed(make, make(0).steps_per_epoch, pictures, train, held_out)


def _refuse_incomplete(gan) -> None:
    if not gan.complete:
        raise ArgumentError(
            "This model was loaded from a generator-only file, which lacks the discriminator and "
            "both optimizers, so it can generate but not be trained. Load the file that "
            "save(path) wrote without generator_only=True."
        )


def _go_on(gan, run, feed: Feed, steps: int | None, initial_epoch: int) -> dict:
    """Put the run's newest checkpoint into the model, if it is the one to go on from.

    Returns:
        The running means to go on with, where that is in the middle of an epoch.
    """
    checkpoint = run.resume()
    if checkpoint is None or checkpoint.step < gan.record["step"]:
        if gan.record["run"] is None:
            gan.record["run"] = uuid.uuid4().hex
            gan.record["step"] = initial_epoch * (steps or 0)
        return {}
    assign_arrays(gan, checkpoint.arrays, whole=True)
    gan.record.update(checkpoint.state["record"])
    feed.health = checkpoint.state["health"]
    if tuple(checkpoint.state["given_rates"]) != gan.given_rates:  # a person has changed them since
        gan.optimizer.rates = gan.given_rates
    epoch, within = divmod(gan.record["step"], steps or NO_LIMIT)
    logger.info("Going on in %s from step %d (epoch %d).", run.path, checkpoint.step, epoch + 1)
    return metric_arrays(checkpoint.arrays) if within else {}


def _watch(run, guard: Guard, feed: Feed) -> HealthWatch | None:
    """What measures the samples; None where the real pictures are not ours to compare with."""
    if feed.pictures is None:
        return None
    watch = HealthWatch(run, guard, feed.pictures.pixels, feed.train, feed.held_out)
    if feed.health:
        watch.health.load_state_dict(feed.health)
    return watch


def _calls(first: int, steps: int | None, epochs: int) -> list[tuple[int, int, int, int | None]]:
    """(first step, first epoch, last epoch, steps per epoch) of each call of Keras's `fit`.

    Two where training goes on within an epoch: Keras keeps one length for all epochs of a call.
    """
    epoch, within = divmod(first, steps) if steps else (0, 0)
    if not within:
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


def _leave(stop: StopRequest, path: Path, failed: Exception | None) -> None:
    """After Ctrl-C or SIGTERM, and everything saved: end as the signal would have."""
    if failed is not None:
        raise RunError(f"The end of the training could not be saved: {failed}") from failed
    if not stop.requested:
        return
    logger.warning("Stopped and saved in %s; the same call goes on from here.", path)
    if stop.exit_code == 130:
        raise KeyboardInterrupt
    raise SystemExit(stop.exit_code)
