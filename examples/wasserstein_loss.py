"""Train with a loss of your own: python -m examples.wasserstein_loss path/to/images

A subclass of DCGAN overrides the two halves of the training step. This one has the Wasserstein loss
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

    def discriminator_step(self, real, fake):
        """Raise the logits of real images, lower those of fakes, and clip the weights."""

        def loss_and_logits(fake):
            logits = self.discriminator_logits(real), self.discriminator_logits(fake)
            return ops.mean(logits[1]) - ops.mean(logits[0]), logits

        weights = self.discriminator.trainable_variables
        loss, logits, gradients, at_fake = self.gradients(loss_and_logits, weights, [fake])
        self.optimizer.discriminator.apply(gradients, weights)
        for kernel in weights:
            if len(kernel.shape) > 1:  # not those of BatchNorm
                kernel.assign(ops.clip(kernel, -CLIP, CLIP))
        return loss, logits[0], logits[1], at_fake[0]

    def generator_step(self, fake, pull_back, fake_logits, fake_gradient):
        """Raise the logits of fakes."""
        loss, _, _, (gradient,) = self.gradients(
            lambda fake: (-ops.mean(self.discriminator_logits(fake)), None), inputs=[fake]
        )
        weights = self.training_generator.trainable_variables
        self.optimizer.generator.apply(pull_back(gradient), weights)
        return loss


def main(folder, run="Results/wasserstein", minutes=60, **options):
    rate = keras.optimizers.RMSprop(5e-5)  # the paper's: momentum makes it unstable
    gan = WassersteinGAN(save_path=run, **{"optimizer": rate, **options})
    gan.fit(folder, minutes=minutes)
    return gan


if __name__ == "__main__":
    main(sys.argv[1])
