"""Exact and near duplicates among images."""

import numpy as np
import pytest

from dcgan.inspection.duplicates import exact_duplicates, near_duplicates

pytestmark = pytest.mark.once


def test_duplicates_of_flat_and_of_noisy_images_are_told_apart():
    random = np.random.default_rng(0)
    noisy = random.integers(0, 256, (6, 32, 32, 3), np.uint8)
    flat = np.zeros((3, 32, 32, 3), np.uint8) + np.array([0, 1, 80], np.uint8)[:, None, None, None]
    pixels = np.concatenate([noisy, flat, noisy[:1]])
    assert exact_duplicates(pixels) == [[0, 9]]
    assert near_duplicates(pixels) == [(6, 7)]  # black and nearly black
