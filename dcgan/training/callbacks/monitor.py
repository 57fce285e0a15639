"""The health monitor: measures samples now and then, names the status, keeps the best model."""

import logging
import time
from collections.abc import Callable

import numpy as np
from keras import ops

from dcgan.augment import augmented_copies
from dcgan.errors import ModelFileError
from dcgan.images import RUN_IMAGE, chunks, premultiply, save_png, straight_alpha, to_float
from dcgan.metrics.distances import kid
from dcgan.metrics.features import FeatureNetwork, features, load_network, scaling
from dcgan.metrics.leak import MIN_IMAGES, leaked
from dcgan.metrics.memorization import memorization, nearest_pairs
from dcgan.metrics.variety import variety
from dcgan.networks.growing import shrink_to
from dcgan.storage.model_file import read_model_file
from dcgan.storage.run_folder import RunFolder
from dcgan.training.callbacks.previews import SAMPLE_COUNT
from dcgan.training.callbacks.rollback import roll_back
from dcgan.training.callbacks.schedule import Task, keep_training
from dcgan.training.health import Diagnosis, Measurement
from dcgan.training.processes import as_in_first_process
from dcgan.training.saving import save_model
from dcgan.training.source import ImageSource
from dcgan.training.state import Learner

SAMPLES = 256  # per measurement, where they are small enough
MIN_MEASURED = 4  # images: with fewer there is no KID
MAX_COMPARED = 2_000  # training images that samples are compared with
MAX_BYTES = 2**28  # of the training images, and of the samples, in memory
TIME_SHARE = 0.015  # of training that measuring may take
SEED = 2**31 - 2  # of the measured samples: not those that users look at

logger = logging.getLogger("dcgan")


class HealthMonitor(Task):
    """Measures, logs a change of status in a sentence, and saves `best.dcgan`."""

    def __init__(self, learner: Learner, run: RunFolder, source: ImageSource):
        super().__init__()
        self.learner = learner
        self.state = learner.state
        self.run = run
        self._forget_other_images(source)
        fit = max(MIN_IMAGES, MAX_BYTES // source.images.pixels[0].size)
        self._samples = min(SAMPLES, fit)
        mixed = np.random.default_rng(SEED)  # folders are sorted: the first are of one kind
        chosen = mixed.permutation(len(source.train))[: min(MAX_COMPARED, fit)]
        self._train = source.train.take(chosen)
        few = mixed.permutation(len(source.held_out))[: self._samples]
        self._held_out = source.held_out.take(few) if len(few) >= MIN_MEASURED else None
        self._network: FeatureNetwork | None = None
        self._pause = 0.0

    def is_due(self, step, now):
        """Every so many steps, but not more often than its share of the time allows."""
        enough = step - self.last_step >= self.learner.options.measure_steps
        return enough and now - self.last_moment >= self._pause

    def act(self, epoch, logs):
        """Measure, and act on what is found; several processes act on what the first has found."""
        self._act(as_in_first_process)

    def _act(self, agree: Callable[[Measurement], Measurement]) -> None:
        began = time.monotonic()
        network = self._network or self._prepare()
        state = self.state
        measurement = agree(self._measure(network))
        numbers = [value for value in vars(measurement).values() if isinstance(value, float)]
        if not np.isfinite(numbers).all():
            reason = f"what was measured at step {state.step} is not finite"
            return roll_back(self.learner, self.run, reason)
        if state.phase < len(self.learner.phases) - 1:
            state.health.expect_more()
        diagnosis = state.health.update(measurement)
        if diagnosis.status != state.status:
            level = logging.WARNING if diagnosis.is_problem else logging.INFO
            logger.log(level, "%s: %s", diagnosis.status, diagnosis.sentence)
        state.status = diagnosis.status
        with keep_training("the log"):
            self.run.log.write(_line(measurement, diagnosis, network.name, state.health.best_step))
        # samples that never had variety cannot lose it
        if diagnosis.status == "collapsing" and state.health.best_varied:
            self._roll_back(diagnosis.sentence)
        elif state.health.best_step == state.step:
            try:
                save_model(self.learner, self.run.best_path)
            except ModelFileError as error:
                logger.error("best.dcgan was not saved: %s", error)
        self._pause = (time.monotonic() - began) / TIME_SHARE

    def finish(self, epoch, logs):
        """Measure the end, if it is worth it."""
        steps = self.state.step - self.last_step
        if steps >= max(1, self.learner.options.measure_steps // 2):
            self._act(lambda measurement: measurement)  # an error may have ended this process alone

    def _forget_other_images(self, source: ImageSource) -> None:
        """Drop measurements against other images, which cannot be compared with new ones."""
        measured_on = f"{source.images.fingerprint} {len(source.held_out)}"
        if self.state.health.measured_on != measured_on:
            self.state.health = type(self.state.health)(measured_on=measured_on)

    def _prepare(self) -> FeatureNetwork:
        """Load the feature network and compute the features of the real images, once."""
        self._network = network = load_network()
        train = features(straight_alpha(self._train[: self._samples]), network)
        self._scale = scaling(train)
        held_out = self._held_out
        real = train if held_out is None else features(straight_alpha(held_out), network)
        self._real = self._scale(real)
        self._augmented = None  # real images as the discriminator sees them, if there are enough
        strength = float(ops.convert_to_numpy(self.learner.augment.strength))
        if strength and len(train) >= MIN_IMAGES:
            seen = augmented_copies(self._train[: self._samples], strength)
            self._augmented = straight_alpha(seen)
        return network

    def _measure(self, network: FeatureNetwork) -> Measurement:
        fakes = self.learner.generate(self._samples, seed=SEED)
        found = self._scale(features(fakes, network))
        train, few = straight_alpha(self._train), self._train[: self._samples]
        held_out, d_held_out = None, None
        if self._held_out is not None:
            held_out, d_held_out = straight_alpha(self._held_out), self._score(self._held_out)
        copies = memorization(fakes, train, held_out)
        with keep_training("nearest.png"):
            shown = self.learner.generate(SAMPLE_COUNT)
            save_png(self.run.path / "nearest.png", nearest_pairs(shown, train), RUN_IMAGE)
        real = train[: len(few)]
        return Measurement(
            step=self.state.step,
            variety=variety(fakes, real),
            d_real=self._score(few),
            d_held_out=d_held_out,
            d_fake=self._score(premultiply(fakes) if fakes.shape[-1] == 4 else fakes),
            kid=kid(self._real, found, network.name).value,
            memorized=float(copies.share),
            copying=copies.copying,
            leaked=None if self._augmented is None else leaked(fakes, real, self._augmented),
        )

    def _score(self, images: np.ndarray) -> float:
        """The discriminator's mean score of images without augmentation, 1 for real."""
        discriminator, scores = self.learner.networks["discriminator"], []
        for chunk in chunks(len(images), images.shape[1:]):
            shrunk = shrink_to(to_float(images[chunk]), discriminator.input_shape[1:3])
            logits = self.learner.model.predict_here(discriminator, shrunk)
            scores.append(ops.convert_to_numpy(ops.sigmoid(logits)).ravel())
        return float(np.concatenate(scores).mean())

    def _roll_back(self, sentence: str) -> None:
        """Roll back to before the collapse; the best KID stays what later ones compare with."""
        arrays = None
        try:
            best = read_model_file(self.run.best_path)
            if best.document["training"]["phase"] == self.state.phase:  # else they do not fit
                arrays = best.arrays
        except ModelFileError as error:
            logger.error("%s", error)
        reason = f"the training is collapsing: {sentence.rstrip('.')}"
        roll_back(self.learner, self.run, reason, arrays)
        self.state.health.start_anew()


def _line(measurement: Measurement, diagnosis: Diagnosis, network: str, best_step: int) -> dict:
    """What the log keeps of a measurement."""
    numbers = {
        f"measured_{name}": round(value, 5)
        for name, value in vars(measurement).items()
        if isinstance(value, float)
    }
    return {
        "step": measurement.step,
        "status": diagnosis.status,
        "sentence": diagnosis.sentence,
        "network": network,
        "best_step": best_step,
        **numbers,
    }
