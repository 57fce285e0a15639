"""Floating-point operations of a training step, counted from the network plan.

A multiplication and an addition count as two operations. Convolutions and dense layers are counted,
taps on the padding included; normalization, activations, blurs, optimizers, augmentation and the
EMA are not: together they are a few percent.
"""

import math
from dataclasses import dataclass

from dcgan.networks.plan import Plan


@dataclass(frozen=True)
class Work:
    """Operations for one image.

    Attributes:
        generator: of its forward pass.
        latent: of its dense layer, whose input needs no gradient.
        discriminator: of its forward pass.
        image: of its first convolution, whose input gradient only the generator needs.
    """

    generator: int
    latent: int
    discriminator: int
    image: int

    def step(self, one_stage: bool) -> dict[str, int]:
        """Operations of one training step per image, by part.

        A layer's gradient at its weights and its gradient at its input each cost as much as the
        layer itself. The generator's weight gradients are computed once, the discriminator's on
        real and on fake images. Where the networks are updated in turn, the discriminator is run a
        third time for the gradient at its input; in one stage, the second pass gives that gradient,
        which adds the input gradient of the first layer.
        """
        return {
            "generator forward": self.generator,
            "generator weight gradients": self.generator,
            "generator input gradients": self.generator - self.latent,
            "discriminator forward": (2 if one_stage else 3) * self.discriminator,
            "discriminator weight gradients: real, fake": 2 * self.discriminator,
            "discriminator input gradients: real, fake": 2 * (self.discriminator - self.image),
            "discriminator input gradients: down to the generated image": self.image
            if one_stage
            else self.discriminator,
        }


def count_work(plan: Plan) -> Work:
    """Count the operations of both networks for one image."""
    generator, discriminator = _generator(plan), _discriminator(plan)
    return Work(sum(generator), generator[0], sum(discriminator), discriminator[0])


def step_flops(plan: Plan, batch_size: int, one_stage: bool) -> int:
    """Operations of one training step with `batch_size` real and as many generated images."""
    return batch_size * sum(count_work(plan).step(one_stage).values())


def _generator(plan: Plan) -> list[int]:
    """Operations of each layer of the generator, its dense layer first."""
    channels, size = plan.base.filters, plan.base.size
    layers = [2 * plan.input_size * math.prod(size) * channels]
    for stage in plan.generator:
        # a transposed convolution does its work on the small map, each tap once
        pixels = math.prod(size)
        if plan.upsampling == "resize":
            pixels *= math.prod(stage.stride)
        layers.append(2 * math.prod(stage.kernel) * channels * stage.filters * pixels)
        channels, size = stage.filters, stage.size
    return layers


def _discriminator(plan: Plan) -> list[int]:
    """Operations of each layer of the discriminator, its logit last."""
    channels = plan.img_size[2]
    layers = []
    for stage in plan.discriminator:
        taps = math.prod(stage.kernel) * channels
        layers.append(2 * taps * stage.filters * math.prod(stage.size))
        channels = stage.filters
    return [*layers, 2 * math.prod(plan.discriminator[-1].size) * channels]
