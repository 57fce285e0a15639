"""Proposals for a folder of images, and what so many images allow."""

import pytest

from dcgan import DCGAN
from dcgan.data.decode import Original
from dcgan.inspection.advice import expectation, propose, propose_size

pytestmark = pytest.mark.once


def shown(width, height, mode="RGB", transparent=False):
    return Original(width, height, mode, transparent)


@pytest.mark.parametrize(
    "originals, size",
    [
        ([shown(150, 150)] * 9 + [shown(150, 113)], (150, 150, 3)),
        ([shown(28, 28, "L")], (28, 28, 1)),
        ([shown(4000, 3000)] * 3, (112, 150, 3)),
        ([shown(64, 64, "RGBA", True)], (64, 64, 4)),
        ([shown(209, 200)], (150, 150, 3)),
        ([shown(1, 3000)], (150, 10, 3)),
    ],
)
def test_the_proposed_size_fits_most_images(originals, size):
    assert propose_size(originals) == size


@pytest.mark.parametrize("side, depth", [(1, 1), (10, 1), (28, 2), (64, 3), (150, 4), (256, 5)])
def test_the_proposed_depth_halves_down_to_a_small_map(side, depth):
    assert propose((side, side, 3)).depth == depth


@pytest.mark.parametrize(
    "img_size, batch_size", [((64, 64, 3), 16), ((150, 150, 3), 16), ((180, 180, 3), 8)]
)
def test_the_batches_of_a_proposal_are_those_that_the_model_takes(img_size, batch_size):
    proposal = propose(img_size)
    assert proposal.batch_size == DCGAN(**proposal.options()).batch_size == batch_size


def test_a_proposal_is_a_call():
    assert propose((28, 28, 1)).text() == "DCGAN(img_size=(28, 28, 1), depth=2)"


def test_what_to_expect_differs_from_one_image_to_a_million():
    assert len({expectation(10**power) for power in range(7)}) >= 6


def test_gray_with_an_alpha_channel_that_hides_nothing_is_proposed_as_gray():
    assert propose_size([shown(40, 40, "LA")] * 3) == (40, 40, 1)
