"""The DCGAN (Radford et al. 2016, arXiv 1511.06434): two networks, their step and their use."""

from collections.abc import Mapping
from dataclasses import fields, replace
from os import PathLike
from os.path import lexists
from typing import Any

import keras
import numpy as np
from keras import ops, random

from dcgan import evaluation, losses
from dcgan.augment import Augmentation
from dcgan.backend import BackendModel, move
from dcgan.backend.devices import all_gather, draw_shard, shard
from dcgan.backend.precision import fastest_precision
from dcgan.data.memory import check_memory
from dcgan.errors import ArgumentError, ModelFileError
from dcgan.export.showing import Showing
from dcgan.images import chunks, straight_alpha, to_float, to_uint8
from dcgan.latents import latents_for
from dcgan.networks.build import build_networks
from dcgan.networks.growing import enlarge_to, phase_plans, shrink_to
from dcgan.networks.plan import Pair, Plan, widest_map
from dcgan.networks.resolve import resolve, with_batch_size
from dcgan.optimizers import make_pair, update_ema
from dcgan.options import Options
from dcgan.training.fit import fit
from dcgan.training.keras_file import KerasFile, load_keras, save_keras
from dcgan.training.numbers import StepNumbers
from dcgan.training.request import Request
from dcgan.training.saving import read_model, save_model
from dcgan.training.starting import Starting
from dcgan.training.state import GENERATOR_ONLY, Learner, TrainingState, restore

Size = tuple[int, int, int]


@keras.saving.register_keras_serializable("dcgan")
class DCGAN(Starting, Showing, KerasFile, BackendModel):
    """A generator of images like yours, and the discriminator that it learns from.

    Args:
        save_path: run folder. None: `Results/<name of the images>`.
        kernel_size: (height, width) of every convolution kernel, in pixels.
        stride: (height, width) by which each convolution shrinks or enlarges its map.
        input_size: length of the latent vector.
        img_size: (height, width, channels); 4 to 2048 pixels, 1 (gray), 3 (color) or 4 (alpha).
        dropout: share of the discriminator's activations dropped in training, 0 to 0.95.
        depth: convolutions in the discriminator, and upsampling ones in the generator.
        increment: filters added per stage, from the image inwards.
        batch_size: images per training step. None: 16, or 8 from depth 5 on.
        optimizer: the generator's: a learning rate for Adam, a Keras optimizer or its name.
        discriminator_optimizer: None: the same settings as the generator's.
        seed: of weights, latents, augmentation, order of the images and choice of held-out ones.
        ema_momentum: of the generator's exponential moving average (EMA); 0 keeps the last weights.
        augmentation: strength in [0, 1], which rises at first. None: by the number of images.
        horizontal_flip: train on horizontally flipped images too.
        resize: "crop", "stretch" or "pad" images of another shape.
        background: (red, green, blue), 0 to 255, behind transparent pixels and around padding.
        upsampling: "antialiased" (transposed convolution and a blur), "transposed" or "resize".
        discriminator_norm: "batch" or "none". None: "batch" up to depth 4.
        one_stage: train both networks from one pass over the fakes, where D has no BatchNorm.
        growing: from 160 pixels on, begin with small images and add the outer stages later.
        precision: "float32" or "mixed_bfloat16" in training. None: what is fast on this machine.
        network_plan: a `Plan` (or its dict) in place of all arguments that shape the networks.
        sample_steps: training steps between two grids of samples.
        checkpoint_seconds: seconds between two checkpoints, at most.
        measure_steps: training steps between two measurements of the samples, at least.
        name: name of the Keras model.

    Each is an attribute as given (optimizers in `options`, `batch_size` as chosen). There are also
    the `plan` of both networks, `generator` (the EMA of `training_generator`), `state` (training
    so far), `model_hash` (SHA-256 of the generator as saved or loaded) and `run_path`.
    Raises `ArgumentError`, naming the argument, before anything is built.
    """

    discriminator_loss = staticmethod(losses.discriminator_loss)  # a subclass may have its own
    generator_loss = staticmethod(losses.generator_loss)

    def __init__(
        self, save_path: str | PathLike | None = None, kernel_size: Pair = (4, 4),
        stride: Pair = (2, 2), input_size: int = 100, img_size: Size | int = (150, 150, 3),
        dropout: float = 0.0, depth: int = 4, increment: int = 32, batch_size: int | None = None,
        optimizer: object = None, *, discriminator_optimizer: object = None, seed: int = 0,
        ema_momentum: float = 0.999, augmentation: float | None = None,
        horizontal_flip: bool = False, resize: str = "crop", background: Size = (255, 255, 255),
        upsampling: str = "antialiased", discriminator_norm: str | None = None,
        one_stage: bool = True, growing: bool = True, precision: str | None = None,
        network_plan: Plan | Mapping | None = None, sample_steps: int = 200,
        checkpoint_seconds: float = 300.0, measure_steps: int = 250, name: str = "dcgan",
    ):  # fmt: skip
        options = Options(
            save_path, kernel_size, stride, input_size,
            img_size, dropout, depth, increment, batch_size,  # type: ignore[arg-type]
            optimizer, discriminator_optimizer, seed, ema_momentum, augmentation,
            horizontal_flip, resize, background, upsampling, discriminator_norm, one_stage,
            growing, precision, network_plan, sample_steps, checkpoint_seconds, measure_steps, name,
        )  # fmt: skip
        self._build(*resolve(options), make_pair(optimizer, discriminator_optimizer))

    def _build(self, options, plan, optimizers):
        """Build all that a model has; without `optimizers`, the generator alone of its networks."""
        super().__init__(name=options.name)
        own = self.has_own_networks()
        self.options, self.plan = with_batch_size(options, plan), plan
        self.phases = (plan,) if own else phase_plans(plan)
        for row in fields(options):
            if row.name not in ("optimizer", "name"):  # Keras's own attributes
                setattr(self, row.name, getattr(self.options, row.name))
        precision = self.precision or fastest_precision()
        self.state = TrainingState(precision=precision, phase=len(self.phases) - 1)
        self.random = random.SeedGenerator(self.seed * 1000)
        self.numbers = StepNumbers()
        self.tracked = [self.numbers.sums, self.numbers.first_broken]  # variables that JAX returns
        self.augment = Augmentation(options.augmentation or 0.0)  # `fit` sets it where None
        self.model_hash = self.run_path = None
        self.built = True  # for Keras, which would wait for images to build it
        usual = not own and {self.discriminator_loss, self.generator_loss} == losses.USUAL
        self.uses_one_stage = self.one_stage and usual and not plan.discriminator_couples
        self.card, self.compile_options = {}, {}
        self.rebuild(optimizers)

    def rebuild(self, optimizers):
        """Build the networks of the training's phase, and compile."""
        self.generator, self.training_generator, self.discriminator = build_networks(
            self.phases[self.state.phase],
            seed=self.seed * 1000,  # each layer takes the next: room for both networks
            dtype=self.state.precision, generator_alone=optimizers is None,
            makers=(self.build_generator, self.build_discriminator),
        )  # fmt: skip
        if optimizers is not None:
            self.compile(optimizers, **self.compile_options)

    def compile(self, optimizer=None, discriminator_optimizer=None, **options):
        """Set both optimizers, with new states; `options` are those of Keras's `compile`."""
        if self.training_generator is None:
            raise ArgumentError(GENERATOR_ONLY)
        pair = make_pair(optimizer, discriminator_optimizer)
        self.compile_options = options
        pair.build_pair(self.training_generator, self.discriminator)
        self.state.learning_rates = pair.rates
        super().compile(pair, **{"jit_compile": self.jit_compile_default, **options})

    def update(self, real, latents=None):
        """Do one training step: the discriminator's, the generator's, then the EMA's.

        Args:
            real: images `(n, H, W, C)`: uint8, or float in [-1, 1]. Growing networks shrink them.
            latents: float32 `(n, input_size)`; None draws them from N(0, 1).

        Returns a dict of the epoch's mean losses and mean scores (1: real, 0: generated).
        """
        real, *_ = keras.utils.unpack_x_y_sample_weight(real)  # labels, if any, are not used
        if "int" in keras.backend.standardize_dtype(real.dtype):
            real = to_float(ops.cast(real, "float32"))
        real = shrink_to(real, self.phases[self.state.phase].img_size[:2])
        if latents is None:
            shape = (ops.shape(real)[0], self.input_size)
            latents = draw_shard(random.normal, shape, seed=self.random)
        # One pass serves both networks: `pull_back` turns the gradient at `fake` into the weights'
        network, weights = self.training_generator, self.training_generator.trainable_variables
        fake, pull_back = self.pullback(lambda: network(latents, training=True), weights)
        d_loss, real_logits, fake_logits, fake_gradient = self.discriminator_step(real, fake)
        self.augment.advance(ops.shape(real_logits)[0])
        g_loss = self.generator_step(fake, pull_back, fake_logits, fake_gradient)
        steps = ops.cast(self.optimizer.generator.iterations, "float32")
        update_ema(self.generator, self.training_generator, self.ema_momentum, steps, move)
        return self.numbers.update(steps, d_loss, g_loss, real_logits, fake_logits)

    def discriminator_step(self, real, fake):
        """Train the discriminator to tell `real` from `fake`.

        Returns its loss, its logits of both `(n, 1)`, and the loss's gradient at `fake`.
        """

        def loss_and_logits(fake):
            logits = self.discriminator_logits(real), self.discriminator_logits(fake)
            return self.discriminator_loss(*logits), logits

        weights = self.discriminator.trainable_variables
        loss, logits, gradients, (at_fake,) = self.gradients(loss_and_logits, weights, [fake])
        self.optimizer.discriminator.apply(gradients, weights)
        return loss, logits[0], logits[1], at_fake

    def generator_step(self, fake, pull_back, fake_logits, fake_gradient):
        """Train the generator to make fakes that pass for real; returns its loss."""
        if self.uses_one_stage:  # reuse the pass that the discriminator has learned from
            loss = self.generator_loss(fake_logits)
            fake_gradient = losses.generator_gradient(fake_gradient, shard(fake_logits))
        else:  # another pass, through the updated discriminator
            loss, _, _, (fake_gradient,) = self.gradients(
                lambda x: (self.generator_loss(self.discriminator_logits(x)), None), (), [fake]
            )
        weights = self.training_generator.trainable_variables
        self.optimizer.generator.apply(pull_back(fake_gradient), weights)
        return loss

    def discriminator_logits(self, images):
        """Logits `(n, 1)` of randomly augmented images `(n, H, W, C)`, of all devices."""
        images = self.augment(images, seed=self.random, draw=draw_shard)
        return all_gather(self.discriminator(images, training=True))

    @property
    def metrics(self):
        """The means that Keras resets at each epoch."""
        return self.numbers.means

    def fit(
        self, x: Any = None, y: Any = None, *, batch_size: int | None = None,
        epochs: int | None = None, minutes: float | None = None,
        steps_per_epoch: int | None = None, initial_epoch: int = 0, callbacks: Any = None,
        validation_data: Any = None, verbose: int | str = 1, resume: bool = True,
    ) -> keras.callbacks.History:  # fmt: skip
        """Train on images; a run folder that holds a checkpoint is resumed.

        Args:
            x: a folder, array or file of arrays (see `dcgan.open_images`), or a `tf.data.Dataset`,
                `keras.utils.PyDataset`, PyTorch `DataLoader` or grain dataset of batches `(n, H, W,
                C)`, uint8 or float in [-1, 1] or [0, 255], premultiplied if C is 4. None: the
                images of the run in `save_path`, else a small drawn sample set.
            y: labels; not used, and neither are labels in a dataset.
            batch_size: images per step from now on, in place of the model's.
            epochs: passes over the images after which to stop, counted from the run's start.
            minutes: stop after so many minutes of this call, with everything saved. If neither is
                given, training ends with the epoch that is nearest to 24,000 steps.
            steps_per_epoch: batches that make an epoch. None: all images once.
            initial_epoch: epoch to count from, where no checkpoint says it.
            callbacks: any Keras callbacks, besides those that fill the run folder.
            validation_data: images to hold out. None: a tenth of `x`, if it has 80 or more.
            verbose: 1 or "auto" a progress bar, 2 a line per epoch, 0 silence.
            resume: False starts a new numbered folder, as a dataset without save_path does.

        Returns Keras's `History`. Raises `ArgumentError`, `DataError` or `RunError` before it
        trains, `TrainingError` where training failed too often.
        """
        if batch_size is not None:
            self.options = replace(self.options, batch_size=batch_size)
            self.batch_size = batch_size
        with self.scope():
            request = Request(epochs, minutes, steps_per_epoch, initial_epoch, callbacks,
                              validation_data, verbose, resume)  # fmt: skip
            learner = self._learner()
            history, self.run_path, self.model_hash = fit(learner, super().fit, x, request)
        return history

    def generate(
        self, n: int | None = None, seed: int = 0, latents: np.ndarray | None = None,
        truncation: float = 1.0, best_of: int = 1,
    ) -> np.ndarray:  # fmt: skip
        """Generate images. Image i of a seed is the same whatever `n` is.

        Args:
            n: how many, from 0. None: one, or as many as there are `latents`.
            seed: non-negative int.
            latents: float32 `(n * best_of, input_size)`, N(0, 1), in place of the seed's.
            truncation: factor of the latents in [0, 1]; below 1, images are more typical and alike.
            best_of: 1 to 100 images are made for each; the discriminator's favorite is kept.

        Returns uint8 `(n, H, W, C)`; with 4 channels, alpha is straight (not premultiplied).
        """
        latents = latents_for(n, seed, latents, truncation, best_of, self.input_size, self.img_size)
        widest = widest_map(self.plan, "generator")
        check_memory(12 * widest, "Each image", "Use a smaller model or a larger machine.")
        latents = latents[evaluation.best_rows(self, latents, best_of)]
        images = np.empty((len(latents), *self.img_size), np.uint8)
        for chunk in chunks(len(latents), (widest,)):
            made = self.predict_here(self.generator, latents[chunk])
            images[chunk] = to_uint8(enlarge_to(made, self.img_size[:2]))
        return straight_alpha(images)

    def evaluate(self, x: Any = None, *, return_dict: bool = True, **keras_arguments: Any) -> dict:
        """Estimates against the images in `x`, as a dict: kid, fid, ...; None if withheld."""
        return evaluation.as_logs(self, x, return_dict, keras_arguments)

    def save(
        self, path: str | PathLike, overwrite: bool = True, *, generator_only: bool = False,
        card: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Write a `.dcgan` file: safe to share, and all that is needed to continue training.

        Args:
            path: the file, written whole or not at all; one named ".keras" is in Keras's format.
            overwrite: whether to replace a file that is there.
            generator_only: leave out what only training needs: a file about a sixth the size.
            card: texts "author", "license", "data" and "note", kept in later saves of a `.dcgan`.
        """
        if not overwrite and lexists(path):
            raise ModelFileError(f"{str(path)!r} is there already. Give another path.")
        card = dict(self.card if card is None else card)
        if str(path).endswith(".keras") and not generator_only:
            save_keras(self, path, card)
        else:
            self.model_hash = save_model(self._learner(), path, generator_only, card)
        self.card = card

    @classmethod
    def load(cls, path: str | PathLike) -> "DCGAN":
        """Read a `.dcgan` file, a checkpoint or a saved `.keras` file; runs no code from it."""
        if str(path).endswith(".keras"):
            return load_keras(path)
        file, parts = read_model(path, own_networks=cls.has_own_networks())
        gan = cls.__new__(cls)
        gan._build(*parts)
        restore(gan._learner(), file.document["training"], file.arrays)
        gan.model_hash, gan.card = file.sha256, file.card
        return gan

    def call(self, latents, training=False):
        """The EMA generator: latents to float32 images in [-1, 1], small while networks grow."""
        return self.generator(latents, training=training)

    def _learner(self):
        """The pieces of this model that training and files work with."""
        return Learner(
            self, self.options, self.plan, self.phases, self.state, self.numbers, self.augment,
            self.random.state, self.generate,
        )  # fmt: skip
