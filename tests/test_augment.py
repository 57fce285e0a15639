"""Augmentation: the changes that it says, with gradients passing through."""

import keras
import numpy as np
import pytest
from keras import ops

from dcgan import augment as room
from dcgan.augment import Augmentation, augment, strength_for


@pytest.fixture
def batch():
    return np.random.default_rng(0).uniform(-1, 1, (6, 16, 12, 3)).astype(np.float32)


def seed(value=0):
    return keras.random.SeedGenerator(value)


def test_strength_falls_with_the_number_of_images():
    assert strength_for(1) == strength_for(1000) == 1
    assert strength_for(10**6) == 0
    counts = [5_000, 10_000, 30_000, 49_999]
    strengths = [strength_for(count) for count in counts]
    assert strengths == sorted(strengths, reverse=True)


def test_strength_rises_with_the_images():
    augmentation = Augmentation(0.5, ramp_images=50)
    shares = []
    for _ in range(3):
        augmentation.advance(20)
        shares.append(float(augmentation.share))
    assert shares == pytest.approx([0.4, 0.8, 1.0])


def test_the_strength_that_is_used_is_its_share_of_what_was_set(batch, monkeypatch):
    used = []
    monkeypatch.setattr(room, "augment", lambda images, strength, *rest: used.append(strength))
    augmentation = Augmentation(0.5)
    augmentation.share.assign(0.8)
    augmentation(batch, seed=seed())
    assert [float(strength) for strength in used] == pytest.approx([0.4])


def test_strength_zero_changes_nothing(batch):
    unchanged = ops.convert_to_numpy(augment(ops.convert_to_tensor(batch), 0.0, seed()))
    assert np.abs(unchanged - batch).max() < 1e-6  # colors are taken apart and put together


def test_shape_is_kept_and_every_image_is_changed_in_its_own_way(batch):
    same = np.repeat(batch[:1], 6, axis=0)
    changed = ops.convert_to_numpy(augment(ops.convert_to_tensor(same), 1.0, seed()))
    assert changed.shape == same.shape
    assert len({image.tobytes() for image in changed}) == 6


def test_translation_moves_pixels_and_repeats_the_edge(batch, monkeypatch):
    for name in ("BRIGHTNESS", "CONTRAST", "SATURATION"):
        monkeypatch.setattr(room, name, 0.0)
    changed = ops.convert_to_numpy(augment(ops.convert_to_tensor(batch), 1.0, seed()))
    for before, after in zip(batch, changed, strict=True):
        candidates = []
        for down in range(-2, 3):  # an eighth of 16 pixels
            for right in range(-2, 3):  # an eighth of 12, rounded
                rows = np.clip(np.arange(16) - down, 0, 15)
                columns = np.clip(np.arange(12) - right, 0, 11)
                candidates.append(before[rows][:, columns])
        # 1e-5: color changes of strength 0 still round once
        assert min(np.abs(after - candidate).max() for candidate in candidates) < 1e-5


def test_what_is_transparent_stays_so_and_only_colors_are_tinted(monkeypatch):
    monkeypatch.setattr(room, "TRANSLATION", 0.0)
    straight = np.random.default_rng(0).random((6, 8, 8, 3)).astype(np.float32)
    alpha = np.zeros((6, 8, 8, 1), np.float32)
    alpha[:, :4], alpha[:, 4:6] = 1.0, 0.5
    images = np.concatenate([straight * alpha, alpha], -1) * 2 - 1
    changed = ops.convert_to_numpy(augment(ops.convert_to_tensor(images), 1.0, seed()))
    np.testing.assert_allclose(changed[..., 3:], images[..., 3:], atol=1e-6)
    np.testing.assert_allclose(changed[:, 6:, :, :3], -1, atol=1e-6)
    # what is opaque, alone, changes as it would without an alpha channel
    opaque = np.concatenate([straight, np.ones_like(alpha)], -1) * 2 - 1
    with_alpha, without = (
        ops.convert_to_numpy(augment(ops.convert_to_tensor(kind), 1.0, seed()))
        for kind in (opaque, opaque[..., :3])
    )
    np.testing.assert_allclose(with_alpha[..., :3], without, atol=1e-5)


def test_gray_images_are_not_tinted_but_changed():
    gray = np.zeros((3, 8, 8, 1), np.float32)
    changed = ops.convert_to_numpy(augment(ops.convert_to_tensor(gray), 1.0, seed()))
    assert changed.shape == gray.shape
    assert np.abs(changed).max() > 0
    assert np.ptp(changed, axis=(1, 2, 3)).max() < 1e-6  # a flat image stays flat


def test_gradients_pass_through(tiny, images):
    gan = tiny()
    fake = ops.convert_to_tensor(images[:4].astype(np.float32) / 127.5 - 1)
    _, _, _, (gradient,) = gan.gradients(
        lambda x: (ops.mean(augment(x, 1.0, gan.random) ** 2), None), inputs=[fake]
    )
    assert np.abs(ops.convert_to_numpy(gradient)).max() > 0
