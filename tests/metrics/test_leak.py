"""Leaking augmentation: samples that look augmented, told from those that do not."""

import numpy as np
import pytest

from dcgan.augment import augmented_copies
from dcgan.data.sample_set import draw_seascapes
from dcgan.metrics.leak import leaked
from dcgan.training.health import MAX_LEAKED

pytestmark = pytest.mark.once


@pytest.fixture(scope="module", params=[3, 1])
def kinds(request):
    """Real images, others of their kind, and both augmented; in color and in gray."""
    noise = np.random.default_rng(0).normal(0, 8, (400, 24, 20, request.param))
    drawn = draw_seascapes(400, (24, 20, request.param), seed=4)
    images = np.clip(drawn + noise, 0, 255).astype(np.uint8)
    real, others = images[:200], images[200:]
    return real, others, augmented_copies(real, 1.0), augmented_copies(others, 1.0, seed=1)


def test_real_images_do_not_look_augmented_and_augmented_ones_do(kinds):
    real, others, augmented, others_augmented = kinds
    assert leaked(others, real, augmented) < 0.15  # by chance 5 % for colors, 5 % for edges
    assert leaked(others_augmented, real, augmented) > MAX_LEAKED


def test_tints_alone_are_a_leak(kinds):
    real, others, augmented, _ = kinds
    random, shape = np.random.default_rng(1), (len(others), 1, 1, 1)
    gray = others.mean(-1, keepdims=True)
    images = gray + (others - gray) * random.uniform(0, 2, shape)
    mean = images.mean((1, 2, 3), keepdims=True)
    images = mean + (images - mean) * random.uniform(0.5, 1.5, shape)
    tinted = np.clip(images + random.uniform(-64, 64, shape), 0, 255).astype(np.uint8)
    assert leaked(tinted, real, augmented) > 0.25


def test_repeated_edges_alone_are_a_leak(kinds):
    real, others, augmented, _ = kinds
    shifted = others.copy()
    shifted[:, :3], shifted[:, :, :2] = others[:, 3:4], others[:, :, 2:3]
    assert leaked(shifted, real, augmented) > 0.9


def test_rounding_in_gray_images_saved_as_color_is_no_leak():
    drawn = np.repeat(draw_seascapes(400, (24, 20, 1), seed=4), 3, axis=-1)
    real, others = drawn[:200], drawn[200:].copy()
    others[..., 0] += others[..., 0] < 255  # as a network's channels differ
    assert leaked(others, real, augmented_copies(real, 1.0)) < 0.15


@pytest.mark.parametrize("strength", [0.02, 0.1, 1.0])
def test_bad_samples_that_were_never_augmented_are_no_leak(kinds, strength):
    real, others, _, _ = kinds
    noise = np.random.default_rng(1).normal(0, 25, others.shape)
    bad = np.clip(others + noise, 0, 255).astype(np.uint8)
    share = leaked(bad, real, augmented_copies(real, strength))
    assert share is None or share < MAX_LEAKED


def test_augmentation_that_is_too_weak_to_be_seen_is_not_told(kinds):
    real, others, _, _ = kinds
    assert leaked(others, real, augmented_copies(real, 0.02)) is None
