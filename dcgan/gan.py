"""What is a DCGAN? Two networks, a step that sets one against the other, and their use.

After Radford et al. 2016, arXiv 1511.06434.
"""

import math

import keras
import numpy as np
from keras import ops

from dcgan import losses
from dcgan import options as arguments
from dcgan.augment import augment
from dcgan.average import move_average
from dcgan.backend import BackendModel
from dcgan.images import chunks, to_uint8, unpremultiply
from dcgan.latents import draw_latents
from dcgan.networks import plan
from dcgan.networks.build import build_discriminator, build_generator
from dcgan.networks.recipes import preset_options
from dcgan.optimizers import make_pair
from dcgan.training import state
from dcgan.training.fit import Limits, train

MOST_IMAGES, MOST_BYTES = 10**6, 2**34  # in one call of `generate`


@keras.saving.register_keras_serializable("dcgan")
class DCGAN(BackendModel):
    """A generator of images like yours, and the discriminator that it learns from.

    Args:
        save_path: the run folder: samples, checkpoints, log. None: `Results/<name of the images>`.
        kernel_size: (height, width) of every convolution, in pixels. A multiple of the stride
            avoids checkerboards (Odena et al. 2016, Distill).
        stride: (height, width) by which each convolution shrinks or grows the image.
        input_size: length of the latent vector.
        img_size: (height, width, channels) of the images; any size from 4 to 2048 pixels,
            channels 1 (gray), 3 (color) or 4 (color and alpha).
        dropout: share of the discriminator's activations dropped in training, 0 to 0.95.
        depth: number of convolutions in the discriminator and of upsampling ones in the generator.
        increment: filters added per depth step: `increment, 2 * increment, ...` inwards.
        batch_size: images per training step. From depth 5 on, 8 is better.
        optimizer: the generator's: a Keras optimizer, its name, or a learning rate for Adam with
            beta_1 0.5 (None: 2e-4, Radford et al. 2016, section 4).
        discriminator_optimizer: likewise; None: the same settings as the generator's.
        seed: of the initial weights, the latents, the augmentation and the order of the images.
        average: the generator that you keep is a moving average of the one that is trained, with
            this momentum per step, at most 0.999999; 0 keeps the trained one.
        augmentation: strength in [0, 1] of the random changes under which the discriminator sees
            all images, reached after 200 passes; None chooses by their number (of a data set: 0).
        mirror: whether to train on mirror images too.
        resize: how images of another shape are fitted: "crop", "stretch" or "pad".
        background: (red, green, blue), 0 to 255, under transparency and around padded images.
        upsampling: "transposed" convolution; "smooth", the same with the grid it leaves averaged
            out; "resize", nearest neighbour and a convolution. None: "smooth" from depth 5 on.
        discriminator_norm: "batch" or "none"; None: "batch" up to depth 4, where it learns faster.
        one_stage: whether one look of the discriminator, if it has no BatchNorm, at generated
            images teaches both networks; False updates them in turn, as most GANs do.
        precision: "float32" or "mixed_bfloat16".
        network_plan: a `plan.Plan` (or its dict) in place of all arguments that shape the networks.
        name: the Keras model's name.

    Raises:
        ArgumentError: a value cannot work; the message names the argument. Nothing was built.
    """

    def __init__(
        self,
        save_path=None,
        kernel_size=(4, 4),
        stride=(2, 2),
        input_size=100,
        img_size=(150, 150, 3),
        dropout=0.0,
        depth=4,
        increment=32,
        batch_size=16,
        optimizer=None,
        *,
        discriminator_optimizer=None,
        seed=0,
        average=0.999,
        augmentation=None,
        mirror=False,
        resize="crop",
        background=(255, 255, 255),
        upsampling=None,
        discriminator_norm=None,
        one_stage=True,
        precision="float32",
        network_plan=None,
        name="dcgan",
    ):
        options = dict(locals())
        for not_an_option in ("self", "__class__", "optimizer", "discriminator_optimizer"):
            options.pop(not_an_option)
        self.options = options = arguments.check_options(options)
        optimizers = make_pair(optimizer, discriminator_optimizer)
        super().__init__(name=options["name"])
        self.plan = options["network_plan"] or plan.make_plan_from(options)
        self.img_size, self.input_size = self.plan.img_size, self.plan.input_size
        self.batch_size, self.seed = options["batch_size"], options["seed"]
        seed = self.seed * 1000  # each layer takes the next: room for two networks
        build = {"dtype": options["precision"], "seed": seed}
        self.generator = build_generator(self.plan, **build)
        self.training_generator = build_generator(self.plan, name="training_generator", **build)
        self.discriminator = build_discriminator(self.plan, **build | {"seed": seed + 500})
        # with BatchNorm a logit depends on all images of the batch
        self.one_stage = options["one_stage"] and not self.plan.discriminator_couples
        self.generator.set_weights(self.training_generator.get_weights())
        self.generator.trainable = False  # nobody trains the average

        self.random = keras.random.SeedGenerator(seed)
        self.augmentation = options["augmentation"] or 0.0  # None is settled when `fit` counts
        self.ramp_steps = 1.0  # until the augmentation has its full strength; likewise
        self.means = [keras.metrics.Mean(name=n) for n in ("d_loss", "g_loss", "d_real", "d_fake")]
        self.record = {"step": 0, "seconds": 0.0, "run": None}  # what training there has been
        self.data = {}  # on which images
        self.complete = True  # False where only a generator was loaded
        self.sha256 = self.run_path = None  # of the last saved generator; of the last `fit`
        self.built = True  # for Keras: no input shape is waited for
        self.compile(optimizers)

    def compile(self, optimizer=None, discriminator_optimizer=None, **options):
        """Set the optimizers, each anew; `options` are those of Keras's `compile`.

        Raises:
            ArgumentError: an optimizer cannot be used.
        """
        pair = make_pair(optimizer, discriminator_optimizer)
        pair.build_pair(
            self.training_generator.trainable_variables, self.discriminator.trainable_variables
        )
        self.given_rates = pair.rates
        super().compile(pair, **{"jit_compile": self.jit_compile_default, **options})

    def update(self, real, latents=None):
        """Do one training step: the discriminator's, the generator's, then the average.

        Args:
            real: images `(n, H, W, C)`: uint8, or float in [-1, 1].
            latents: float32 `(n, input_size)`; None draws them from N(0, 1).

        Returns:
            dict of the epoch's mean losses and of D's mean scores (1: real, 0: generated).
        """
        real, *_ = keras.utils.unpack_x_y_sample_weight(real)  # labels, if any, play no part
        if "int" in keras.backend.standardize_dtype(real.dtype):
            real = ops.cast(real, "float32") / 127.5 - 1
        if latents is None:
            latents = keras.random.normal((ops.shape(real)[0], self.input_size), seed=self.random)
        # One pass serves both: `pull_back` takes a gradient at the images to G's weights later.
        fake, pull_back = self.pullback(
            lambda: self.training_generator(latents, training=True),
            self.training_generator.trainable_variables,
        )
        d_loss, logits, *seen = self.discriminator_step(real, fake)
        g_loss = self.generator_step(fake, pull_back, logits[1], *seen)
        momentum = self.options["average"]
        move_average(self.generator, self.training_generator, momentum, self.steps_taken)
        scores = [ops.mean(ops.sigmoid(of_kind)) for of_kind in logits]
        for mean, value in zip(self.means, (d_loss, g_loss, *scores), strict=True):
            mean.update_state(value)
        return {mean.name: mean.result() for mean in self.means}

    def discriminator_step(self, real, fake):
        """Teach the discriminator to tell `real` from `fake`.

        Returns:
            its loss, its logits of both, and in one stage the loss's gradient at `fake`.
        """

        def loss_and_logits(fake=fake):
            logits = self.judge(real), self.judge(fake)
            return losses.discriminator_loss(*logits), logits

        weights = self.discriminator.trainable_variables
        inputs = [fake] if self.one_stage else []
        loss, logits, gradients = self.gradients(loss_and_logits, weights, inputs)
        self.optimizer.discriminator.apply(gradients[: len(weights)], weights)
        return loss, logits, *gradients[len(weights) :]

    def generator_step(self, fake, pull_back, logits=None, gradient=None):
        """Teach the generator to be taken for real by the discriminator; returns its loss."""
        if self.one_stage:  # what the discriminator has just seen of `fake` serves both
            loss = losses.generator_loss(logits)
            gradient = losses.from_discriminators_gradient(gradient, logits)
        else:  # ask it again, now that it has learnt
            loss, _, (gradient,) = self.gradients(
                lambda images: (losses.generator_loss(self.judge(images)), None), inputs=[fake]
            )
        weights = self.training_generator.trainable_variables
        self.optimizer.generator.apply(pull_back(gradient), weights)
        return loss

    def judge(self, images):
        """The discriminator's logits on randomly augmented images."""
        if self.augmentation:
            strength = self.augmentation * ops.minimum(1.0, self.steps_taken / self.ramp_steps)
            images = augment(images, strength, self.random)
        return self.discriminator(images, training=True)

    @property
    def steps_taken(self):
        """Steps since `compile`: a float32 scalar tensor."""
        return ops.cast(self.optimizer.generator.iterations, "float32")

    @property
    def metrics(self):
        """The running means that Keras resets at each epoch."""
        return self.means

    def fit(
        self, x=None, *, epochs=None, minutes=None, steps_per_epoch=None, initial_epoch=0,
        callbacks=None, verbose=1, resume=True,
    ):  # fmt: skip
        """Train on images; a run folder that holds a checkpoint is gone on with.

        Args:
            x: a folder, an array or a file of arrays (see `dcgan.data.open_images`), or a
                `tf.data.Dataset` or `keras.utils.PyDataset` of uint8, or float in [-1, 1],
                batches `(n, H, W, C)`, premultiplied if C is 4. None: a small drawn sample set.
            epochs: passes over the images after which to stop, counted from the run's start; a
                loaded model that comes to other images begins a new run.
            minutes: stop after so many minutes of this call, everything saved. If neither is
                given, training ends after 24,000 steps.
            steps_per_epoch: batches that make an epoch; None: all images once.
            initial_epoch: epoch to count from, where there is no checkpoint that says it.
            callbacks: any Keras callbacks, besides those that fill the run folder.
            verbose: 1 a progress bar, 2 a line per epoch, 0 silence.
            resume: False starts a new numbered folder instead of going on; so does a data set
                without a save_path.

        Returns:
            Keras's `History`: per epoch d_loss, g_loss, d_real, d_fake.

        Raises:
            ArgumentError, DataError, RunError: an argument, the images or the run folder cannot
                be used.
            TrainingError: training broke again and again; the last good state is saved.
        """
        limits = Limits(epochs, minutes, steps_per_epoch, initial_epoch)
        return train(self, super().fit, x, limits, callbacks, verbose, resume)

    def generate(self, n=None, seed=0, latents=None):
        """Make new images. Image i of a seed is the same whatever `n` is.

        Args:
            n: how many, at least 0; None: one, or as many as there are `latents`.
            seed: non-negative int.
            latents: float32 `(n, input_size)`, N(0, 1), to use instead of the seed's.

        Returns:
            uint8 `(n, H, W, C)`; with 4 channels, alpha is straight (not premultiplied).
        """
        if latents is None:
            most = min(MOST_IMAGES, MOST_BYTES // math.prod(self.img_size))
            n = arguments.whole("n", 1 if n is None else n, 0, most)
            seed = arguments.whole("seed", seed, 0, arguments.MAX_SEED)
            latents = draw_latents(n, self.input_size, seed)
        latents = arguments.latents("latents", latents, n, self.input_size)
        images = np.empty((len(latents), *self.img_size), np.uint8)
        for chunk in chunks(len(latents), self.img_size):
            images[chunk] = to_uint8(self.generator.predict_on_batch(latents[chunk]))
        return unpremultiply(images) if self.img_size[2] == 4 else images

    def save(self, path, overwrite=True, *, generator_only=False):
        """Write a `.dcgan` file: safe to share, and all that is needed to go on training.

        Args:
            path: the file; missing folders are made. It is written whole or not at all.
            overwrite: whether to replace a file that is there.
            generator_only: leave out what only training needs: a file about a sixth the size.

        Raises:
            ModelFileError: the file cannot be written, or the weights are not finite.
        """
        state.save_model(self, path, overwrite, generator_only)

    @classmethod
    def load(cls, path):
        """Read a `.dcgan` file. No file can run code; what is wrong with one is said.

        Raises:
            ModelFileError: the file is missing, damaged, hostile, or no model file.
        """
        return state.load_model(cls, path)

    @classmethod
    def from_preset(cls, preset, *, recipe="original", **changes):
        """A new, untrained DCGAN with the networks of a known system.

        Args:
            preset: its name, such as "mnist-paper"; `python main.py presets` lists all.
            recipe: "original" trains as its authors did; "own" takes the networks alone.
            changes: arguments of the constructor that go before the preset's.

        Raises:
            ArgumentError: the name is unknown, or a change contradicts the preset's networks.
        """
        return cls(**preset_options(preset, recipe, changes))

    def call(self, latents, training=False):
        """The averaged generator: latents `(n, input_size)` to float32 images in [-1, 1]."""
        return self.generator(latents, training=training)

    def summary(self, **options):
        """Print both networks, layer by layer, as Keras does."""
        self.training_generator.summary(**options)
        self.discriminator.summary(**options)

    def get_config(self):
        """The constructor's arguments, as plain values and serialized optimizers."""
        return {
            **arguments.plain_options(self.options),
            "optimizer": keras.optimizers.serialize(self.optimizer.generator),
            "discriminator_optimizer": keras.optimizers.serialize(self.optimizer.discriminator),
        }
