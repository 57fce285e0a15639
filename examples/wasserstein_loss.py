"""Train with a loss of your own: python -m examples.wasserstein_loss path/to/images

A subclass of DCGAN overrides its two losses. This one has the Wasserstein loss
with clipped weights (Arjovsky et al. 2017, arXiv 1701.07875, algorithm 1).
"""

import sys

from dcgan import DCGAN

# isort: split
import keras  # after dcgan, which turns TensorFlow's faster convolutions on
from keras import ops

CLIP = 0.01  # the paper's


class WassersteinGAN(DCGAN):
    """A DCGAN whose discriminator estimates the distance between real and generated images."""

    def discriminator_loss(self, real_logits, fake_logits):
        """Real images shall have high logits, fakes low ones."""
        return ops.mean(fake_logits) - ops.mean(real_logits)

    def generator_loss(self, fake_logits):
        """Fakes shall have high logits."""
        return -ops.mean(fake_logits)

    def discriminator_step(self, real, fake):
        """Train the discriminator, then clip its kernels; returns what the usual step does."""
        results = super().discriminator_step(real, fake)
        for kernel in self.discriminator.trainable_variables:
            if len(kernel.shape) > 1:  # not those of BatchNorm
                kernel.assign(ops.clip(kernel, -CLIP, CLIP))
        return results


def main(folder, run="Results/wasserstein", minutes=60, **options):
    rate = keras.optimizers.RMSprop(5e-5)  # the paper's: momentum makes it unstable
    gan = WassersteinGAN(save_path=run, **{"optimizer": rate, **options})
    gan.fit(folder, minutes=minutes)
    return gan


if __name__ == "__main__":
    main(sys.argv[1])
