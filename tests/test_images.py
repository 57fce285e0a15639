"""Images from arrays."""

import io

import numpy as np
import pytest
from PIL import Image

from dcgan.images import (
    GAP,
    chunks,
    grid,
    png_bytes,
    premultiply,
    save_png,
    shrink,
    to_float,
    to_uint8,
    unpremultiply,
)

pytestmark = pytest.mark.once


def test_floats_are_rounded_and_clipped():
    values = np.array([-2, -1, -0.5, 0, 0.999, 1, 3], np.float32)
    assert to_uint8(values).tolist() == [0, 0, 64, 128, 255, 255, 255]


def test_grid_shows_every_image_once():
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 1), np.uint8)
    sheet = grid(images, columns=2)
    assert sheet.shape == (3 * (4 + GAP) + GAP, 2 * (6 + GAP) + GAP, 1)
    for value in range(5):
        assert (sheet == value).sum() == 24
    assert grid(images[:1]).shape == (4 + 2 * GAP, 6 + 2 * GAP, 1)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_keeps_pixels_and_text(channels, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype(np.uint8)
    save_png(tmp_path / "a.png", image, {"dcgan-seed": "7"})
    read = Image.open(io.BytesIO((tmp_path / "a.png").read_bytes()))
    assert read.text["dcgan-seed"] == "7"
    assert (np.asarray(read).reshape(image.shape) == image).all()
    assert png_bytes(image) == png_bytes(image)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_only_large_images_shrink(channels):
    image = np.zeros((40, 100, channels), np.uint8)
    assert shrink(image, 100) is image
    assert shrink(image, 50).shape == (20, 50, channels)


ALL = np.stack(np.meshgrid(np.arange(256), np.arange(256)), -1).astype(np.uint8)  # color, alpha
STRAIGHT = ALL[..., [0, 0, 0, 1]]


def test_opaque_pixels_stay_as_they_are():
    opaque = STRAIGHT[255:]
    np.testing.assert_array_equal(premultiply(opaque), opaque)
    np.testing.assert_array_equal(unpremultiply(opaque), opaque)


def test_what_cannot_be_seen_is_black():
    assert (premultiply(STRAIGHT[:1]) == 0).all()
    assert (unpremultiply(STRAIGHT[:1]) == 0).all()


def test_there_and_back_loses_only_what_the_alpha_cannot_hold():
    back = unpremultiply(premultiply(STRAIGHT)).astype(int)
    allowed = 127.5 / np.maximum(STRAIGHT[..., 3], 1) + 1  # half a step of alpha, and rounding
    off = np.abs(back[..., 0] - STRAIGHT[..., 0])
    assert (off <= allowed)[1:].all()
    np.testing.assert_array_equal(back[..., 3], STRAIGHT[..., 3])


def test_back_and_there_is_exact_for_every_valid_pixel():
    valid = STRAIGHT[STRAIGHT[..., 0] <= STRAIGHT[..., 3]]
    np.testing.assert_array_equal(premultiply(unpremultiply(valid)), valid)


def test_a_color_above_its_alpha_becomes_the_brightest():
    assert (unpremultiply(np.array([[200, 50, 0, 100]], np.uint8)) == [[255, 128, 0, 100]]).all()


def test_the_inputs_are_not_changed():
    before = STRAIGHT.copy()
    premultiply(STRAIGHT)
    unpremultiply(STRAIGHT)
    np.testing.assert_array_equal(STRAIGHT, before)


@pytest.mark.parametrize("side, most", [(28, 64), (512, 21), (4096, 1)])
def test_chunks_are_whole_and_small_enough(side, most):
    found = chunks(130, (side, side, 3))
    assert sum((list(range(130))[chunk] for chunk in found), []) == list(range(130))
    assert max(chunk.stop - chunk.start for chunk in found) == most


def test_of_nothing_there_are_no_chunks():
    assert chunks(0, (28, 28, 1)) == []


def test_floats_and_whole_numbers_are_the_same_images():
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    floats = to_float(values)
    assert floats.dtype == np.float32 and (floats.min(), floats.max()) == (-1, 1)
    np.testing.assert_array_equal(to_uint8(floats), values)


@pytest.mark.parametrize("count", [4, 9, 12, 16, 20, 24, 36, 48, 100])
def test_the_last_row_of_a_grid_is_full_where_it_can_be(count):
    sheet = grid(np.zeros((count, 8, 8, 1), np.uint8))
    empty = sheet[-3, :, 0] == 255  # the middle of the last row
    assert empty.sum() <= GAP * (count + 1)
    assert sheet.shape[1] <= 3 * sheet.shape[0]
