"""Is it going well? Measures the samples now and then, names the state, keeps the best model."""

import logging
import time

import keras
import numpy as np
from keras import ops

from dcgan.augment import augmented_copies
from dcgan.data.reader import ImageReader
from dcgan.errors import ModelFileError
from dcgan.images import chunks, premultiply, unpremultiply
from dcgan.metrics.distances import kid
from dcgan.metrics.features import features, load_network, scaling
from dcgan.metrics.leak import FEWEST as FEWEST_COMPARED
from dcgan.metrics.leak import leaked
from dcgan.metrics.memorization import memorization
from dcgan.metrics.variety import variety
from dcgan.training.callbacks import going_on
from dcgan.training.health import Health, Measurement
from dcgan.training.state import to_arrays

SAMPLES = 256  # per measurement, where they are small enough
FEWEST_MEASURED = 4  # training images: below, there is no KID
TRAIN_MOST = 2_000  # training images that samples are compared with
MOST_BYTES = 2**28  # that the training images, or the samples, take in memory
MEASURE_STEPS = 250  # between two measurements, at least
TIME_SHARE = 0.015  # of training that measuring may take
SEED = 2**31 - 2  # of the measured samples: not those that a person looks at

logger = logging.getLogger("dcgan")


class HealthWatch(keras.callbacks.Callback):
    """Measures, says a change of state in a sentence, writes it to the log, saves `best.dcgan`.

    Args:
        run: the run folder.
        guard: the run's `Guard`, which takes a collapsed training back.
        images: the `ImageSet` of the run.
        train, held_out: indices of those trained on, and of those never shown; the latter may be
            none.
    """

    def __init__(self, run, guard, images, train: np.ndarray, held_out: np.ndarray):
        super().__init__()
        self.run = run
        self.guard = guard
        self.health = Health()
        self.word = "learning"
        self._real_images = [images.fingerprint, len(held_out)]  # what KID is taken against
        fit = max(FEWEST_COMPARED, MOST_BYTES // images.pixels[0].size)
        self._samples, most = min(SAMPLES, fit), min(TRAIN_MOST, fit)
        mixed = np.random.default_rng(SEED)  # folders are sorted: the first are of one kind
        reader = ImageReader(images.pixels)
        self._train = reader.take(mixed.permutation(train)[:most])
        few = mixed.permutation(held_out)[: self._samples]
        self._held_out = reader.take(few) if len(few) else None
        self._network = None
        self._measured = (0, 0.0)  # at which step, and when

    def on_train_begin(self, logs=None):
        """Count from here."""
        self._measured = (self.model.record["step"], time.monotonic())
        self._pause = 0.0

    def on_train_batch_end(self, batch, logs=None):
        """Measure when it is time."""
        step, moment = self._measured
        steps = self.model.record["step"] - step
        if steps >= MEASURE_STEPS and time.monotonic() - moment >= self._pause:
            self.measure()

    def on_train_end(self, logs=None):
        """Measure the end, if it is worth it."""
        if self.model.record["step"] - self._measured[0] >= max(1, MEASURE_STEPS // 2):
            self.measure()

    def measure(self) -> None:
        """Measure the samples now, and act on what is found."""
        if self._network is None:
            self._prepare()
        began = time.monotonic()
        step = self.model.record["step"]
        measurement = self._measurement(step)
        diagnosis = self.health.update(measurement)
        if diagnosis.word != self.word:
            level = logging.WARNING if diagnosis.ill else logging.INFO
            logger.log(level, "%s: %s", diagnosis.word, diagnosis.sentence)
        self.word = diagnosis.word
        with going_on("the log"):
            self.run.log.write(_line(measurement, diagnosis, self._network.name))
        # samples that never had variety cannot lose it
        if diagnosis.word == "collapsing" and self.health.best_varied:
            self._return(diagnosis.sentence)
        elif self.health.best_step == step:
            self._keep()
        now = time.monotonic()
        self._pause = (now - began) / TIME_SHARE
        self._measured = (step, now)

    def state_dict(self) -> dict:
        """What a checkpoint keeps, as plain values."""
        return {"health": self.health.state_dict(), "real_images": self._real_images}

    def load_state_dict(self, state: dict) -> None:
        """Go on from what a checkpoint kept, if it kept anything about these images."""
        if "health" in state and state.get("real_images") in (None, self._real_images):
            self.health.load_state_dict(state["health"])

    def _prepare(self) -> None:
        """Embed the real images, once."""
        self._network = load_network()
        train = features(self._straight(self._train[: self._samples]), self._network)
        self._scale = scaling(train)
        held_out = self._held_out
        real = train if held_out is None else features(self._straight(held_out), self._network)
        self._real = self._scale(real)
        self._augmented = None  # real images as the discriminator sees them, if they are enough
        if self.model.augmentation and len(train) >= FEWEST_COMPARED:
            seen = augmented_copies(self._train[: self._samples], self.model.augmentation)
            self._augmented = self._straight(seen)

    def _measurement(self, step: int) -> Measurement:
        fakes = self.model.generate(self._samples, seed=SEED)
        found = self._scale(features(fakes, self._network))
        train, held_out, few = self._straight(self._train), None, self._train[: self._samples]
        if self._held_out is not None:
            held_out = self._straight(self._held_out)
        copies = memorization(fakes, train, held_out)
        return Measurement(
            step=step,
            variety=variety(fakes, train[: len(few)]),
            d_real=self._score(few),
            d_held_out=None if held_out is None else self._score(self._held_out),
            d_fake=self._score(premultiply(fakes) if fakes.shape[-1] == 4 else fakes),
            kid=kid(self._real, found, self._network.name).value,
            memorized=float(copies.share),
            copying=copies.copying,
            leaked=None
            if self._augmented is None
            else leaked(fakes, train[: len(few)], self._augmented),
        )

    def _score(self, images: np.ndarray) -> float:
        """D's mean score of images as they are, 1 for real."""
        scores = []
        for chunk in chunks(len(images), images.shape[1:]):
            batch = images[chunk].astype(np.float32) / 127.5 - 1
            logits = self.model.discriminator(batch, training=False)
            scores.append(ops.convert_to_numpy(ops.sigmoid(logits)).ravel())
        return float(np.concatenate(scores).mean())

    def _straight(self, images: np.ndarray) -> np.ndarray:
        return unpremultiply(images) if images.shape[-1] == 4 else images

    def _keep(self) -> None:
        """Save the best model so far."""
        try:
            self.model.save(self.run.best_path)
        except ModelFileError as error:
            logger.error("best.dcgan was not saved: %s", error)

    def _return(self, sentence: str) -> None:
        """Go back to before the collapse; the best KID stays what later ones are held against."""
        try:
            best = to_arrays(self.model.load(self.run.best_path))
        except ModelFileError as error:
            logger.error("%s", error)
            best = None
        self.guard.go_back(f"the training is collapsing: {sentence.rstrip('.')}", best)
        young = {"recent": [], "count": 0, "since_best": 0}
        self.health.load_state_dict(self.health.state_dict() | young)


def _line(measurement: Measurement, diagnosis, network: str) -> dict:
    """What the log keeps of a measurement."""
    numbers = {
        name: round(value, 5)
        for name, value in vars(measurement).items()
        if isinstance(value, float)
    }
    return {
        "step": measurement.step,
        "state": diagnosis.word,
        "sentence": diagnosis.sentence,
        "network": network,
        **{f"measured_{name}": value for name, value in numbers.items()},
    }
