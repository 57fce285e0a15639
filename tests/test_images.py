"""Do arrays become the pictures that they are?"""

import io

import numpy as np
import pytest
from PIL import Image

from dcgan.images import GAP, grid, png_bytes, save_png, shrink, to_uint8


def test_floats_are_rounded_and_clipped():
    values = np.array([-2, -1, -0.5, 0, 0.999, 1, 3], np.float32)
    assert to_uint8(values).tolist() == [0, 0, 64, 128, 255, 255, 255]


def test_grid_shows_every_picture_once():
    pictures = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 1), np.uint8)
    sheet = grid(pictures, columns=2)
    assert sheet.shape == (3 * (4 + GAP) + GAP, 2 * (6 + GAP) + GAP, 1)
    for value in range(5):
        assert (sheet == value).sum() == 24
    assert grid(pictures[:1]).shape == (4 + 2 * GAP, 6 + 2 * GAP, 1)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_keeps_pixels_and_text(channels, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype(np.uint8)
    save_png(tmp_path / "a.png", picture, {"dcgan-seed": "7"})
    read = Image.open(io.BytesIO((tmp_path / "a.png").read_bytes()))
    assert read.text["dcgan-seed"] == "7"
    assert (np.asarray(read).reshape(picture.shape) == picture).all()
    assert png_bytes(picture) == png_bytes(picture)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_only_large_pictures_shrink(channels):
    picture = np.zeros((40, 100, channels), np.uint8)
    assert shrink(picture, 100) is picture
    assert shrink(picture, 50).shape == (20, 50, channels)
