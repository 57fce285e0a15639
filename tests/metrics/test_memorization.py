"""Memorization: copies are called copies, and new images new."""

import json
import math

import numpy as np
import pytest

from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import ArgumentError
from dcgan.images import enlargement
from dcgan.metrics.memorization import _chance, memorization, sheet

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def drawn():
    """Seascapes: 200 to train on, 60 held out, 60 new ones; uint8 (n, 24, 24, 3)."""
    images = draw_seascapes(320, (24, 24, 3), seed=3)
    return images[:200], images[200:260], images[260:]


def noisy(images, sigma=12):
    noise = np.random.default_rng(0).normal(0, sigma, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def blurred(images):
    sums = [np.roll(images.astype(float), (y, x), (1, 2)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return np.mean(sums, 0).astype(np.uint8)


@pytest.mark.parametrize("change", [np.array, noisy, blurred, lambda images: images[:, :, ::-1]])
def test_copies_are_called_copies_even_when_changed_a_little(drawn, change):
    train, held_out, _ = drawn
    found = memorization(change(train[:60]), train, held_out)
    assert found.copying and found.share > 0.8
    assert found.text().endswith("copying.") and "no sign" not in found.text()


@pytest.mark.parametrize("change", [np.array, noisy, blurred])
def test_new_images_are_not_called_copies(drawn, change):
    train, held_out, new = drawn
    found = memorization(change(new), train, held_out)
    assert not found.copying
    assert "no sign of copying" in found.text() and "held-out" in found.text()


def test_a_few_copies_among_new_images_are_found(drawn):
    train, held_out, new = drawn
    found = memorization(np.concatenate([new[:40], train[:20]]), train, held_out)
    assert found.copying
    assert found.share == pytest.approx(1 / 3, abs=0.1)


def test_without_held_out_images_the_training_images_judge(drawn):
    train, _, new = drawn
    assert not memorization(new, train).copying
    found = memorization(train[:60], train)
    assert found.copying and found.reference == "training" and "other images" in found.text()


def test_a_duplicate_among_the_held_out_hides_no_copies(drawn):
    train, held_out, _ = drawn
    found = memorization(noisy(train), train, np.concatenate([held_out[:29], train[:1]]))
    assert found.copying and found.n_duplicates == 1
    assert "Left out as duplicates: 1." in found.text()


@pytest.mark.parametrize("held_out", [slice(0, 40), slice(0, 0)])
def test_a_folder_with_every_image_twice_hides_no_copies(drawn, held_out):
    train, _, new = drawn
    twice = np.repeat(train, 2, axis=0)
    found = memorization(noisy(train[:60]), twice, twice[held_out])
    assert found.copying and found.reference == "training"
    assert set(found.nearest[:, 0]) == set(range(0, 120, 2))
    assert not memorization(new, twice, twice[held_out]).copying


def test_with_few_references_the_text_says_what_is_chance(drawn):
    train, held_out, new = drawn
    assert "than 80% of other images are (20% is chance)" in memorization(new, train[:4]).text()
    assert (
        "than 95% of held-out images are (5% is chance)"
        in memorization(new, train, held_out).text()
    )


def test_eight_images_are_enough_to_see_copies(drawn):
    train, _, new = drawn
    assert memorization(noisy(train[np.arange(64) % 8]), train[:8]).copying
    assert not memorization(new, train[:8]).copying


def test_the_nearest_images_are_the_sources(drawn):
    train, held_out, _ = drawn
    found = memorization(train[[5, 17, 3]], train, held_out)
    assert found.nearest[:, 0].tolist() == [5, 17, 3]
    assert found.ratios == pytest.approx(0, abs=1e-3)


def test_sheet_shows_the_nearest_copy_first(drawn):
    train, held_out, new = drawn
    samples = np.concatenate([new[:5], train[:1]])
    found = memorization(samples, train, held_out)
    image = sheet(samples, train, found, rows=2)
    gap, factor = 2, enlargement(24, 24)
    side, copied = 24 * factor, train[0].repeat(factor, 0).repeat(factor, 1)
    for column in (0, 1):
        left = gap + column * (side + gap)
        np.testing.assert_array_equal(image[gap : gap + side, left : left + side], copied)
    assert image.shape == (2 * (side + gap) + gap, 6 * (side + gap) + gap, 3)


def test_images_that_are_all_equal_do_not_break_it():
    same = np.full((8, 9, 7, 1), 90, np.uint8)
    assert np.isfinite(memorization(same, same, same).share)


@pytest.mark.parametrize("channels", [1, 4])
def test_gray_and_transparent_images_work(channels):
    train = np.random.default_rng(0).integers(0, 256, (30, 16, 16, channels)).astype(np.uint8)
    train[..., 3:] = 255
    assert memorization(train[:20], train).copying


def test_chance_is_the_share_of_rankings():
    # Two samples, the nearest of three references: both before it in 2! 3! / 5! * 1 = 1 of 10.
    assert _chance(2, 2, 1, 3) == pytest.approx(1 / math.comb(5, 2))
    assert _chance(0, 7, 2, 20) == pytest.approx(1)


def test_verdict_becomes_json(drawn):
    train, held_out, new = drawn
    plain = json.loads(json.dumps(memorization(new, train, held_out).to_dict()))
    assert plain["copying"] is False and plain["n_train"] == 200


@pytest.mark.parametrize(("samples", "train"), [(4, 2), (0, 9)])
def test_too_few_images_are_refused(samples, train):
    of_size = (8, 8, 3)
    with pytest.raises(ArgumentError, match="Received"):
        memorization(np.zeros((samples, *of_size), np.uint8), np.zeros((train, *of_size), np.uint8))
