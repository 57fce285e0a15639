"""The operations of a training step, counted by hand and by the benchmark."""

import pytest

from dcgan.networks.plan import Plan, Stage
from dcgan.networks.presets import PRESETS

pytestmark = pytest.mark.once


def tiny_plan(**changes):
    image = Stage((8, 8), 3, (4, 4), (2, 2), norm="none", slope=1.0)
    parts = {
        "img_size": (8, 8, 3),
        "input_size": 5,
        "base": Stage((2, 2), 7, (1, 1), (1, 1)),
        "generator": (Stage((3, 4), 6, (4, 4), (2, 2)), image),
        "discriminator": (Stage((4, 4), 6, (4, 4), (2, 2)), Stage((2, 2), 7, (3, 3), (2, 2))),
    }
    return Plan(**{**parts, **changes})


def test_operations_are_those_counted_by_hand(benchmark):
    flops = benchmark("flops")
    # a transposed convolution uses each tap once per pixel of its small map
    latent, first, second = 2 * 5 * 28, 2 * 16 * 7 * 6 * (2 * 2), 2 * 16 * 6 * 3 * (3 * 4)
    image, deeper, logit = 2 * 16 * 3 * 6 * (4 * 4), 2 * 9 * 6 * 7 * (2 * 2), 2 * 28
    work = flops.count_work(tiny_plan())
    generator, discriminator = latent + first + second, image + deeper + logit
    assert work == flops.Work(generator, latent, discriminator, image)
    # generator: forward, weights, inputs; discriminator: forward 3, weights 2, inputs 3
    step = 3 * generator - latent + 8 * discriminator - 2 * image
    assert flops.step_flops(tiny_plan(), 10, one_stage=False) == 10 * step
    # in one stage without the third forward pass, and without its inputs but the image's
    step = 3 * generator - latent + 6 * discriminator - image
    assert flops.step_flops(tiny_plan(), 10, one_stage=True) == 10 * step


def test_resizing_makes_the_convolution_work_on_the_large_map(benchmark):
    flops = benchmark("flops")
    transposed, resized = tiny_plan(), tiny_plan(upsampling="resize")
    latent = 2 * 5 * 28
    convolutions = flops.count_work(transposed).generator - latent
    assert flops.count_work(resized).generator == latent + 4 * convolutions


def test_the_example_needs_about_0_2_gigaflop_per_image_and_pass(benchmark):
    work = benchmark("flops").count_work(PRESETS["dcgan-64"].plan)
    # three convolutions of 67,108,864 each, and one of 6,291,456 at the image
    assert work.discriminator == 3 * 2**26 + 3 * 2**21 + 2 * 8192
    assert work.generator == 3 * 2**26 + 3 * 2**21 + 2 * 100 * 8192
