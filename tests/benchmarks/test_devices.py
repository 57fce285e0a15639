"""Several devices on paper: what is exchanged follows from the plan, and efficiency from that."""

import numpy as np
import pytest

from dcgan.networks.resolve import resolve
from dcgan.options import Options

pytestmark = pytest.mark.once


def test_the_generators_gradients_are_exchanged_once_and_the_discriminators_twice(benchmark):
    devices = benchmark("devices")
    plan = resolve(Options(img_size=(8, 8, 3), depth=1, increment=2, input_size=4))[1]
    # generator: dense to 4x4x2 and its norm's gain and offset; 4x4 kernels to 8x8x2, another norm
    # and scales by the latent; 3x3 kernels to 3 channels
    generator = 4 * 32 + 2 * 2 + 4 * 4 * 2 * 2 + 2 * 2 + 4 * 2 + 2 + 3 * 3 * 2 * 3 + 3
    discriminator = 2 * (4 * 4 * 3 * 2 + 2 + 32 + 1)
    sums = 2 * 2 * 2 * 2  # mean and variance of 2 channels, forward and backward, of two norms
    assert devices.exchanged_bytes(plan) == 4 * (generator + discriminator + sums)


def test_efficiency_falls_with_more_devices_and_rises_with_faster_links(benchmark):
    efficiency = benchmark("devices").efficiency
    assert efficiency(1e6, 1e-3, 1e9, 2) == pytest.approx(0.5)
    assert efficiency(1e6, 1e-3, 1e9, 64) < efficiency(1e6, 1e-3, 1e9, 2)
    assert efficiency(1e6, 1e-3, 1e12, 64) > 0.99


def test_a_table_is_printed_for_both_networks(benchmark, capsys):
    assert benchmark("devices").main([]) == 0
    shown = capsys.readouterr().out
    assert "dcgan-64" in shown and "default at 256x256" in shown
    assert shown.count("NVLink") == 2


def test_the_bytes_of_a_compiled_program_are_those_of_its_all_reduces(benchmark):
    text = """
      %a = f32[4,4,3,2]{3,2,1,0} all-reduce(f32[4,4,3,2]{3,2,1,0} %x), channel_id=1
      %b = (f32[], bf16[8]{0}) all-reduce-start(f32[] %y, bf16[8]{0} %z), channel_id=2
      %c = f32[100]{0} add(f32[100]{0} %u, f32[100]{0} %v)
    """
    assert benchmark("divided").exchanged(text) == 4 * 96 + 4 + 2 * 8


def test_the_distance_of_two_trainings_leaves_their_images_out(benchmark):
    first = {"a": np.zeros(2), "b": np.ones(1), "generated": np.zeros(3)}
    second = {"a": np.array([0, 0.5]), "b": np.ones(1), "generated": np.ones(3)}
    assert benchmark("together").distance(first, second) == 0.5
