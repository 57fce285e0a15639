"""The generator and the discriminator as Keras models, built from one plan."""

import math
from collections.abc import Callable, Mapping

import keras
import numpy as np
from keras import layers, ops

from dcgan.backend import FASTER_LAYERS
from dcgan.networks.plan import Pair, Plan, Stage

Layers = Mapping[type, type]

FLOAT32_LAYERS = ("image", "float32_logit")  # whatever the precision of the others


def build_networks(
    plan: Plan,
    *,
    seed: int,
    dtype,
    generator_alone: bool = False,
    makers: tuple[Callable, Callable],
) -> tuple[keras.Model, keras.Model | None, keras.Model | None]:
    """The networks of a DCGAN, with the same weights in both generators.

    Args:
        plan, seed, dtype: as for `build_generator`.
        generator_alone: build only what generates images.
        makers: `build_generator` and `build_discriminator`, or a user's own in their place.

    Returns:
        the generator that is kept, float32 and not trainable, since it follows the one in
        training; the generator in training; the discriminator. Else the first and twice None.
    """
    make_generator, make_discriminator = makers
    kept = make_generator(plan, seed=seed, dtype="float32", name="generator")
    kept.trainable = False
    if generator_alone:
        return kept, None, None
    ours = makers == (build_generator, build_discriminator)
    faster = {"faster": FASTER_LAYERS} if ours else {}  # with the same weights
    trained = make_generator(plan, seed=seed, dtype=dtype, name="training_generator", **faster)
    kept.set_weights(trained.get_weights())
    return kept, trained, make_discriminator(plan, seed=seed + 500, dtype=dtype, **faster)


def build_generator(
    plan: Plan, *, seed: int = 0, dtype=None, name="generator", faster: Layers | None = None
) -> keras.Model:
    """Build the network that turns latents into images.

    Args:
        plan: the plan of both networks.
        seed: of the initial weights and of dropout.
        dtype: Keras dtype policy of the layers, e.g. "float32" or "mixed_bfloat16".
        name: of the model.
        faster: classes to use in place of Keras's, which have the same weights.

    Returns:
        A model from float32 latents `(n, input_size)` to float32 images `(n, H, W, C)` in
        [-1, 1]. Without `faster` it holds Keras's own layers only, so that it loads without this
        package.
    """
    make = _LayerMaker(plan, seed, dtype, faster)
    height, width = plan.base.size
    units = height * width * plan.base.filters
    latent = layers.Input((plan.input_size,), name="latent")
    x = make.layer(layers.Dense, "base", units, use_bias=plan.base.bias)(latent)
    if plan.base.norm == "units":  # one mean and variance per unit: before the reshape
        x = make.norm_and_activation(x, "base", plan.base)
    x = layers.Reshape((height, width, plan.base.filters), dtype=dtype, name="base_map")(x)
    if plan.base.norm != "units":
        x = make.norm_and_activation(x, "base", plan.base)
    x = make.dropout(x, "base", plan.base)
    count = len(plan.generator)
    size = plan.base.size
    for number, stage in enumerate(plan.generator, 1):
        x = make.upsample(x, f"stage_{number}", stage)
        if plan.upsampling == "antialiased":  # no grid of the stride's period, whatever it learns
            x = make.blur(x, f"stage_{number}", stage)
        x = make.crop(x, f"stage_{number}", size, stage)
        if plan.has_latent_map(number):
            x = make.add_latent_map(x, latent, f"stage_{number}", stage)
        x = make.norm_and_activation(x, f"stage_{number}", stage)
        if plan.self_modulation and number < count:
            x = make.modulate(x, latent, f"stage_{number}", stage)
        x = make.dropout(x, f"stage_{number}", stage)
        size = stage.size
    # float32 at the end: bfloat16 has too few digits for 256 levels of brightness
    images = layers.Activation("tanh", dtype="float32", name="image")(x)
    generator = keras.Model(latent, images, name=name)
    if plan.initializer == "bilinear":
        _start_bilinear(generator)
    return generator


def build_discriminator(
    plan: Plan, *, seed: int = 0, dtype=None, faster: Layers | None = None
) -> keras.Model:
    """Build the network that tells real images from generated ones, a mirror of the generator.

    Returns:
        A model from float32 images `(n, H, W, C)` in [-1, 1] to float32 logits `(n, 1)`:
        above 0 for real, below 0 for generated.
    """
    make = _LayerMaker(plan, seed, dtype, faster, fades=not plan.discriminator_couples)
    image = layers.Input(plan.img_size, name="image")
    x = image
    for number, stage in enumerate(plan.discriminator, 1):
        x = make.convolution(layers.Conv2D, f"stage_{number}", stage)(x)
        x = make.norm_and_activation(x, f"stage_{number}", stage, activate_first=False)
        x = make.dropout(x, f"stage_{number}", stage)
    x = layers.Flatten(dtype=dtype, name="flat")(x)
    logit = make.layer(layers.Dense, "logit", 1, use_bias=plan.logit_bias)(x)
    # float32 for the loss, whatever the precision of the layers
    logit = layers.Activation("linear", dtype="float32", name="float32_logit")(logit)
    return keras.Model(image, logit, name="discriminator")


def _start_bilinear(generator: keras.Model) -> None:
    """Make transposed convolutions start as bilinear interpolation, which leaves no grid.

    Every kernel becomes one random matrix between the channels times a triangle over the pixels,
    of the same standard deviation. After Aitken et al. 2017, arXiv 1707.02937, who start from
    nearest neighbor.
    """
    for layer in generator.layers:
        if isinstance(layer, layers.Conv2DTranspose):
            kernel = layer.kernel  # (height, width, filters out, filters in)
            weights = triangle(layer.kernel_size, layer.strides)
            weights = ops.cast(weights / np.linalg.norm(weights), kernel.dtype)
            kernel.assign(weights[:, :, None, None] * ops.sum(kernel, (0, 1)))


def triangle(kernel: Pair, stride: Pair) -> np.ndarray:
    """Weights of bilinear interpolation by a transposed convolution; float64 `(height, width)`."""
    return np.multiply.outer(*(_triangle(*axis) for axis in zip(kernel, stride, strict=True)))


def _triangle(side: int, step: int) -> np.ndarray:
    """Weights of linear interpolation; those that add up in one output pixel sum to 1."""
    place = np.arange(side)
    weights = np.maximum(0, 1 - abs(place - (side - 1) / 2) / step)
    return weights / np.bincount(place % step, weights)[place % step]


class _LayerMaker:
    """Makes layers that share a plan's initializer, seeds and precision.

    Their weights have the shapes that `plan.weight_shapes` computes without Keras.
    """

    def __init__(self, plan: Plan, seed: int, dtype, faster: Layers | None, fades: bool = False):
        self.plan = plan
        self.fades = fades  # without BatchNorm the signal fades from stage to stage
        self.dtype = dtype
        self._faster = faster or {}
        self._seed = seed

    def next_seed(self) -> int:
        self._seed += 1
        return self._seed

    def layer(self, kind, name: str, *sizes, **options):
        """A dense or convolution layer with freshly seeded initial weights."""
        if self.plan.initializer == "glorot":
            initializer = keras.initializers.GlorotUniform(seed=self.next_seed())
        elif self.fades:  # He et al. 2015, section 2.2
            initializer = keras.initializers.HeNormal(seed=self.next_seed())
        else:  # N(0, 0.02): Radford et al. 2016, section 4
            initializer = keras.initializers.RandomNormal(stddev=0.02, seed=self.next_seed())
        options = {"kernel_initializer": initializer} | options
        return self._kind(kind)(*sizes, **options, dtype=self.dtype, name=name)

    def _kind(self, layer: type) -> type:
        return self._faster.get(layer, layer)

    def convolution(self, kind, name: str, stage: Stage, strides=None):
        return self.layer(
            kind,
            name,
            stage.filters,
            stage.kernel,
            strides=strides or stage.stride,
            padding="same",
            use_bias=stage.bias,
        )

    def upsample(self, x, name: str, stage: Stage):
        if self.plan.upsampling == "resize":
            if stage.stride != (1, 1):
                x = layers.UpSampling2D(stage.stride, dtype=self.dtype, name=f"{name}_resize")(x)
            return self.convolution(layers.Conv2D, name, stage, strides=(1, 1))(x)
        return self.convolution(layers.Conv2DTranspose, name, stage)(x)

    def crop(self, x, name: str, size: tuple[int, int], stage: Stage):
        """Crop what upsampling gave in excess: 10 doubles to 20, and the plan may ask for 19."""
        steps = zip(size, stage.stride, stage.size, strict=True)
        excess = [side * step - want for side, step, want in steps]
        if not any(excess):
            return x
        cut = tuple((extra // 2, extra - extra // 2) for extra in excess)
        return self._kind(layers.Cropping2D)(cut, dtype=self.dtype, name=f"{name}_crop")(x)

    def blur(self, x, name: str, stage: Stage):
        """A box blur as wide as the stride, which removes a grid of that period.

        Sugawara et al. 2018, arXiv 1806.02658. One axis at a time, since backends differ in what
        they average at the border of a window that reaches over it on one side only.
        """
        height, width = stage.stride
        for axis, window in (("down", (height, 1)), ("across", (1, width))):
            if window == (1, 1):
                continue
            pool = layers.AveragePooling2D(
                window, strides=1, padding="same", dtype=self.dtype, name=f"{name}_blur_{axis}"
            )
            x = pool(x)
        return x

    def add_latent_map(self, x, latent, name: str, stage: Stage):
        """Add a map that is linear in the latent, times a factor for each channel, at first 0."""
        of_latent = self.layer(
            layers.Dense,
            f"{name}_latent_map",
            math.prod(stage.size),
            use_bias=False,
            kernel_initializer=keras.initializers.LecunNormal(self.next_seed()),  # variance 1
        )
        as_map = layers.Reshape((*stage.size, 1), dtype=self.dtype, name=f"{name}_latent_2d")
        channels = self.layer(
            layers.Conv2D,
            f"{name}_latent_channels",
            stage.filters,
            1,
            use_bias=False,
            kernel_initializer="zeros",
        )
        add = layers.Add(dtype=self.dtype, name=f"{name}_latent_added")
        return add([x, channels(as_map(of_latent(latent)))])

    def modulate(self, x, latent, name: str, stage: Stage):
        """Multiply each channel by a linear function of the latent, which begins around 1."""
        factors = self.layer(layers.Dense, f"{name}_scale", stage.filters, bias_initializer="ones")
        shape = layers.Reshape((1, 1, stage.filters), dtype=self.dtype, name=f"{name}_factors")
        multiply = layers.Multiply(dtype=self.dtype, name=f"{name}_scaled")
        return multiply([x, shape(factors(latent))])

    def norm_and_activation(self, x, name: str, stage: Stage, activate_first=None):
        steps = [self._norm, self._activation]
        if self.plan.activate_first if activate_first is None else activate_first:
            steps.reverse()
        for step in steps:
            x = step(x, name, stage)
        return x

    def _norm(self, x, name: str, stage: Stage):
        if stage.norm == "none":
            return x
        return self._kind(layers.BatchNormalization)(
            momentum=self.plan.momentum, dtype=self.dtype, name=f"{name}_norm"
        )(x)

    def _activation(self, x, name: str, stage: Stage):
        if stage.slope == 1:
            return x
        if stage.slope == 0:
            return layers.ReLU(dtype=self.dtype, name=f"{name}_relu")(x)
        return layers.LeakyReLU(stage.slope, dtype=self.dtype, name=f"{name}_relu")(x)

    def dropout(self, x, name: str, stage: Stage):
        if stage.dropout == 0:
            return x
        return self._kind(layers.Dropout)(
            stage.dropout, seed=self.next_seed(), dtype=self.dtype, name=f"{name}_dropout"
        )(x)
