"""Do straight and premultiplied alpha go into each other?"""

import numpy as np

from dcgan.images import premultiply, unpremultiply

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
