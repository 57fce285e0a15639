"""Train networks of your own: python -m examples.own_networks path/to/images

A subclass of DCGAN builds both networks, here with residual blocks. Every layer has a name, by
which files know it, and a seed, so that a run can be repeated.
"""

import sys

from dcgan import DCGAN

# isort: split
import keras  # after dcgan, which turns TensorFlow's faster convolutions on
from keras import layers

BLOCKS, FILTERS = 3, 96  # each block halves the image, or doubles it


def seeded(kind, *sizes, seed, **options):
    return kind(*sizes, kernel_initializer=keras.initializers.GlorotUniform(seed), **options)


def block(x, name, filters, seed, dtype):
    """Two paths that are added, one nearly untouched (He et al. 2016, arXiv 1512.03385)."""
    options = {"padding": "same", "dtype": dtype}
    path = layers.LeakyReLU(0.2, dtype=dtype, name=f"{name}_relu")(x)
    path = seeded(layers.Conv2D, filters, 3, seed=seed, name=f"{name}_path", **options)(path)
    short = seeded(layers.Conv2D, filters, 1, seed=seed + 1, name=f"{name}_short", **options)(x)
    return layers.Add(dtype=dtype, name=f"{name}_sum")([path, short])


class ResidualGAN(DCGAN):
    """A DCGAN of residual blocks; height and width are multiples of 8."""

    def build_generator(self, plan, *, seed, dtype, name):  # to float32 images in [-1, 1]
        size = (plan.img_size[0] >> BLOCKS, plan.img_size[1] >> BLOCKS, FILTERS)
        latent = layers.Input((plan.input_size,))
        units = size[0] * size[1] * size[2]
        x = seeded(layers.Dense, units, seed=seed, dtype=dtype, name="base")(latent)
        x = layers.Reshape(size, dtype=dtype, name="map")(x)
        for number in range(BLOCKS):
            x = layers.UpSampling2D(2, dtype=dtype, name=f"enlarge_{number}")(x)
            x = block(x, f"block_{number}", FILTERS >> number, seed + 2 * number + 1, dtype)
        last = {"padding": "same", "activation": "tanh", "dtype": "float32", "name": "image"}
        return keras.Model(
            latent, seeded(layers.Conv2D, plan.img_size[2], 3, seed=seed + 9, **last)(x), name=name
        )

    def build_discriminator(self, plan, *, seed, dtype):  # to float32 logits, above 0 for real
        x = image = layers.Input(plan.img_size)
        for number in range(BLOCKS):
            x = block(x, f"block_{number}", 32 << number, seed + 2 * number, dtype)
            x = layers.AveragePooling2D(2, dtype=dtype, name=f"shrink_{number}")(x)
        x = layers.Flatten(dtype=dtype, name="flat")(x)
        logit = seeded(layers.Dense, 1, seed=seed + 9, dtype="float32", name="float32_logit")
        return keras.Model(image, logit(x), name="discriminator")


if __name__ == "__main__":
    ResidualGAN(save_path="Results/residual", img_size=64).fit(sys.argv[1], minutes=60)
