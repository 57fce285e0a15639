"""Variety: many kinds of images told from few."""

import numpy as np
import pytest

from dcgan.data.sample_set import draw_seascapes
from dcgan.metrics.variety import MIN_VARIETY, variety

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def drawn():
    """Two hundred seascapes, in two halves: uint8 (100, 24, 24, 3) each."""
    return np.split(draw_seascapes(200, (24, 24, 3), seed=3), 2)


def noisy(images):
    noise = np.random.default_rng(0).normal(0, 8, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def test_new_images_are_as_varied_as_real_ones(drawn):
    real, new = drawn
    assert variety(real, real) == 1
    assert variety(new, real) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("kinds", [1, 2, 10])
def test_a_few_images_over_and_over_have_none_even_with_noise(drawn, kinds):
    real, new = drawn
    repeated = new[np.arange(100) % kinds]
    assert variety(repeated, real) < 1e-6
    assert variety(noisy(repeated), real) < MIN_VARIETY


def test_blends_of_two_images_have_little(drawn):
    real, new = drawn
    share = np.random.default_rng(0).random((100, 1, 1, 1))
    assert variety((share * new[0] + (1 - share) * new[1]).astype(np.uint8), real) < MIN_VARIETY


@pytest.mark.parametrize("count", [4, 10, 20])
def test_a_small_set_learnt_by_heart_is_no_collapse(drawn, count):
    real = drawn[0][:count]
    for seed in range(10):
        samples = noisy(real[np.random.default_rng(seed).integers(0, count, 256)])
        assert variety(samples, real) > MIN_VARIETY


def test_what_cannot_be_seen_is_no_variety():
    shapes = np.zeros((20, 8, 8, 4), np.uint8)
    shapes[np.arange(20), np.arange(20) % 8, np.arange(20) // 8] = 255
    speckled = np.zeros_like(shapes)
    speckled[..., :3] = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3))
    speckled[..., 3] = 1
    assert variety(speckled, shapes) < 0.01


def test_a_folder_with_every_image_twice_still_asks_for_variety(drawn):
    twice = np.repeat(drawn[0][:50], 2, axis=0)
    assert variety(np.full_like(twice, 100), twice) == 0
    assert variety(drawn[1], twice) > MIN_VARIETY


def test_equal_real_images_ask_for_no_variety():
    same = np.full((5, 8, 8, 3), 7, np.uint8)
    assert variety(same, same) == 1
