"""The reference that `fit` is compared with: the 64x64 DCGAN of the PyTorch examples.

Written from its facts, not copied: 4x4 kernels, no biases, BatchNorm, N(0, 0.02), cross-entropy on
a sigmoid, Adam 2e-4 with beta_1 0.5; float32 and NCHW as published, or channels-last, or that with
bfloat16 by autocast, its fastest. Its images are ready in memory, which favors it: it is timed
without its data loader. A worker of `speed`.
"""

import time

import torch
from torch import nn

from benchmarks.rounds import serve

LATENT = 100  # nz
WIDTH = 64  # ngf and ndf
WEIGHTS = (3_576_704, 2_765_568)  # as published: trained ones of the generator, discriminator


def build_generator(width: int = WIDTH) -> nn.Sequential:
    """From latents `(n, 100, 1, 1)` to images `(n, 3, 64, 64)` in [-1, 1]."""
    layers: list[nn.Module] = []
    channels = LATENT
    for filters in (8 * width, 4 * width, 2 * width, width):
        stride, padding = (2, 1) if layers else (1, 0)
        layers += [
            nn.ConvTranspose2d(channels, filters, 4, stride, padding, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
        ]
        channels = filters
    layers += [nn.ConvTranspose2d(channels, 3, 4, 2, 1, bias=False), nn.Tanh()]
    return nn.Sequential(*layers).apply(_initialize)


def build_discriminator(width: int = WIDTH) -> nn.Sequential:
    """From images `(n, 3, 64, 64)` to the probability `(n, 1, 1, 1)` that they are real."""
    layers: list[nn.Module] = []
    channels = 3
    for filters in (width, 2 * width, 4 * width, 8 * width):
        norm = [nn.BatchNorm2d(filters)] if layers else []
        layers += [
            nn.Conv2d(channels, filters, 4, 2, 1, bias=False),
            *norm,
            nn.LeakyReLU(0.2, inplace=True),
        ]
        channels = filters
    layers += [nn.Conv2d(channels, 1, 4, 1, 0, bias=False), nn.Sigmoid()]
    return nn.Sequential(*layers).apply(_initialize)


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def count_weights(network: nn.Module) -> int:
    """Number of trained weights, as PyTorch counts them."""
    return sum(weight.numel() for weight in network.parameters())


class Reference:
    """Both networks, their optimizers, and one fixed batch of real images.

    Args:
        batch_size: images per step.
        channels_last: the layout of the weights and images; False is as published.
        autocast: whether convolutions compute in bfloat16; the loss is float32 always.
        width: filters of the widest maps; 64 as published.
    """

    def __init__(
        self, batch_size: int, channels_last: bool, autocast: bool = False, width: int = WIDTH
    ):
        torch.manual_seed(0)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.backends.cudnn.benchmark = True  # as published
        networks = build_generator(width), build_discriminator(width)
        sizes = tuple(count_weights(network) for network in networks)
        if width == WIDTH and sizes != WEIGHTS:
            raise ValueError(f"The reference has {sizes} weights, and should have {WEIGHTS}.")
        self.generator, self.discriminator = (
            network.to(self.device, memory_format=layout) for network in networks
        )
        self.autocast = autocast
        self.real = torch.rand(batch_size, 3, 64, 64, device=self.device) * 2 - 1
        self.real = self.real.contiguous(memory_format=layout)
        self.criterion = nn.BCELoss()
        self.generator_optimizer, self.discriminator_optimizer = (
            torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
            for network in networks
        )

    def step(self) -> tuple[float, ...]:
        """One step of both networks; returns the losses and mean scores that the example prints."""
        count = len(self.real)
        ones = torch.ones(count, device=self.device)
        zeros = torch.zeros(count, device=self.device)

        self.discriminator.zero_grad()
        on_real = self.scores(self.real)
        real_loss = self.criterion(on_real, ones)
        real_loss.backward()
        latents = torch.randn(count, LATENT, 1, 1, device=self.device)
        with self.precision():
            fake = self.generator(latents)
        on_fake = self.scores(fake.detach())
        fake_loss = self.criterion(on_fake, zeros)
        fake_loss.backward()
        self.discriminator_optimizer.step()

        self.generator.zero_grad()
        score = self.scores(fake)
        loss = self.criterion(score, ones)
        loss.backward()
        self.generator_optimizer.step()
        shown = (real_loss + fake_loss, loss, on_real.mean(), on_fake.mean(), score.mean())
        return tuple(value.item() for value in shown)

    def precision(self) -> torch.autocast:
        """The context in which the networks compute."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast)

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        """Probabilities `(n,)` that the images are real, float32."""
        with self.precision():
            return self.discriminator(images).view(-1).float()


REFERENCES: dict[str, Reference] = {}


def build(key: str, **options) -> dict:
    """Make a reference under a name and warm it up."""
    REFERENCES[key] = reference = Reference(**options)
    for _ in range(3):
        reference.step()
    return {"weights": [count_weights(n) for n in (reference.generator, reference.discriminator)]}


def steps(key: str, count: int) -> float:
    """Seconds per step; each ends with its losses as numbers, so nothing is left on the device."""
    start = time.perf_counter()
    for _ in range(count):
        REFERENCES[key].step()
    return (time.perf_counter() - start) / count


def describe() -> dict:
    """Name of the GPU, if there is one."""
    return {"device": torch.cuda.get_device_name() if torch.cuda.is_available() else None}


if __name__ == "__main__":
    serve([build, steps, describe])
