"""Fitting: every image by the rule that was asked for, whatever its size."""

import numpy as np
import pytest
from PIL import Image

from dcgan.data.decode import decode_file
from dcgan.data.target import Target

pytestmark = pytest.mark.once


def saved(path, image, **options):
    image.save(path, **options)
    return str(path)


def pixels_of(path, target):
    return decode_file(str(path), target)[0]


def photo(width=40, height=30, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


MODES = {"1": 1, "L": 200, "LA": (200, 255), "P": 3, "RGB": (200,) * 3, "RGBA": (200,) * 3 + (255,)}


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7, 5), (8, 8)])
@pytest.mark.parametrize("resize", ["crop", "stretch", "pad"])
def test_any_size_is_fitted_by_every_rule(tmp_path, size, resize):
    path = saved(tmp_path / "a.png", Image.new("RGB", size, (50, 60, 70)))
    pixels = pixels_of(path, Target(6, 9, 3, resize, (50, 60, 70)))
    assert pixels.shape == (6, 9, 3) and (pixels == (50, 60, 70)).all()


def test_crop_keeps_the_middle_and_stretch_all_of_it(tmp_path):
    halves = np.zeros((10, 40, 3), np.uint8)
    halves[:, :10], halves[:, 30:] = (255, 0, 0), (0, 0, 255)
    path = saved(tmp_path / "a.png", Image.fromarray(halves))
    assert (pixels_of(path, Target(10, 10, 3)) == 0).all()
    whole = pixels_of(path, Target(10, 10, 3, "stretch"))
    assert (whole[:, 0, 0] > 240).all() and (whole[:, -1, 2] > 240).all()  # but for ringing


def test_pad_shows_all_of_it_between_bars(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("RGB", (20, 10), (1, 2, 3)))
    padded = pixels_of(path, Target(10, 10, 3, "pad", (9, 9, 9)))
    assert (padded[3:7] == (1, 2, 3)).all() and (padded[:2] == 9).all() and (padded[8:] == 9).all()
    assert (pixels_of(path, Target(10, 10, 4, "pad"))[0] == 0).all()


def test_a_image_of_the_right_size_keeps_every_pixel(tmp_path):
    image = photo(8, 8)
    np.testing.assert_array_equal(
        pixels_of(saved(tmp_path / "a.png", image), Target(8, 8, 3)), np.asarray(image)
    )


def test_shrinking_averages_and_does_not_drop_pixels(tmp_path):
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    pixels = pixels_of(saved(tmp_path / "a.png", Image.fromarray(stripes)), Target(8, 8, 1))
    assert abs(int(pixels[4, 4, 0]) - 127) < 4  # half black, half white


def test_a_large_jpeg_shrunk_by_its_decoder_looks_the_same(tmp_path):
    image = photo(1600, 1200)
    quick = pixels_of(saved(tmp_path / "a.jpg", image, quality=95), Target(60, 80, 3))
    full = np.asarray(image.resize((80, 60), Image.Resampling.LANCZOS))
    assert np.abs(quick.astype(int) - full).mean() < 2  # of 255: JPEG's own loss
