"""The drawn seascapes: reproducible, varied, of any size."""

import numpy as np
import pytest

from dcgan.data.sample_set import draw_seascapes

pytestmark = pytest.mark.once


@pytest.mark.parametrize("size", [(1, 1, 3), (1, 40, 1), (40, 1, 4), (28, 28, 1), (45, 30, 3)])
def test_any_size_can_be_drawn(size):
    images = draw_seascapes(2, size)
    assert images.shape == (2, *size)
    assert images.dtype == np.uint8


def test_a_image_does_not_depend_on_how_many_are_drawn():
    np.testing.assert_array_equal(
        draw_seascapes(5, (16, 20, 3))[:2], draw_seascapes(2, (16, 20, 3))
    )


def test_another_seed_gives_other_images():
    first, second = draw_seascapes(4, (16, 16, 3), seed=0), draw_seascapes(4, (16, 16, 3), seed=1)
    assert all((a != b).any() for a in first for b in second)


def test_a_set_holds_no_image_twice_and_both_day_and_night():
    images = draw_seascapes(40, (16, 16, 3))
    assert len(np.unique(images.reshape(40, -1), axis=0)) == 40
    brightness = images.mean(axis=(1, 2, 3))
    assert brightness.min() < 60 and brightness.max() > 140


def test_the_same_scene_is_drawn_at_every_size():
    small = draw_seascapes(6, (32, 32, 3)).astype(float)
    large = draw_seascapes(6, (64, 64, 3)).astype(float)
    halved = large.reshape(6, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    assert abs(halved - small).mean() < 6  # of 255: only the softness of edges differs


def test_four_channels_are_the_scene_in_a_porthole():
    images = draw_seascapes(3, (32, 32, 4))
    np.testing.assert_array_equal(images[..., :3], draw_seascapes(3, (32, 32, 3)))
    assert (images[:, 0, 0, 3] == 0).all() and (images[:, 16, 16, 3] == 255).all()
