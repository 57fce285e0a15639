"""Do arrays become the images that they are?"""

import io

import numpy as np
import pytest
from PIL import Image

from dcgan.images import GAP, grid, png_bytes, save_png, shrink, to_uint8


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
